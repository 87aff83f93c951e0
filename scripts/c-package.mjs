// c-package.mjs -- the C edition as an Arduino library, which PlatformIO takes as well: one folder to copy or to zip.
//
//   node scripts/c-package.mjs [OUT_DIR]      default: device-sdk/c/build/package; makes OUT_DIR/Tidegate
//
//   Tidegate/  library.properties  library.json  keywords.txt  LICENSE
//              src/  Tidegate.h  Tidegate.cpp  core/tidegate.h  core/tidegate.c (the amalgamation)
//              examples/
//
// Arduino compiles everything below src/ and nothing else; so the tests and the other ports stay out of it. ESP-IDF,
// Zephyr and CMake use device-sdk/c as it is.
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(packageLibrary(process.argv[2] ?? join(SDK, "build", "package")));
}
