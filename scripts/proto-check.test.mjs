// The schema check sees what would break a device in the field, and the generated code is what the schema generates.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const scripts = dirname(fileURLToPath(import.meta.url));
const proto = join(scripts, "..", "proto");

function run(script, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(scripts, script), ...args], {
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

describe("proto-check", () => {
  let folder = "";
  const file = () => join(folder, "tidegate", "device", "v1", "device.proto");

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-proto-check-"));
    cpSync(join(proto, "tidegate"), join(folder, "tidegate"), { recursive: true });
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Replaces one text in the copied schema; it must be there, or the test would prove nothing. */
  function change(from, to) {
    const before = readFileSync(file(), "utf8");
    expect(before).toContain(from);
    writeFileSync(file(), before.replace(from, to));
  }

  it("passes the schema as it is", () => {
    expect(run("proto-check.mjs")).toMatchObject({ status: 0 });
    expect(run("proto-check.mjs", folder)).toMatchObject({ status: 0 });
  });

  it("fails when a field changes its type", () => {
    change("fixed32 epoch = 5;", "uint64 epoch = 5;");
    const { status, output } = run("proto-check.mjs", folder);
    expect(status).toBe(1);
    expect(output).toMatch(/Field "5".*"epoch".*changed type/);
    expect(output).toContain("breaks devices in the field");
  });

  it("fails when a field changes its number, or goes", () => {
    change("uint32 next_seq = 6;", "uint32 next_seq = 26;");
    expect(run("proto-check.mjs", folder)).toMatchObject({ status: 1 });
  });

  it("fails when a code is given to another reason", () => {
    change("REASON_SLEEPING = 18;", "REASON_RESTING = 18;");
    expect(run("proto-check.mjs", folder)).toMatchObject({ status: 1 });
  });

  it("passes a new field, because that is how the protocol grows", () => {
    change("bool closing = 18;", "bool closing = 18;\n  uint32 battery_percent = 19;");
    expect(run("proto-check.mjs", folder)).toMatchObject({ status: 0 });
  });

  it("fails on a name out of style", () => {
    change("bool closing = 18;", "bool closing = 18;\n  uint32 batteryPercent = 19;");
    const { status, output } = run("proto-check.mjs", folder);
    expect(status).toBe(1);
    expect(output).toContain("has faults");
  });
});

describe("codegen --check", () => {
  it("finds the committed code to be what the schema generates", () => {
    expect(run("codegen.mjs", "--check")).toMatchObject({ status: 0 });
  }, 60_000);
});
