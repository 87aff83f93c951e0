// c-package.mjs -- the C edition as an Arduino library, which PlatformIO takes as well, and as an ESP-IDF component:
// folders to copy, to zip or to publish.
//
//   node scripts/c-package.mjs [OUT_DIR]      default: device-sdk/c/build/package
//
//   OUT_DIR/Tidegate/   library.properties  library.json  keywords.txt  LICENSE  examples/
//                       src/  Tidegate.h  Tidegate.cpp  core/tidegate.h  core/tidegate.c (the amalgamation)
//   OUT_DIR/tidegate-esp-idf/tidegate/   CMakeLists.txt  Kconfig  idf_component.yml  LICENSE  include/  src/  port/
//
// Arduino compiles everything below src/ and nothing else; so the tests and the other ports stay out of it. Zephyr and
// CMake use device-sdk/c as it is.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { amalgamate } from "./c-amalgamate.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SDK = join(ROOT, "device-sdk", "c");

/**
 * Writes the library.
 * @param {string} outDir the folder to make `Tidegate` in; an older one there is replaced
 * @returns {string} path of the library
 */
export function packageLibrary(outDir) {
  const library = join(outDir, "Tidegate");
  rmSync(library, { recursive: true, force: true });
  mkdirSync(join(library, "src", "core"), { recursive: true });
  cpSync(join(SDK, "port", "arduino"), library, { recursive: true });
  cpSync(join(ROOT, "LICENSE"), join(library, "LICENSE"));
  const { header, source } = amalgamate();
  writeFileSync(join(library, "src", "core", "tidegate.h"), header);
  writeFileSync(join(library, "src", "core", "tidegate.c"), source);
  return library;
}

/** The folders of the SDK that ESP-IDF compiles; see port/esp-idf/tidegate/CMakeLists.txt. */
const ESP_PARTS = ["include", "src", "port/sockets", "port/mbedtls", "port/wss"];

/**
 * Writes the ESP-IDF component; ESP-IDF names a component after its folder.
 * @param {string} outDir the folder to make `tidegate-esp-idf/tidegate` in; an older one there is replaced
 * @returns {string} path of the component
 */
export function packageEspComponent(outDir) {
  const component = join(outDir, "tidegate-esp-idf", "tidegate");
  rmSync(component, { recursive: true, force: true });
  mkdirSync(join(component, "port", "esp-idf"), { recursive: true });
  cpSync(join(SDK, "port", "esp-idf", "tidegate"), component, { recursive: true });
  cpSync(join(ROOT, "LICENSE"), join(component, "LICENSE"));
  for (const part of ESP_PARTS) cpSync(join(SDK, part), join(component, part), { recursive: true });
  for (const file of ["tg_esp.h", "tg_esp.c"]) {
    cpSync(join(SDK, "port", "esp-idf", file), join(component, "port", "esp-idf", file));
  }
  return component;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? join(SDK, "build", "package");
  console.log(`${packageLibrary(out)}\n${packageEspComponent(out)}`);
}
