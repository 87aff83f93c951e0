// The installer into a scratch root: what it puts there runs by the unit's own command line, as another user, without
// the checkout. No systemd takes part.

import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { install, planInstall, productionModules } from "./install-service.mjs";
import { inRoot, ROOT } from "./workspace/report.mjs";

/** `nobody`: only root may become somebody else, so an ordinary user's run proves less. */
const OTHER_USER = 65_534;
/** What the unit says; a developer's own Node may lie in a home folder, which the unit hides. */
const NODE = "/usr/bin/node";
const START_MS_MAX = 30_000;
const POLL_MS = 50;

const isRoot = process.getuid?.() === 0;

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
    const [, command] = /^ExecStart=(.*)$/m.exec(unit()) ?? [];
    const [program, ...args] = command
      .replace(NODE, process.execPath)
      .replace("/opt/tidegate", below("opt/tidegate"))
      .split(" ");
    const state = below("state");
    mkdirSync(state, { mode: 0o750 });
    if (isRoot) chownSync(state, OTHER_USER, OTHER_USER);
    const gateway = spawn(program, args, {
      cwd: "/",
      env: {
        STATE_DIRECTORY: state,
        TIDEGATE_CONFIG: below("etc/tidegate/tidegate.yaml"),
        TIDEGATE_ADMIN__LISTEN: "127.0.0.1:0",
        TIDEGATE_DEVICES__LISTEN: "127.0.0.1:0",
      },
      stdio: ["ignore", "pipe", "pipe"],
      ...(isRoot ? { uid: OTHER_USER, gid: OTHER_USER } : {}),
    });
    let output = "";
    gateway.stdout.on("data", (text) => (output += text));
    gateway.stderr.on("data", (text) => (output += text));
    const ended = new Promise((resolve) => gateway.on("close", resolve));
    try {
      const { url } = JSON.parse(await fileText(join(state, "gateway.json"), () => output));
      expect(await (await fetch(new URL("/healthz", url))).json()).toEqual({ status: "ok" });
    } finally {
      gateway.kill("SIGTERM");
    }
    expect(await ended).toBe(0);
    expect(existsSync(join(state, "identity.db"))).toBe(true);
  }, 60_000);

  it("keeps the configuration at the second time, and leaves no half of a program behind", () => {
    writeFileSync(below("etc/tidegate/tidegate.yaml"), "version: 1\ngateway: { id: mine }\n");
    install(root, plan());
    expect(readFileSync(below("etc/tidegate/tidegate.yaml"), "utf8")).toContain("id: mine");
    expect(readdirSync(below("opt"))).toEqual(["tidegate"]);
  });

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

/** The text of a file that a process is about to write; fails with that process's output. */
function fileText(path, output) {
  return vi.waitFor(
    () => {
      if (!existsSync(path))
        throw new Error(`${path} never came; the gateway said:
${output()}`);
      return readFileSync(path, "utf8");
    },
    { timeout: START_MS_MAX, interval: POLL_MS },
  );
}
