/** The store as the main thread sees it: order, refusals, space, fatal failures, kill and close; without threads. */
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GatewayError } from "../core/errors.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { batchOf, helloOf, run } from "../spool/testing/batches.js";
import { createInThreadStorage, type InThreadOptions, type InThreadStorage } from "./in-thread-storage.js";
import { type TestFolder, testFolder } from "./testing/store.js";
import { damageRecord } from "./testing/stored-records.js";

let folder: TestFolder;
let clock: ManualClock;
let fatal: GatewayError[];
let opened: InThreadStorage[];
beforeEach(() => {
  folder = testFolder();
  clock = new ManualClock();
  fatal = [];
  opened = [];
});
afterEach(() => {
  for (const storage of opened) storage.kill();
  folder.remove();
});

async function open(options: Partial<InThreadOptions> = {}): Promise<InThreadStorage> {
  const storage = await createInThreadStorage({
    dataDir: folder.path,
    gatewayId: "gw",
    quotaBytes: 64 * 1024 * 1024,
    whenFull: "block",
    windowDigests: 64,
    keepsHistory: true,
    bootId: "boot-1",
    synchronous: "off",
    clock,
    random: new SeededRandom(5),
    onFatal: (error) => fatal.push(error),
    ...options,
  });
  opened.push(storage);
  return storage;
}

