/**
 * A backup taken while devices send, and what a restored store may not do: acknowledge what it does not hold, store
 * something twice, give an epoch out again. Real processes, the real command line, devices that keep their memory.
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../src/rehearse/child.js";
import { type Credential, GatewayProcess, gatewayBin } from "../src/rehearse/gateway-process.js";
import { RawDevice } from "./raw-device.js";

/** Before the backup, and after it. */
const EARLY = 50;
const LATE = 80;

let dir = "";
let gateway: GatewayProcess | undefined;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tidegate-backup-"));
});

afterEach(async () => {
  await gateway?.kill();
  rmSync(dir, { recursive: true, force: true });
});

function cli(of: GatewayProcess, ...args: string[]) {
  const line = [gatewayBin(), ...args, "--config", of.configFile];
  const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: "utf8", cwd: of.dir });
  return { status, stdout, stderr };
}

/** Sends `from … to`, each number its own value, and waits until the gateway has acknowledged the last. */
async function sendAll(device: RawDevice, from: number, to: number): Promise<void> {
  for (let seq = from; seq <= to; seq++) device.telemetry(seq, seq);
  await until(`ack ${to}`, () => device.heard.some((m) => m.kind === "ack" && m.ack.seq >= to));
}

interface GapEntry {
  readonly device: string;
  readonly epoch: number;
  readonly fromSeq: number;
  readonly toSeq: number | null;
  readonly reason: string;
}

async function gapsOf(of: GatewayProcess, device: string): Promise<GapEntry[]> {
  const { body } = await of.call("GET", `/api/v1/gaps?device=${device}`);
  return body.gaps.map(({ epoch, fromSeq, toSeq, reason }: GapEntry) => ({ epoch, fromSeq, toSeq, reason }));
}

describe("a backup that is put back", () => {
  it("never acknowledges, doubles or renumbers: what came after it is a gap, and epochs are new", async () => {
    gateway = await GatewayProcess.start({ dir });
    const credentials: Record<string, Credential> = {};
    for (const id of ["keeps", "reboots", "away"]) credentials[id] = await gateway.addDevice(id);
    const connect = (id: string): RawDevice => new RawDevice(credentials[id] as Credential); // added above
    const epochs = new Map<string, number>();
    const devices = new Map<string, RawDevice>();
    for (const id of ["keeps", "reboots", "away"]) {
      const device = connect(id);
      epochs.set(id, (await device.greet()).epoch);
      await sendAll(device, 1, EARLY);
      devices.set(id, device);
    }
    const file = join(dir, "backup.tar");
    expect(cli(gateway, "backup", "create", file)).toMatchObject({ status: 0 });
    expect(statSync(file).mode & 0o777).toBe(0o600);

    for (const device of devices.values()) await sendAll(device, EARLY + 1, LATE);
    const lateEpoch = (await connect("reboots").greet()).epoch;
    expect(cli(gateway, "backup", "restore", file)).toMatchObject({ status: 1 }); // it runs
    await gateway.kill();
    for (const device of devices.values()) device.end();
    expect(cli(gateway, "backup", "restore", file)).toMatchObject({ status: 1 }); // the folder is not empty
    const restored = cli(gateway, "backup", "restore", file, "--force");
    expect(restored).toMatchObject({ status: 0 });

    await gateway.start();
    // All three are told of at once: nothing that was said to them can be proven from here.
    const whole = { epoch: 0, fromSeq: 1, toSeq: null, reason: "unproven" };
    for (const id of devices.keys()) expect(await gapsOf(gateway, id)).toContainEqual(whole);

    // The one that kept its memory comes back where it was: exactly what the store lacks is missing.
    const keeps = connect("keeps");
    const epoch = epochs.get("keeps") ?? 0;
    const welcome = await keeps.greet({ epoch, nextSeq: LATE + 1, oldest: LATE + 1, ackedSeq: LATE });
    expect(welcome).toMatchObject({ epoch, ackedSeq: LATE });
    await sendAll(keeps, LATE + 1, LATE + 5);
    expect(await gapsOf(gateway, "keeps")).toContainEqual({
      ...{ epoch, fromSeq: EARLY + 1, toSeq: LATE, reason: "unproven" },
    });

    // The one that sends again what it never heard an ack for is stored once: below the mark it is a repeat.
    const again = connect("away");
    await again.greet({ epoch: epochs.get("away") ?? 0, nextSeq: LATE + 1, oldest: EARLY - 4, ackedSeq: EARLY - 5 });
    await sendAll(again, EARLY - 4, LATE);
    const status = (await gateway.call("GET", "/api/v1/status")).body;
    expect(status.duplicates).toBe(5);
    expect(status.conflicts).toBe(0);

    // The one that rebooted gets an epoch that was never given out, neither before the backup nor after it.
    const fresh = (await connect("reboots").greet()).epoch;
    expect([epochs.get("reboots"), lateEpoch, 0]).not.toContain(fresh);
    const running = gateway;
    await until("the old epoch's open end is on the list", async () =>
      (await gapsOf(running, "reboots")).some((gap) => gap.epoch === epochs.get("reboots") && gap.toSeq === null),
    );
  }, 120_000);

  it("is refused when it is damaged, and the folder stays as it was; a restore that was cut off keeps the gateway from starting", async () => {
    gateway = await GatewayProcess.start({ dir });
    await gateway.stop();
    const file = join(dir, "stopped.tar");
    expect(cli(gateway, "backup", "create", file, "--json")).toMatchObject({ status: 0 });
    expect(cli(gateway, "backup", "create", file).stderr).toContain("E_BACKUP_PLACE");
    expect(readdirSync(gateway.dataDir)).not.toContain("backup.tmp");

    const before = readdirSync(gateway.dataDir);
    truncateSync(file, statSync(file).size - 2_000);
    expect(cli(gateway, "backup", "restore", file, "--force").stderr).toContain("E_BACKUP_INVALID");
    expect(readdirSync(gateway.dataDir)).toEqual(before);

    mkdirSync(join(gateway.dataDir, "restore.tmp"));
    writeFileSync(join(gateway.dataDir, "restore.tmp", "spool.db"), "");
    const run = cli(gateway, "run");
    expect(run.status).toBe(74);
    expect(run.stderr).toContain("a restore into");
    expect(existsSync(join(gateway.dataDir, "gateway.lock"))).toBe(false);
  }, 60_000);
});
