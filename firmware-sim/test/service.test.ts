/**
 * The gateway under a service manager: a socket stands in for systemd, everything else is real. What systemd would do
 * about silence is systemd's; here it is shown when there is silence and when there is none.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { Child, until } from "../src/rehearse/child.js";
import { GatewayProcess } from "../src/rehearse/gateway-process.js";
import { NotifySocket } from "./notify-socket.js";

const withSystemd = requires("python3", "systemd-notify");
const withStrace = requires("python3", "systemd-notify", "strace");

/** A short watchdog: the gateway speaks four times in it. */
const WATCHDOG_MS = 2_000;

let dir = "";
let socket: NotifySocket | undefined;
let gateway: GatewayProcess | undefined;
let strace: Child | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tidegate-notify-"));
});

afterEach(async () => {
  await strace?.kill();
  await gateway?.kill();
  socket?.end();
  rmSync(dir, { recursive: true, force: true });
});

async function start(name = join(dir, "notify")): Promise<{ gateway: GatewayProcess; socket: NotifySocket }> {
  socket = await NotifySocket.listen(withSystemd.path("python3"), name);
  const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: String(WATCHDOG_MS * 1000) };
  gateway = await GatewayProcess.start({ dir: join(dir, "gateway"), env });
  return { gateway, socket };
}

/** From now on each sync of the gateway, of which every commit is one, waits so long before it begins. */
async function delayCommits(pid: number, delayMs: number): Promise<void> {
  const inject = `inject=fsync,fdatasync:delay_enter=${delayMs * 1000}`;
  const args = ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-e", inject, "-p", String(pid)];
  strace = new Child(withStrace.path("strace"), args);
  await until("strace is attached", () => isTraced(pid));
}

async function isTraced(pid: number): Promise<boolean> {
  const status = await new Promise<string>((resolve) => {
    const grep = spawn("grep", ["-h", "TracerPid", "-r", `/proc/${pid}/task`, "--include=status"]);
    let text = "";
    grep.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
    grep.on("close", () => resolve(text));
  });
  return status !== "" && !/TracerPid:\t0\n/.test(status);
}

/** Asks the gateway how it is until it is so much older: its main loop has served all the time. */
async function serves(gateway: GatewayProcess, forMs: number): Promise<void> {
  const uptimeMs = async (): Promise<number> => (await gateway.call("GET", "/api/v1/status")).body.uptimeMs;
  const endMs = (await uptimeMs()) + forMs;
  await until("the gateway grows older", async () => (await uptimeMs()) >= endMs);
}

withSystemd.describe("a gateway that systemd started", () => {
  withSystemd.it(
    "says ready when its ports are bound, alive again and again, reloading, and stopping",
    async () => {
      const { gateway, socket } = await start();
      await socket.hears("READY=1");
      expect(socket.words[0]).toMatch(/^STATUS=starting/);
      expect((await fetch(`${gateway.adminUrl}/healthz`)).status).toBe(200);
      await socket.hears("WATCHDOG=1", 3);
      await socket.hears("STATUS=0 of 0 devices online");
      gateway.signal("SIGHUP");
      await socket.hears("RELOADING=1");
      await socket.hears("READY=1", 2);
      expect(await gateway.stop()).toEqual({ code: 0, signal: null });
      expect(socket.count("STOPPING=1")).toBe(1);
      expect(socket.words.lastIndexOf("READY=1")).toBeLessThan(socket.words.indexOf("STOPPING=1"));
    },
    60_000,
  );

  withSystemd.it(
    "finds a socket in the abstract name space, too; and its group may read the admin token",
    async () => {
      const { gateway, socket } = await start(`@tidegate-test-${process.pid}`);
      await socket.hears("READY=1");
      // The gateway's group may use the command line, nobody else.
      expect(statSync(join(gateway.dataDir, "admin.token")).mode & 0o777).toBe(0o640);
    },
    60_000,
  );
});

withStrace.describe("the watchdog", () => {
  withStrace.it(
    "is answered as long as the storage worker gets on, however slow the disk is",
    async () => {
      const { gateway, socket } = await start();
      await socket.hears("WATCHDOG=1");
      await delayCommits(gateway.pid, 1_000);
      let isOver = false;
      const writing = (async () => {
        for (let i = 0; !isOver; i++) await gateway.addDevice(`slow-${i}`);
      })();
      await socket.hears("WATCHDOG=1", socket.count("WATCHDOG=1") + 6);
      isOver = true;
      await writing;
    },
    90_000,
  );

  withStrace.it(
    "is not answered any more when the storage worker hangs, although the main loop still serves",
    async () => {
      const { gateway, socket } = await start();
      await socket.hears("WATCHDOG=1");
      await delayCommits(gateway.pid, 1_000_000);
      void gateway.addDevice("never").catch(() => {});
      // What was on its way may still come; then a whole period passes, by the gateway's own clock.
      await serves(gateway, WATCHDOG_MS);
      const before = socket.count("WATCHDOG=1");
      await serves(gateway, WATCHDOG_MS);
      expect(socket.count("WATCHDOG=1")).toBe(before);
    },
    90_000,
  );
});
