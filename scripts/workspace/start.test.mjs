// Proves that `npm start` leaves no orphan, however it ends, and stops its children in the right order.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseStartArgs } from "./start.mjs";

const SUPERVISOR = fileURLToPath(new URL("./testing/run-fake-demo.mjs", import.meta.url));
const WAIT = { timeout: 15_000, interval: 50 };

let folder;
let logFile;
let supervisor = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-start-"));
  logFile = join(folder, "log");
});

afterEach(() => {
  supervisor?.kill("SIGKILL");
  for (const pid of pidsInLog()) {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
  rmSync(folder, { recursive: true, force: true });
});

const log = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
const pidsInLog = () => [...log().matchAll(/started (\d+)/g)].map((match) => Number(match[1]));

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function run(args = [], env = {}) {
  supervisor = spawn(process.execPath, [SUPERVISOR, ...args], {
    env: { ...process.env, FAKE_LOG: logFile, npm_lifecycle_event: undefined, ...env },
    stdio: "ignore",
  });
  return new Promise((resolve) => supervisor.once("exit", (code, signal) => resolve({ code, signal })));
}

const bothStarted = () => vi.waitFor(() => expect(pidsInLog()).toHaveLength(2), WAIT);
const noneLeft = () => vi.waitFor(() => expect(pidsInLog().filter(isAlive)).toEqual([]), WAIT);

describe("npm start", () => {
  it("starts the simulator on the data folder of a gateway that is ready", async () => {
    run(["--config", "site.yaml"]);
    await bothStarted();
    expect(log()).toMatch(/gateway started \d+ --config site\.yaml/);
    expect(log()).toMatch(/sim started \d+ --data-dir \/fake\/data/);
  });

  it("stops the simulator before the gateway on SIGTERM and passes the gateway's exit code on", async () => {
    const ended = run([], { FAKE_EXIT: "0" });
    await bothStarted();
    supervisor.kill("SIGTERM");
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(log().indexOf("sim SIGTERM")).toBeGreaterThan(0);
    expect(log().indexOf("sim SIGTERM")).toBeLessThan(log().indexOf("gateway SIGTERM"));
    await noneLeft();
  });

  it("leaves no orphan when it is killed", async () => {
    run();
    await bothStarted();
    supervisor.kill("SIGKILL");
    await noneLeft();
    expect(log()).toContain("gateway channel closed");
    expect(log()).toContain("sim channel closed");
  });

  it("stops the simulator and reports the exit code when the gateway ends by itself", async () => {
    const ended = run([], { FAKE_GATEWAY_EXITS: "1" });
    expect(await ended).toEqual({ code: 78, signal: null });
    await noneLeft();
  });

  it("kills at once on a second signal when a child does not listen", async () => {
    const ended = run([], { FAKE_STUBBORN: "1" });
    await bothStarted();
    supervisor.kill("SIGTERM");
    await vi.waitFor(() => expect(log()).toContain("sim SIGTERM"), WAIT);
    // The first second-signals fall into the time in which a terminal and npm may both report one Ctrl-C.
    const again = setInterval(() => supervisor.kill("SIGTERM"), 200);
    const outcome = await ended;
    clearInterval(again);
    expect(outcome).toEqual({ code: 137, signal: null });
    await noneLeft();
  });

  it("starts no simulator with --no-sim", async () => {
    const ended = run(["--no-sim"], { FAKE_GATEWAY_EXITS: "1" });
    await ended;
    expect(log()).not.toContain("sim");
    expect(parseStartArgs(["--no-sim", "--config", "a.yaml"])).toEqual({
      withSim: false,
      gatewayArgs: ["--config", "a.yaml"],
    });
  });
});
