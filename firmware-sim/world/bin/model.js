#!/usr/bin/env node
// The entry of `npm run model`. The model stands beside the tests and is never built: it is bundled when asked for.
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const world = join(dirname(fileURLToPath(import.meta.url)), "..");
const outfile = join(world, "dist", "mutants", `model-${process.pid}.mjs`);
mkdirSync(dirname(outfile), { recursive: true });
await build({
  entryPoints: [join(world, "model", "main.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  outfile,
  logLevel: "error",
});
const { main } = await import(pathToFileURL(outfile).href);
rmSync(outfile);
process.exitCode = main(process.argv.slice(2));
