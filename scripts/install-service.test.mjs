// The installer into a scratch root: what it puts there runs by the unit's own command line, as another user, without
// the checkout. No systemd takes part.

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { install, planInstall, productionModules } from "./install-service.mjs";
import { runInstalled } from "./testing/installed-gateway.mjs";
import { inRoot, ROOT } from "./workspace/report.mjs";

/** What the unit says; a developer's own Node may lie in a home folder, which the unit hides. */
const NODE = "/usr/bin/node";

describe("install-service", () => {
  let root = "";
  let modules = [];
  const below = (...parts) => join(root, ...parts);
  const plan = () => planInstall({ root, nodePath: NODE, modules });
  const unit = () => readFileSync(below("usr/lib/systemd/system/tidegate.service"), "utf8");

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "tidegate-install-"));
    chmodSync(root, 0o755);
    modules = productionModules();
    install(root, plan());
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("copies the program and what it needs, and nothing that makes it look like a checkout", () => {
    expect(existsSync(below("opt/tidegate/gateway/dist/main.js"))).toBe(true);
    expect(existsSync(below("opt/tidegate/proto/PROTOCOL.md"))).toBe(false);
    expect(modules).not.toContain("node_modules/vitest");
    expect(modules).not.toContain("node_modules/typescript");
  });

  it("never names the checkout in what it installs for systemd", () => {
    expect(unit()).not.toContain(ROOT);
    expect(unit()).toContain(" /opt/tidegate/gateway/bin/tidegate.js run");
  });

  it("runs by the unit's command line as another user, and stops in order", async () => {
    const { health, exitCode, state } = await runInstalled(root, () => process.execPath);
    expect(health).toEqual({ status: "ok" });
    expect(exitCode).toBe(0);
    expect(existsSync(join(state, "identity.db"))).toBe(true);
  }, 60_000);

  it("keeps the configuration at the second time, and leaves no half of a program behind", () => {
    writeFileSync(below("etc/tidegate/tidegate.yaml"), "version: 1\ngateway: { id: mine }\n");
    install(root, plan());
    expect(readFileSync(below("etc/tidegate/tidegate.yaml"), "utf8")).toContain("id: mine");
    expect(readdirSync(below("opt"))).toEqual(["tidegate"]);
  }, 60_000);

  it("refuses a Node that the unit hides", () => {
    const nodePath = "/home/me/.nvm/bin/node";
    expect(() => planInstall({ root, nodePath, modules })).toThrow("install Node for all users");
  });

  it("says what it would do, and does nothing, with --dry-run", () => {
    const empty = below("empty");
    const args = [inRoot("scripts/install-service.mjs"), "--dry-run", "--node", NODE, "--root", empty];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(status).toBe(0);
    expect(stdout).toContain(`write  ${empty}/usr/lib/systemd/system/tidegate.service`);
    expect(stdout).not.toContain("run   systemctl");
    expect(existsSync(empty)).toBe(false);
  });
});
