// c-amalgamate.mjs -- the C edition of the device SDK as two files to drop into a project: tidegate.h and tidegate.c.
//
//   node scripts/c-amalgamate.mjs [OUT_DIR]      default: device-sdk/c/build/amalgamation
//
// Internal functions become static there, so the compiler inlines and drops more than it can across files.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../device-sdk/c", import.meta.url));
const PUBLIC_HEADERS = ["tg_port.h", "tg_client.h", "tg_telemetry.h", "tg_catalog.h", "tg_store.h", "tg.h"];
const INTERNAL_HEADERS = ["tg_pb.h", "tg_core.h", "tg_websocket.h"];

/** Leaves first, so that static functions stand before their callers where they can. */
const SOURCE_ORDER = ["tg_crc.c", "tg_pb.c", "tg_outbox.c"];

function read(...path) {
  return readFileSync(join(FOLDER, ...path), "utf8");
}

/** Drops the includes of our own headers. */
function withoutOwnIncludes(text) {
  return text.replace(/^#include "[^"]*"\n/gm, "");
}

/** Public header and source of the whole library, as { header, source }. */
export function amalgamate() {
  const header = PUBLIC_HEADERS.map((file) => withoutOwnIncludes(read("include", file))).join("\n");
  const rest = readdirSync(join(FOLDER, "src"))
    .filter((file) => file.endsWith(".c") && !SOURCE_ORDER.includes(file))
    .sort();
  const parts = [
    "/* The Tidegate device SDK, C99 edition, in two files. Made by scripts/c-amalgamate.mjs: change its parts. */",
    '#include "tidegate.h"\n',
    "#define TG_INTERNAL static\n",
    ...INTERNAL_HEADERS.map((file) => withoutOwnIncludes(read("src", file))),
    ...[...SOURCE_ORDER, ...rest].map((file) => withoutOwnIncludes(read("src", file))),
  ];
  return { header, source: parts.join("\n") };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2] ?? join(FOLDER, "build", "amalgamation");
  mkdirSync(out, { recursive: true });
  const { header, source } = amalgamate();
  writeFileSync(join(out, "tidegate.h"), header);
  writeFileSync(join(out, "tidegate.c"), source);
  console.log(`${join(out, "tidegate.h")}\n${join(out, "tidegate.c")}`);
}
