// c-tls-heap.mjs -- the heap that TLS takes of a device: mbedTLS built small, below the C edition, to the real gateway.
//
//   node scripts/c-tls-heap.mjs [IN/OUT ...]      record sizes in bytes; default 4096/4096 2048/2048 1024/1024
//
//   apt-get source mbedtls ─► built with port/mbedtls/mbedtls_small_config.h ─► native-demo-tls ─► c-tls.test.ts
//
// Prints a table row per size: what port/mbedtls/README.md shows. Each row is a whole run of the test: telemetry, a
// command of 1500 bytes, a restart of the gateway with a resumed session, wrong CA and wrong name. Nothing is vendored:
// the source comes from Debian into a cache folder, XDG_CACHE_HOME or ~/.cache, and stays there. Takes about a
// minute a row; not part of `npm test`.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SDK = join(ROOT, "device-sdk", "c");
const SOURCES_LIST = "/etc/apt/sources.list.d/debian.sources";
const SIZES = ["4096/4096", "2048/2048", "1024/1024"];
const TEST = "firmware-sim/test/c-tls.test.ts";

const quiet = { stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" };
const run = (command, args, options = {}) => execFileSync(command, args, { ...quiet, ...options });

/** Fetches the source package once; apt's own lists are left alone. Returns the folder with library/ and include/. */
function fetchSource() {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tidegate", "mbedtls");
  const unpacked = () => (existsSync(cache) ? readdirSync(cache) : []).find((name) => /^mbedtls-[\d.]+$/.test(name));
  if (unpacked() === undefined) {
    mkdirSync(join(cache, "lists", "partial"), { recursive: true });
    mkdirSync(join(cache, "parts"), { recursive: true });
    const list = readFileSync(SOURCES_LIST, "utf8").replaceAll(/^Types: .*$/gm, "Types: deb-src");
    writeFileSync(join(cache, "parts", "source.sources"), list);
    const places = ["sourcelist=/dev/null", `sourceparts=${cache}/parts`].map((place) => `Dir::Etc::${place}`);
    const options = [...places, `Dir::State::lists=${cache}/lists`].flatMap((option) => ["-o", option]);
    run("apt-get", [...options, "-q", "update"]);
    run("apt-get", [...options, "-q", "source", "mbedtls"], { cwd: cache });
  }
  return join(cache, unpacked());
}

/** Builds mbedTLS and the demo for one pair of sizes. Returns the demo. */
function build(source, { inBytes, outBytes }, folder) {
  const tree = join(folder, "mbedtls");
  cpSync(source, tree, { recursive: true });
  const config = join(SDK, "port", "mbedtls");
  const lengths = [`-DMBEDTLS_SSL_IN_CONTENT_LEN=${inBytes}`, `-DMBEDTLS_SSL_OUT_CONTENT_LEN=${outBytes}`];
  const flags = ["-DMBEDTLS_CONFIG_FILE='\"mbedtls_small_config.h\"'", `-I${config}`, ...lengths];
  const env = { ...process.env, MAKEFLAGS: "" };
  run("make", ["-s", "-j2", "-C", join(tree, "library"), `CFLAGS=-Os ${flags.join(" ")}`, "static"], { env });
  const link = `-I${join(tree, "include")} ${flags.join(" ")} -L${join(tree, "library")}`;
  run("make", ["-s", "-C", SDK, `BUILD=${folder}`, `TLS_FLAGS=${link}`, "demo-tls"], { env });
  return join(folder, "native-demo-tls");
}

function measure(demo, inBytes) {
  const env = { ...process.env, TIDEGATE_DEMO_TLS: demo, TIDEGATE_DEMO_FRAGMENT: String(inBytes), NO_COLOR: "1" };
  const output = run("npx", ["vitest", "run", TEST], { cwd: ROOT, env });
  const heap = /mbedTLS held (\d+) bytes/.exec(output);
  if (heap === null) throw new Error(`the test did not say what mbedTLS held:\n${output}`);
  return Number(heap[1]);
}

function main(wishes) {
  const source = fetchSource();
  console.log("| mbedTLS content length in / out | peak heap |\n|---|---:|");
  for (const wish of wishes) {
    const [inBytes, outBytes] = wish.split("/").map(Number);
    const folder = mkdtempSync(join(tmpdir(), "tidegate-tls-heap-"));
    try {
      const bytes = measure(build(source, { inBytes, outBytes }, folder), inBytes);
      console.log(`| ${inBytes} / ${outBytes} | ${bytes.toLocaleString("en-US")} B |`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

const wishes = process.argv.slice(2);
if (wishes.every((wish) => /^(1024|2048|4096)\/\d{3,5}$/.test(wish))) {
  main(wishes.length > 0 ? wishes : SIZES);
} else {
  console.error("c-tls-heap: record sizes are IN/OUT in bytes; IN is what a board may ask for: 1024, 2048 or 4096");
  console.error("Try: node scripts/c-tls-heap.mjs 2048/2048");
  process.exitCode = 2;
}
