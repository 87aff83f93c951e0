#!/usr/bin/env node
// The entry of `npm run mutants`. They stand beside the tests and are never built: they are bundled when asked for.
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const self = fileURLToPath(import.meta.url);
const world = join(dirname(self), "..");
const outfile = join(world, "dist", "mutants", `main-${process.pid}.mjs`);
mkdirSync(dirname(outfile), { recursive: true });
await build({
  entryPoints: [join(world, "mutants", "main.ts")],
  bundle: true,
  platform: "node",
  format: "esm",
  packages: "external",
  outfile,
  logLevel: "error",
});
const { main } = await import(pathToFileURL(outfile).href);
rmSync(outfile);
process.exitCode = await main(process.argv.slice(2), join(world, "..", ".."), self);
