/**
 * Generates proto/generated/device.js and device.d.ts from the schema, with protobufjs's static code generator.
 *
 *   npm run codegen                       writes the two files; they are committed
 *   node scripts/codegen.mjs --check      generates into a temporary folder and compares; exit 1 on a difference
 *
 * Two runs, because the type declarations are made from comments that the code itself need not carry.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const pbjs = join(root, "node_modules", "protobufjs-cli", "bin", "pbjs");
const schema = join("proto", "tidegate", "device", "v1", "device.proto");
const target = join(root, "proto", "generated");
const files = ["device.js", "device.d.ts"];

/** What the codec uses: encode and decode of plain values. `-r` keeps our types out of protobufjs's shared root. */
const options = ["-t", "static-module", "-w", "esm", "-r", "tidegate", "--force-number"].concat(
  ["create", "verify", "convert", "delimited", "typeurl", "service"].map((feature) => `--no-${feature}`),
);

function run(...args) {
  execFileSync(process.execPath, [pbjs, ...options, ...args, schema], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
}

function generateInto(folder) {
  mkdirSync(folder, { recursive: true });
  run("--dts", "-o", join(folder, "device.js"));
  run("--no-comments", "-o", join(folder, "bare.js"));
  renameSync(join(folder, "bare.js"), join(folder, "device.js"));
}

function differingFiles() {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-codegen-"));
  try {
    generateInto(folder);
    return files.filter((file) => readOrEmpty(join(folder, file)) !== readOrEmpty(join(target, file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

if (process.argv.includes("--check")) {
  const stale = differingFiles();
  if (stale.length > 0) {
    console.error(
      `proto/generated is not what the schema generates: ${stale.join(", ")}\n` +
        "  why: the schema or the generator changed and the generated code was not made again\n" +
        "  do:  npm run codegen, then commit proto/generated",
    );
    process.exit(1);
  }
  console.log("proto/generated matches the schema");
} else {
  generateInto(target);
  console.log(`wrote ${files.map((file) => join("proto", "generated", file)).join(", ")}`);
}
