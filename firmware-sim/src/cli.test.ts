/** The command as a process: what it says, when it ends, and that it ends by itself. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ADMIN_TOKEN, FakeGateway } from "./testing/fake-gateway.js";

const SIM = fileURLToPath(new URL("../bin/tidegate-sim.js", import.meta.url));
const GATEWAY = fileURLToPath(new URL("../../gateway/bin/tidegate.js", import.meta.url));
const DEMO = ["greenhouse-1", "greenhouse-2", "pump-house"];
/** `npm start` kills a simulator that takes longer. */
const STOP_MS_MAX = 5_000;

interface Running {
  readonly process: ChildProcess;
  readonly messages: unknown[];
  text: { out: string; err: string };
  readonly ended: Promise<number | string | null>;
}

function run(script: string, args: string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { ...process.env, TIDEGATE_PARENT_IPC: "1", ...env },
  });
  const text = { out: "", err: "" };
  child.stdout?.on("data", (bytes) => {
    text.out += bytes;
  });
  child.stderr?.on("data", (bytes) => {
    text.err += bytes;
  });
  const messages: unknown[] = [];
  child.on("message", (message) => messages.push(message));
  // "close" does not come after a disconnect, so the exit and the ends of both streams are awaited one by one.
  const closed = [child.stdout, child.stderr].map((stream) => new Promise((resolve) => stream?.once("close", resolve)));
  const exited = new Promise<number | string | null>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
  const ended = Promise.all([exited, ...closed]).then(([code]) => code);
  return { process: child, messages, text, ended };
}

const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 25 });
const ready = (running: Running): Promise<void> =>
  waitFor(() => expect(running.messages, running.text.err).toContainEqual(expect.objectContaining({ type: "ready" })));

describe("tidegate-sim", () => {
  let gateway: FakeGateway;
  let dir: string;
  const children: Running[] = [];
  const start = (...args: string[]): Running => {
    const running = run(SIM, args);
    children.push(running);
    return running;
  };

  beforeEach(async () => {
    gateway = await FakeGateway.start();
    dir = mkdtempSync(join(tmpdir(), "sim-cli-"));
    const facts = { url: gateway.adminUrl, devicesUrl: gateway.devicesUrl, gatewayId: "test", pid: process.pid };
    writeFileSync(join(dir, "gateway.json"), JSON.stringify(facts));
    writeFileSync(join(dir, "admin.token"), ADMIN_TOKEN);
  });
  afterEach(async () => {
    for (const { process: child } of children.splice(0)) child.kill("SIGKILL");
    await gateway.close();
    rmSync(dir, { recursive: true });
  });

  it("demo brings three devices online, says so, and ends in order at SIGTERM", async () => {
    const demo = start("demo", "--data-dir", dir);
    await ready(demo);
    expect(demo.messages).toEqual([{ type: "ready", devices: DEMO }]);
    expect([...gateway.sessions.keys()].sort()).toEqual(DEMO);
    expect(readdirSync(join(dir, "sim")).sort()).toEqual(DEMO.map((id) => `${id}.json`));
    expect(statSync(join(dir, "sim", "pump-house.json")).mode & 0o777).toBe(0o600);
    const beganMs = performance.now();
    demo.process.kill("SIGTERM");
    expect(await demo.ended).toBe(0);
    expect(performance.now() - beganMs).toBeLessThan(STOP_MS_MAX);
    await waitFor(() => expect(gateway.byes).toBe(3));
    expect(demo.text.err).toBe("");
  });

  it("demo ends when its parent's channel closes, and uses its tokens again at the next start", async () => {
    const first = start("demo", "--data-dir", dir);
    await ready(first);
    const tokens = new Map(gateway.tokens);
    first.process.disconnect();
    expect(await first.ended).toBe(0);
    const second = start("demo", "--data-dir", dir);
    await ready(second);
    expect(gateway.tokens).toEqual(tokens);
    second.process.disconnect();
    expect(await second.ended).toBe(0);
  });

  it("demo ends in order also while the gateway is gone", async () => {
    const demo = start("demo", "--data-dir", dir);
    await ready(demo);
    await gateway.close();
    demo.process.kill("SIGTERM");
    expect(await demo.ended).toBe(0);
    gateway = await FakeGateway.start();
  });

  it("run ends after its duration with a summary that adds up, and a ledger that agrees with the gateway", async () => {
    const ledger = join(dir, "ledger.jsonl");
    const faults = ["--drop-link", "8s", "--reboot", "8s"];
    const args = [
      "--devices",
      "5",
      "--rate",
      "10",
      "--duration",
      "5s",
      "--json",
      "--ledger",
      ledger,
      "--data-dir",
      dir,
    ];
    const fleet = start("run", ...args, ...faults);
    expect(await fleet.ended, fleet.text.err).toBe(0);
    const summary = JSON.parse(fleet.text.out);
    expect(summary).toMatchObject({ devices: 5, everOnline: 5, seed: 1, dropped: 0 });
    expect(summary.acked).toBeGreaterThan(20);
    const lines = readFileSync(ledger, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const attempted = new Set(lines.filter(({ e }) => e === "attempt").map((x) => `${x.device}/${x.epoch}/${x.seq}`));
    for (const { device, epoch, seq } of gateway.stored) expect(attempted).toContain(`${device}/${epoch}/${seq}`);
    expect(attempted.size).toBe(summary.sent);
  });

  it("run answers to the name `sim` with text for people, and to Ctrl-C", async () => {
    const fleet = start("sim", "--devices", "2", "--data-dir", dir, "--seed", "7");
    await ready(fleet);
    fleet.process.kill("SIGINT");
    expect(await fleet.ended).toBe(0);
    expect(fleet.text.out).toMatch(/^all 2 devices are online\nsent \d+ \/ acked \d+ \/ buffered \d+ \/ dropped 0\n/);
  });

  it.each([
    [["run", "--devices", "none"], 2],
    [["run", "--no-such-option"], 2],
    [["dance"], 2],
    [[], 2],
    [["demo"], 2],
    [["demo", "--data-dir", "no-such-folder"], 3],
    [["run", "--duration", "60s", "--ledger", "/no/such/folder/ledger"], 1],
    [["run", "--duration", "60s", "--persistent", "/dev/null/outboxes"], 1],
  ])("%j is told in three lines, and ends with %i", async (args, exitCode) => {
    const failed = start(...args, ...(args[0] === "run" ? ["--data-dir", dir] : []));
    expect(await failed.ended).toBe(exitCode);
    expect(failed.text.err).toMatch(/^error: .+\n {2}why: .+\n {2}do: {2}.+\n$/);
  });

  it("demo meets the real gateway over its own TLS", async () => {
    const config = join(dir, "tidegate.yaml");
    const dataDir = join(dir, "real");
    const listen = 'devices: { listen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:0" }\n';
    writeFileSync(config, `version: 1\ngateway: { id: attic, dataDir: "${dataDir}" }\n${listen}`);
    const real = run(GATEWAY, ["run", "--config", config]);
    children.push(real);
    await ready(real);
    const demo = start("demo", "--data-dir", dataDir);
    await ready(demo);
    demo.process.kill("SIGTERM");
    expect(await demo.ended, demo.text.err).toBe(0);
    real.process.kill("SIGTERM");
    expect(await real.ended, real.text.err).toBe(0);
  });
});
