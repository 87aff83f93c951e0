/** `tidegate doctor` as a process on real folders and ports: three broken set-ups, a healthy one, and limits. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../core/testing/manual-clock.js";
import { cli } from "../testing/fake-context.js";
import type { Check } from "./check.js";
import { CHECK_MS_MAX, examine } from "./examine.js";
import type { Probes } from "./probes.js";
import { systemProbes } from "./system-probes.js";

const BIN = fileURLToPath(new URL("../../../bin/tidegate.js", import.meta.url));

/** An ordinary user; the tests may run as root, whom no folder is closed to. */
const NOBODY = 65_534;
const IS_ROOT = process.getuid?.() === 0;

let folder: string;
let ended: (() => Promise<void>)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-doctor-test-"));
  ended = [];
});
afterEach(async () => {
  for (const end of ended) await end();
  rmSync(folder, { recursive: true, force: true });
});

interface Examined {
  readonly exitCode: number;
  readonly out: string;
}

const environment = (): NodeJS.ProcessEnv => ({ PATH: process.env["PATH"], NO_COLOR: "1" });

function doctor(args: readonly string[], uid?: number): Promise<Examined> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: environment(), ...(uid === undefined ? {} : { uid, gid: uid }) };
    execFile(process.execPath, [BIN, "doctor", "-c", "site.yaml", ...args], options, (error, out) => {
      resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, out });
    });
  });
}

function configure(yaml: string): void {
  writeFileSync(join(folder, "site.yaml"), yaml);
}

const LOCAL = "gateway: { dataDir: ./data }\ndevices: { listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:0 }\n";

const byName = (text: string): Map<string, Check> =>
  new Map((JSON.parse(text) as Check[]).map((check) => [check.name, check])); // its own output

async function listener(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ended.push(() => new Promise((resolve) => server.close(() => resolve())));
  const address = server.address();
  return { server, port: typeof address === "object" && address !== null ? address.port : 0 };
}

async function startGateway(): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [BIN, "run", "-c", "site.yaml"], {
    cwd: folder,
    env: environment(),
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  ended.push(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
}

describe("tidegate doctor", () => {
  it("names the lines of a configuration that does not fit, and still looks at the machine", async () => {
    configure("devices: { keepalve: 3s }\n");
    const { exitCode, out } = await doctor([]);
    expect(exitCode).toBe(1);
    expect(out).toContain('✗ configuration  site.yaml:1:12: devices.keepalve: unknown key; did you mean "keepalive"?');
    expect(out).toMatch(/\n +→ correct the lines/);
    expect(out).toMatch(/✓ database +better-sqlite3 loads/);
  });

  it("finds a port that something else has", async () => {
    const { port } = await listener();
    configure(`gateway: { dataDir: ./data }\ndevices: { listen: 127.0.0.1:${port} }\nadmin: { listen: 127.0.0.1:0 }\n`);
    const { exitCode, out } = await doctor([]);
    expect(exitCode).toBe(1);
    expect(out).toMatch(new RegExp(`✗ device port +something else listens on 127.0.0.1:${port}`));
    expect(out).toContain(`sudo ss -ltnp 'sport = :${port}'`);
    expect(out).toMatch(/✓ dashboard port/);
  });

  it("finds a data folder that belongs to somebody else", async () => {
    configure(LOCAL);
    mkdirSync(join(folder, "data"));
    chmodSync(join(folder, "data"), IS_ROOT ? 0o755 : 0o500);
    chmodSync(folder, 0o755);
    const { exitCode, out } = await doctor(["--json"], IS_ROOT ? NOBODY : undefined);
    expect(exitCode).toBe(1);
    const found = byName(out).get("data folder");
    expect(found?.verdict).toBe("fail");
    expect(found?.fix).toMatch(/chown/);
    expect(byName(out).get("database")?.verdict).toBe("ok");
  });

  it("tells why a broker is not reached", async () => {
    const { server, port } = await listener();
    await new Promise((resolve) => server.close(resolve));
    configure(`${LOCAL}sinks: [ { name: broker, type: mqtt, url: "mqtt://127.0.0.1:${port}" } ]\n`);
    const { exitCode, out } = await doctor(["--json"]);
    expect(exitCode).toBe(1);
    expect(byName(out).get("sink broker")).toMatchObject({
      verdict: "fail",
      detail: `connection refused by 127.0.0.1:${port}`,
    });
  });

  it("finds nothing to fail before the first start and beside a running gateway, and leaves nothing behind", async () => {
    configure(LOCAL);
    const before = await doctor([]);
    expect([before.exitCode, before.out]).toEqual([0, expect.not.stringContaining("✗")]);
    expect(existsSync(join(folder, "data"))).toBe(false);
    await startGateway();
    // The history opens beside the gateway, and may come a moment later.
    const names = () => readdirSync(join(folder, "data")).filter((name) => !name.startsWith("history.db"));
    const known = names();
    const { exitCode, out } = await doctor(["--json"]);
    const checks = byName(out);
    expect([exitCode, [...checks.values()].filter(({ verdict }) => verdict === "fail")]).toEqual([0, []]);
    for (const name of ["gateway", "admin token", "certificates", "device port", "dashboard port", "data folder"]) {
      expect([name, checks.get(name)?.verdict]).toEqual([name, "ok"]);
    }
    expect(checks.get("certificates")?.detail).toMatch(/^root SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2} /);
    expect(names()).toEqual(known);
  }, 30_000);
});

describe("the examination", () => {
  it("waits for nothing longer than its limit, and goes on when a probe fails", async () => {
    const { context } = await cli(["version"]);
    const clock = new ManualClock();
    const stuck = new Promise<never>(() => {});
    const probes: Probes = {
      ...systemProbes(context),
      gatewayFile: async () => ({ state: "absent" }),
      scratchDatabase: async () => null,
      space: () => stuck,
      clock: () => Promise.reject(new Error("odd")),
    };
    let isOver = false;
    const slow = examine({ ...context, clock }, {}, probes).finally(() => {
      isOver = true;
    });
    // The limits begin as the work goes on, so time passes until the examination is over.
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(CHECK_MS_MAX / 100);
    }
    const all = new Map((await slow).map((check) => [check.name, check]));
    expect(all.get("free space")?.detail).toBe("no answer within 3 s");
    expect(all.get("clock")?.detail).toMatch(/odd/);
    expect(all.get("node")?.verdict).toBe("ok");
  });
});
