// The gateway as a few files: a start that opens seven hundred modules takes twice the time of one that opens ten, and
// on an SD card a multiple of it. The compiled modules stay beside the bundle, for tests and for whoever reads them.
//
//   gateway/dist/{main,cli/cli,storage/…-worker}.js ──esbuild──▶ gateway/dist/app/{main,cli,…-worker,chunk-…}.js
//
// `gateway/bin/tidegate.js` takes the bundle unless a compilation is newer than its stamp.

import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "./report.mjs";

const COMPILED = "gateway/dist";
const BUNDLE = "gateway/dist/app";

/** Of the bundle's inputs, those that are compiled here; and the packages that go in. */
const INPUTS = [
  "gateway/dist/.tsbuildinfo",
  "proto/dist/.tsbuildinfo",
  "package-lock.json",
  "scripts/workspace/bundle.mjs",
];

/** What each thread, and the command line, begins with. */
const ENTRIES = {
  main: "main.js",
  cli: "cli/cli.js",
  "storage-worker": "storage/storage-worker.js",
  "reader-worker": "storage/reader-worker.js",
  "history-worker": "storage/history-worker.js",
};

/**
 * Packages with compiled code of their own, which look for it beside themselves; the simulator, a program; and the one
 * that makes certificates, whose modules need one another half-made: only at the first run, and unbundled.
 */
const OUTSIDE = ["better-sqlite3", "serialport", "@tidegate/firmware-sim", "@peculiar/x509", "reflect-metadata"];

/**
 * mqtt-packet tells `debug` of every byte it looks at: 3 % of the main thread while a sink is busy, for nobody. Here it
 * makes functions that do nothing, as it does without a pattern, only faster.
 */
const QUIET_DEBUG = {
  name: "quiet-debug",
  setup(build) {
    build.onResolve({ filter: /^debug$/ }, () => ({ path: "debug", namespace: "quiet" }));
    build.onLoad({ filter: /.*/, namespace: "quiet" }, () => ({ contents: "module.exports = () => () => {};" }));
  },
};

/** Parts of CommonJS packages ask for Node's modules by `require`. */
const BANNER =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

/**
 * Bundles when something it is made from is newer.
 * @returns {Promise<boolean>} whether it did
 * @throws what esbuild throws, with its messages
 */
export async function bundleGateway() {
  const stamp = inRoot(BUNDLE, ".stamp");
  const newest = Math.max(...INPUTS.map((file) => statSync(inRoot(file)).mtimeMs));
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= newest) return false;
  const { build } = await import("esbuild");
  rmSync(inRoot(BUNDLE), { recursive: true, force: true });
  mkdirSync(inRoot(BUNDLE), { recursive: true });
  await build({
    entryPoints: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, inRoot(COMPILED, file)])),
    outdir: inRoot(BUNDLE),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    external: OUTSIDE,
    plugins: [QUIET_DEBUG],
    // Of a package that has both, the ES modules: the CommonJS file of @peculiar/x509 gives a late import() no names.
    mainFields: ["module", "main"],
    banner: { js: BANNER },
    // Less to read at a start; names stay, for stack traces.
    minifyWhitespace: true,
    legalComments: "external",
    logLevel: "silent",
  });
  writeFileSync(join(inRoot(BUNDLE), ".stamp"), "");
  return true;
}
