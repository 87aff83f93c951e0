/**
 * Lints the protocol schema and compares it with the committed baseline, the schema of the last release.
 *
 *   node scripts/proto-check.mjs [folder]       checks proto/, or another folder with the same schema in it
 *   node scripts/proto-check.mjs --baseline     makes proto/baseline/device.binpb anew; at a release, and only then
 *
 * Exit 1 when the schema has a fault or a change that breaks devices in the field. Works offline.
 */
import { spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const proto = join(root, "proto");
const baseline = join(proto, "baseline", "device.binpb");
const config = join(proto, "buf.yaml");

/** The npm package resolves its own binary for this platform. */
const buf = join(root, "node_modules", "@bufbuild", "buf", "bin", "buf");

/** Runs buf with its output shown; answers whether it succeeded. */
function run(folder, ...args) {
  const { status, error } = spawnSync(process.execPath, [buf, ...args], { cwd: folder, stdio: "inherit" });
  if (error) throw error;
  return status === 0;
}

function check(folder) {
  const lints = run(folder, "lint", ".", "--config", config);
  const keeps = run(folder, "breaking", ".", "--config", config, "--against", baseline, "--against-config", config);
  if (lints && keeps) {
    console.log("the schema is clean and compatible with its baseline");
    return 0;
  }
  console.error(
    `the schema in ${folder} ${lints ? "breaks devices in the field" : "has faults"}\n` +
      "  why: see the lines above; a field's number, type and name never change once they were released\n" +
      "  do:  add a new field and reserve the old number, or fix what is named above",
  );
  return 1;
}

const [argument] = process.argv.slice(2);
if (argument === "--baseline") {
  process.exitCode = run(proto, "build", ".", "--config", config, "--exclude-source-info", "-o", baseline) ? 0 : 1;
} else {
  process.exitCode = check(argument === undefined ? proto : resolve(argument));
}