/** Let everything that is on its way arrive. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

describe("the storage client", () => {
  it("answers a Hello behind everything that was asked before it [P-4]", async () => {
    const { spool } = await open();
    const { epoch } = await spool.hello(helloOf());
    const committed = spool.commit(batchOf(run(epoch, 1, 5)));
    const resumed = spool.hello(helloOf({ epoch, nextSeq: 9, oldest: 1, ackedSeq: 0 }));
    expect((await resumed).ackedSeq).toBe(5);
    expect((await committed).ok).toBe(true);
  });

  it("puts Hellos that wait together into one transaction, and answers each", async () => {
    const { spool } = await open();
    const outcomes = await Promise.allSettled([
      spool.hello(helloOf({ deviceId: "a" })),
      spool.hello(helloOf({ deviceId: "b", epoch: 3, nextSeq: 0 })),
      spool.hello(helloOf({ deviceId: "c" })),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[1]).toMatchObject({ reason: { code: "E_BAD_REQUEST" } });
  });

  it("hands rendered records to sinks and remembers how far they have come", async () => {
    const first = await open();
    const { epoch, deviceKey } = await first.spool.hello(helloOf());
    const sinks = [{ name: "broker", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }] as const;
    expect((await first.spool.openSinks(sinks)).get("broker")).toBe(0);
    await first.spool.commit(batchOf([{ epoch, seq: 3, gap: 2, body: new Uint8Array(0) }]));
    const slice = await first.reader.rendered(0, 10);
    expect([...slice.kinds]).toEqual([3, 1]);
    expect(slice.topics).toEqual(["attic-7/gap", "attic-7/data"]);
    for (let id = 1; id <= 2; id++) first.spool.saveCursor("broker", id);
    first.spool.saveBootOffset(deviceKey, 77, 123.5);
    await first.close();
    const second = await open();
    expect((await second.spool.openSinks(sinks)).get("broker")).toBe(2);
    const again = await second.spool.hello(helloOf({ epoch, nextSeq: 4, oldest: 4, ackedSeq: 3 }));
    expect(again.bootOffsets).toEqual([{ bootNonce: 77, offsetUnixMs: 123.5 }]);
    await second.close();
    expect(clock.pending).toBe(0);
  });

  it("refuses while there is no space, says when there is, and lets the same batch in", async () => {
    let isFull = false;
    const fault = () => {
      if (isFull) throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    };
    const { spool, commands } = await open({ fault });
    let spaceCount = 0;
    spool.onSpace(() => {
      spaceCount += 1;
    });
    const { epoch } = await spool.hello(helloOf());
    isFull = true;
    const refused = await spool.commit(batchOf(run(epoch, 1, 3)));
    expect(refused).toMatchObject({ ok: false, reason: "full" });
    const request = { device: "a", name: "fan", args: "{}", delivery: "atLeastOnce", ttlMs: 1, source: "api" } as const;
    const rest = { idempotencyKey: null, responseTopic: null, correlation: null };
    await expect(commands.create({ ...request, ...rest }, null)).rejects.toMatchObject({ code: "E_STORE_FULL" });
    isFull = false;
    clock.advance(5_000);
    await settle();
    expect(spaceCount).toBe(1);
    expect(await spool.commit(batchOf(run(epoch, 1, 3), 1))).toMatchObject({ ok: true, storedCount: 3 });
    expect(fatal).toEqual([]);
  });

  it("ends on a failed fsync: nothing is answered as stored, all that waits rejects, it is told once [P-3]", async () => {
    let isBroken = false;
    const fault = () => {
      if (isBroken) throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
    };
    const storage = await open({ fault });
    const { spool } = storage;
    const { epoch } = await spool.hello(helloOf());
    isBroken = true;
    const waiting = [spool.commit(batchOf(run(epoch, 1, 3))), spool.status(), spool.hello(helloOf())];
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(fatal.map(({ code, exitCode }) => [code, exitCode])).toEqual([["E_STORE_IO", 74]]);
    await expect(spool.status()).rejects.toMatchObject({ code: "E_STORE_IO" });
    await storage.close();
    expect(clock.pending).toBe(0);
  });

  it("answers busy without ending", async () => {
    let isBusy = false;
    const fault = () => {
      if (isBusy) throw new Database.SqliteError("database is locked", "SQLITE_BUSY");
    };
    const { spool } = await open({ fault });
    const { epoch } = await spool.hello(helloOf());
    isBusy = true;
    expect(await spool.commit(batchOf(run(epoch, 1, 1)))).toMatchObject({ ok: false, reason: "busy" });
    isBusy = false;
    expect((await spool.commit(batchOf(run(epoch, 1, 1), 1))).ok).toBe(true);
  });

  it("loses nothing it answered for when it is killed, and answers nothing afterwards", async () => {
    const first = await open();
    const { epoch } = await first.spool.hello(helloOf());
    expect((await first.spool.commit(batchOf(run(epoch, 1, 7)))).ok).toBe(true);
    void first.spool.commit(batchOf(run(epoch, 8, 9)));
    first.kill();
    const second = await open();
    const { ackedSeq } = await second.spool.hello(helloOf({ epoch, nextSeq: 10, oldest: 8, ackedSeq: 7 }));
    expect(ackedSeq).toBe(7);
  });

  it("says at opening why it cannot be opened, and does not call that fatal", async () => {
    const file = `${folder.path}/file`;
    new Database(file).exec("CREATE TABLE t (a)").close();
    await expect(open({ dataDir: file })).rejects.toMatchObject({ code: "E_DATA_DIR" });
    expect(fatal).toEqual([]);
  });

  it("lists a damaged record before a sink hears of the slice without it", async () => {
    const { spool, reader } = await open();
    const { epoch } = await spool.hello(helloOf());
    await spool.commit(batchOf(run(epoch, 1, 2).map((entry) => ({ ...entry, body: new Uint8Array(0) }))));
    const db = new Database(`${folder.path}/spool.db`);
    damageRecord(db, 1);
    db.close();
    const slice = await reader.rendered(0, 10);
    expect([...slice.ids]).toEqual([2]);
    expect(await reader.gaps({ limit: 10 })).toMatchObject([{ reason: "quarantined" }]);
    expect((await reader.rendered(2, 10)).topics).toEqual(["attic-7/gap"]);
  });

  it("keeps identities behind the same queue", async () => {
    const { identity } = await open();
    await identity.add("attic-7", "The attic", "h1");
    await expect(identity.add("attic-7", "", "h2")).rejects.toMatchObject({ code: "E_DEVICE_EXISTS" });
    await identity.setPasswordHash("$scrypt$");
    expect(await identity.passwordHash()).toBe("$scrypt$");
    expect(await identity.revoke("attic-7")).toMatchObject({ tokenHash: null, revokedUnixMs: clock.unixMs() });
    await identity.forget("attic-7");
    expect(await identity.devices()).toEqual([]);
  });
});
