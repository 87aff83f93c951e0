// The unit and the user under systemd's own checkers. Neither starts the unit: that takes a real systemd.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const unit = readFileSync(join(here, "tidegate.service"), "utf8");
const withSystemd = requires("systemd-analyze", "systemd-sysusers");

/** `systemd-analyze security` rates exposure from 0 (none) to 10; given in tenths. */
const EXPOSURE_TENTHS_MAX = 25;

function run(command, ...args) {
  const { status, stdout, stderr } = spawnSync(withSystemd.path(command), args, { encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

withSystemd.describe("the service unit", () => {
  let folder = "";
  const path = () => join(folder, "tidegate.service");

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-systemd-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** As installed, but with a Node that is on this machine: the checker looks for the program. */
  function install(text) {
    writeFileSync(path(), text.replace("/usr/bin/node", process.execPath));
  }

  it("passes systemd-analyze verify without a word", () => {
    install(unit);
    expect(run("systemd-analyze", "verify", path())).toEqual({ status: 0, output: "" });
  });

  it("would not pass with a key that systemd does not know", () => {
    install(unit.replace("UMask=", "Umaks="));
    expect(run("systemd-analyze", "verify", path()).output).toContain("Umaks");
  });

  it("leaves little exposed", () => {
    install(unit);
    const args = ["security", "--offline=true", `--threshold=${EXPOSURE_TENTHS_MAX}`, path()];
    expect(run("systemd-analyze", ...args)).toMatchObject({ status: 0 });
    install(unit.replace("SystemCallFilter=@system-service", "").replace("ProtectSystem=strict", ""));
    expect(run("systemd-analyze", ...args)).toMatchObject({ status: 1 });
  });

  it("runs as a user that sysusers makes, in the group of serial lines", () => {
    const sysusers = join(folder, "usr/lib/sysusers.d/tidegate.conf");
    mkdirSync(dirname(sysusers), { recursive: true });
    copyFileSync(join(here, "tidegate.sysusers"), sysusers);
    mkdirSync(join(folder, "etc"));
    expect(run("systemd-sysusers", `--root=${folder}`)).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, "etc/passwd"), "utf8")).toMatch(/^tidegate:.*:\/var\/lib\/tidegate:.*nologin$/m);
    expect(readFileSync(join(folder, "etc/group"), "utf8")).toMatch(/^dialout:.*:tidegate$/m);
  });
});

describe("the service unit's text", () => {
  it("keeps generated code out and lets V8 compile", () => {
    expect(unit).toMatch(/^ExecStart=\S*node --disallow-code-generation-from-strings /m);
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute/m);
  });

  it("waits for the gateway's word, hears it through systemd-notify, and notices when it falls silent", () => {
    expect(unit).toMatch(/^Type=notify$/m);
    // systemd-notify is a child of the gateway, not its main process.
    expect(unit).toMatch(/^NotifyAccess=all$/m);
    const [, seconds] = /^WatchdogSec=(\d+)s$/m.exec(unit) ?? [];
    // A commit may take 5 s on a card; firmware-sim/test/service.test.ts shows what is and is not a hang.
    expect(Number(seconds)).toBeGreaterThanOrEqual(30);
    expect(unit).toMatch(/^RestrictAddressFamilies=.*AF_UNIX/m);
  });

  it("does not hide other processes: the lock of the data folder asks whether its owner lives", () => {
    expect(unit).not.toMatch(/^Proc(Subset|tectProc)=/m);
  });
});
