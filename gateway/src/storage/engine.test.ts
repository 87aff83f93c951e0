/** The engine on real files: what a transaction holds, what survives, what is told. */
import { CommandState, encodeUplink } from "@tidegate/proto";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GatewayError } from "../core/errors.js";
import { EntryKind } from "../model/batch.js";
import type { NewCommand } from "../model/command.js";
import { RecordKind } from "../model/record.js";
import type { CommitSuccess, GatherBatch, HelloOutcome } from "../model/spool.js";
import { batchOf, helloOf, run } from "../spool/testing/batches.js";
import type { Engine } from "./engine.js";
import { clock, makeCommand, moveCommand, openTestStore, type TestFolder, testFolder } from "./testing/store.js";
import { type StoredFacts, storedRecords } from "./testing/stored-records.js";

let folder: TestFolder;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => folder.remove());

function hello(engine: Engine, fields: Parameters<typeof helloOf>[0] = {}): HelloOutcome {
  const [outcome] = engine.hellos([helloOf(fields)]);
  if (outcome === undefined || outcome instanceof GatewayError) throw outcome ?? new Error("no answer");
  return outcome;
}

function commit(engine: Engine, batch: GatherBatch): CommitSuccess {
  const outcome = engine.commit(batch);
  if (!outcome.ok) throw new Error(`refused: ${outcome.reason}`);
  return outcome;
}

function stored(folderPath: string): StoredFacts[] {
  const db = new Database(`${folderPath}/spool.db`, { readonly: true });
  try {
    return storedRecords(db);
  } finally {
    db.close();
  }
}

function rows(folderPath: string, sql: string): unknown[] {
  const db = new Database(`${folderPath}/spool.db`, { readonly: true });
  try {
    return db.prepare(sql).all();
  } finally {
    db.close();
  }
}

describe("the storage engine", () => {
  it("stores a batch and answers the durable mark of each stream", () => {
    const { engine } = openTestStore(folder.path);
    const a = hello(engine, { deviceId: "a" });
    const b = hello(engine, { deviceId: "b" });
    const batch = batchOf([...run(a.epoch, 1, 3, a.deviceKey), ...run(b.epoch, 1, 2, b.deviceKey)]);
    const outcome = commit(engine, batch);
    expect(outcome.storedCount).toBe(5);
    expect([...outcome.marks]).toEqual([a.deviceKey, a.epoch, 3, b.deviceKey, b.epoch, 2]);
    expect(outcome.lastRecordId).toBe(5);
    engine.close();
  });

  it("resumes at the durable mark after a kill, in the same epoch", () => {
    const first = openTestStore(folder.path);
    const { epoch } = hello(first.engine);
    commit(first.engine, batchOf(run(epoch, 1, 4)));
    first.engine.abandon();
    const second = openTestStore(folder.path);
    expect(second.stores.spool.wasUnclean).toBe(true);
    const again = hello(second.engine, { epoch, nextSeq: 8, oldest: 3, ackedSeq: 2 });
    expect(again).toMatchObject({ epoch, ackedSeq: 4, renumbered: false });
    second.engine.close();
    const third = openTestStore(folder.path);
    expect(third.stores.spool.wasUnclean).toBe(false);
    third.engine.close();
  });

  it("goes on with rising record ids after everything was deleted and the file was opened again", () => {
    const first = openTestStore(folder.path);
    const { epoch } = hello(first.engine);
    first.engine.openSinks([]);
    commit(first.engine, batchOf(run(epoch, 1, 10)));
    while (first.engine.tick().more);
    expect(first.engine.status()).toMatchObject({ recordCount: 0, oldestRecordId: 11, lastRecordId: 10 });
    first.engine.close();
    const second = openTestStore(folder.path);
    second.engine.openSinks([]);
    expect(commit(second.engine, batchOf(run(epoch, 11, 11))).lastRecordId).toBe(11);
    second.engine.close();
  });

  it("leaves nothing of a batch behind when any of its writes fails, and takes it whole afterwards", () => {
    let countdown = Number.POSITIVE_INFINITY;
    const fault = () => {
      countdown -= 1;
      if (countdown === 0) throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    };
    const { engine } = openTestStore(folder.path, { fault });
    const { epoch } = hello(engine);
    commit(engine, batchOf(run(epoch, 1, 2)));
    // 3 was evicted: the batch writes a gap entry, a gap record, two records and a mark.
    const batch = (refusalsKnown: number) =>
      batchOf(
        [
          { epoch, seq: 4, gap: 1 },
          { epoch, seq: 5 },
        ],
        refusalsKnown,
      );
    for (let k = 1; k <= 5; k++) {
      countdown = k;
      expect(engine.commit(batch(k - 1))).toMatchObject({ ok: false, reason: "full" });
      expect(engine.tick().hasSpace).toBe(true);
      expect(stored(folder.path)).toHaveLength(2);
      expect(rows(folder.path, "SELECT count(*) AS n FROM gaps")).toEqual([{ n: 0 }]);
      expect(rows(folder.path, "SELECT mark FROM streams")).toEqual([{ mark: 2 }]);
    }
    countdown = Number.POSITIVE_INFINITY;
    expect(commit(engine, batch(5))).toMatchObject({ storedCount: 2, gapCount: 1 });
    expect(rows(folder.path, "SELECT from_seq, to_seq, reason FROM gaps")).toEqual([
      { from_seq: 3, to_seq: 3, reason: "evicted" },
    ]);
    engine.close();
  });

  it("refuses what was packed before a refusal was known, until a batch comes that knows of it", () => {
    let isBusy = false;
    const fault = () => {
      if (isBusy) throw new Database.SqliteError("database is locked", "SQLITE_BUSY");
    };
    const { engine } = openTestStore(folder.path, { fault });
    const { epoch } = hello(engine);
    const other = hello(engine, { deviceId: "other" });
    isBusy = true;
    expect(engine.commit(batchOf(run(epoch, 1, 3)))).toMatchObject({ ok: false, reason: "busy" });
    isBusy = false;
    const behind = batchOf(run(other.epoch, 1, 1, other.deviceKey));
    expect(engine.commit(behind)).toMatchObject({ ok: false, reason: "behind", buffer: behind.buffer });
    expect(engine.commit(behind)).toMatchObject({ ok: false, reason: "behind" });
    expect(stored(folder.path)).toHaveLength(0);
    expect(commit(engine, batchOf(run(epoch, 1, 3), 1)).storedCount).toBe(3);
    engine.close();
  });

  it("drops a batch that continues behind a failed one, because its numbers do not exist", () => {
    let isFailing = false;
    const fault = () => {
      if (isFailing) throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    };
    const { engine } = openTestStore(folder.path, { fault });
    const { epoch } = hello(engine);
    isFailing = true;
    expect(engine.commit(batchOf(run(epoch, 1, 3))).ok).toBe(false);
    isFailing = false;
    engine.tick();
    const behind = commit(engine, batchOf(run(epoch, 4, 6), 1));
    expect(behind.storedCount).toBe(0);
    expect([...behind.marks]).toEqual([1, epoch, 0]);
    engine.close();
  });

  it("refuses records over the quota but still takes command updates, and says when there is space again", () => {
    const { engine } = openTestStore(folder.path, { quotaBytes: 512 * 1024 });
    const { epoch } = hello(engine);
    engine.openSinks([{ name: "broker", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
    const body = new Uint8Array(4_096);
    let seq = 0;
    let outcome = engine.commit(batchOf([{ epoch, seq: ++seq, body }]));
    while (outcome.ok) outcome = engine.commit(batchOf([{ epoch, seq: ++seq, body }]));
    expect(outcome).toMatchObject({ ok: false, reason: "full" });
    expect(engine.status().full).toBe(true);
    expect(engine.status().usedBytes).toBeLessThanOrEqual(512 * 1024);
    const update = bodyOfUpdate(1);
    expect(engine.commit(batchOf([{ epoch, seq, kind: EntryKind.commandUpdate, body: update }], 1)).ok).toBe(true);
    expect(engine.tick().hasSpace).toBe(false);
    engine.note({ cursors: [["broker", engine.status().lastRecordId]], boots: [], audit: [] });
    expect(engine.tick().hasSpace).toBe(true);
    expect(engine.commit(batchOf([{ epoch, seq: seq + 1, body }], 1)).ok).toBe(true);
    engine.close();
  });

  it("drops the oldest records instead when told so, each one listed in a gap", () => {
    const { engine } = openTestStore(folder.path, { quotaBytes: 512 * 1024, whenFull: "drop-oldest" });
    const { epoch } = hello(engine);
    engine.openSinks([{ name: "broker", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
    const body = new Uint8Array(4_096);
    for (let seq = 1; seq <= 300; seq++) commit(engine, batchOf([{ epoch, seq, body }]));
    const gaps = rows(folder.path, "SELECT from_seq AS a, to_seq AS b FROM gaps WHERE reason = 'dropped' ORDER BY id");
    const records = stored(folder.path);
    const kept = records.filter(({ kind }) => kind === RecordKind.telemetry).map(({ seq }) => ({ a: seq, b: seq }));
    expect(numbersOf([...gaps, ...kept])).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(engine.status().usedBytes).toBeLessThanOrEqual(600 * 1024);
    // In-band the dropped ranges are joined: a spool that stays full does not fill up with gap records.
    expect(records.filter(({ kind }) => kind === RecordKind.gap).length).toBeLessThan(10);
    engine.close();
  });

  it("takes nothing more when somebody else has filled the disk, drops nothing for it, and goes on when it is over", () => {
    let freeBytes = 1024 * 1024 * 1024;
    const { engine } = openTestStore(folder.path, { whenFull: "drop-oldest", diskFree: () => freeBytes });
    const { epoch } = hello(engine);
    engine.openSinks([{ name: "broker", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
    commit(engine, batchOf(run(epoch, 1, 100)));
    freeBytes = 1024 * 1024;
    expect(engine.commit(batchOf(run(epoch, 101, 110)))).toMatchObject({ ok: false, reason: "full" });
    expect(engine.tick().hasSpace).toBe(false);
    expect(hello(engine, { deviceId: "other" }).deviceKey).toBe(2);
    expect(engine.status()).toMatchObject({ recordCount: 100, full: true });
    freeBytes = 1024 * 1024 * 1024;
    expect(engine.tick().hasSpace).toBe(true);
    expect(commit(engine, batchOf(run(epoch, 101, 110), 1)).storedCount).toBe(10);
    engine.close();
  });

  it("deletes what every configured sink and the history have taken, and nothing before the sinks are known", () => {
    const { engine } = openTestStore(folder.path, { keepsHistory: true });
    const { epoch } = hello(engine);
    // A block is deleted when all of it was taken: here each record has one of its own.
    for (let seq = 1; seq <= 10; seq++) commit(engine, batchOf(run(epoch, seq, seq)));
    expect(engine.status().recordCount).toBe(10);
    const sinks = ["a", "b"].map(
      (name) => ({ name, start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }) as const,
    );
    expect([...engine.openSinks(sinks)]).toEqual([
      ["a", 0],
      ["b", 0],
      ["$history", 0],
    ]);
    engine.note({
      cursors: [
        ["a", 10],
        ["b", 4],
      ],
      boots: [],
      audit: [],
    });
    engine.tick();
    expect(engine.status().recordCount).toBe(10);
    engine.note({ cursors: [["$history", 7]], boots: [], audit: [] });
    engine.tick();
    expect(engine.status()).toMatchObject({ recordCount: 6, oldestRecordId: 5 });
    expect(engine.status().sinks.find(({ sink }) => sink === "b")?.backlogCount).toBe(6);
    engine.close();
    const again = openTestStore(folder.path, { keepsHistory: true });
    expect(again.engine.openSinks(sinks.slice(0, 1)).get("a")).toBe(10);
    again.engine.tick();
    expect(again.engine.status()).toMatchObject({ recordCount: 3, oldestRecordId: 8 });
    expect(again.engine.status().sinks.find(({ sink }) => sink === "b")?.orphaned).toBe(true);
    again.engine.close();
  });

  it("leaves a cursor where it is when an older place is told late: what was taken is not owed again", () => {
    const { engine } = openTestStore(folder.path, { keepsHistory: true });
    const { epoch } = hello(engine);
    for (let seq = 1; seq <= 4; seq++) commit(engine, batchOf(run(epoch, seq, seq)));
    const sink = { name: "a", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null } as const;
    engine.openSinks([sink]);
    engine.note({ cursors: [["a", 3]], boots: [], audit: [] });
    engine.tick();
    engine.note({ cursors: [["a", 1]], boots: [], audit: [] });
    engine.tick();
    expect(engine.status().sinks[0]).toMatchObject({ sink: "a", cursor: 3, backlogCount: 1 });
    engine.close();
    const again = openTestStore(folder.path, { keepsHistory: true });
    expect(again.engine.openSinks([sink]).get("a")).toBe(3);
    again.engine.close();
  });

  it("writes cursors and deletes together, no more often than told, and both when it is closed", () => {
    const { engine } = openTestStore(folder.path, { choreIntervalMs: 5_000 });
    const { epoch } = hello(engine);
    engine.openSinks([{ name: "a", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
    const saved = () => rows(folder.path, "SELECT cursor FROM cursors WHERE sink = 'a'");
    const take = (seq: number) => {
      commit(engine, batchOf(run(epoch, seq, seq)));
      engine.note({ cursors: [["a", engine.status().lastRecordId]], boots: [], audit: [] });
      engine.tick();
    };
    for (let seq = 1; seq <= 4; seq++) take(seq);
    expect(saved()).toEqual([{ cursor: 0 }]);
    expect(engine.status().recordCount).toBe(4);
    clock.advance(5_000);
    take(5);
    // What the disk says of a cursor is never below what was deleted.
    const { oldestRecordId } = engine.status();
    expect(oldestRecordId).toBe(5);
    expect(saved()).toEqual([{ cursor: 4 }]);
    engine.close();
    expect(saved()).toEqual([{ cursor: 5 }]);
  });

  it("lets a batch carry the chores where commits are dear, and does them itself when none comes", () => {
    let transactions = 0;
    const { engine, stores } = openTestStore(folder.path, { choreIntervalMs: 5_000 });
    const { epoch } = hello(engine);
    engine.openSinks([{ name: "a", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
    const begin = stores.spool.db.transaction.bind(stores.spool.db);
    vi.spyOn(stores.spool.db, "transaction").mockImplementation((work) => {
      transactions += 1;
      return begin(work);
    });
    const saved = () => rows(folder.path, "SELECT cursor FROM cursors WHERE sink = 'a'");
    const second = () => {
      clock.advance(1_000);
      engine.tick();
    };
    for (let seq = 1; seq <= 20; seq++) {
      commit(engine, batchOf(run(epoch, seq, seq)));
      engine.note({ cursors: [["a", engine.status().lastRecordId]], boots: [], audit: [] });
      second();
    }
    expect(transactions, "one for each batch").toBe(20);
    expect(saved()).toEqual([{ cursor: 15 }]);
    expect(engine.status().recordCount).toBe(5);
    for (let i = 0; i < 7; i++) second();
    expect(saved(), "nothing came that could have carried it").toEqual([{ cursor: 20 }]);
    expect(engine.status().recordCount).toBe(0);
    engine.close();
  });

  it("does not go round with gap records that a dead sink may not hold: they are told again, and again too many", () => {
    const { engine } = openTestStore(folder.path);
    engine.openSinks([{ name: "dead", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: 1 }]);
    for (let i = 1; i <= 5; i++) hello(engine, { deviceId: `pump-${i}`, epoch: 70 + i, nextSeq: 10, oldest: 5 });
    commit(engine, batchOf(run(71, 5, 9)));
    for (let i = 0; i < 20; i++) engine.tick();
    const { lastRecordId } = engine.status();
    expect(engine.tick().more).toBe(false);
    expect(engine.status().lastRecordId).toBe(lastRecordId);
    engine.close();
  });

  it("lets one dead sink hold no more than its share of running time, whatever the wall clock says", () => {
    const { engine } = openTestStore(folder.path);
    const { epoch } = hello(engine);
    engine.openSinks([{ name: "dead", start: "oldest", holdMaxAgeMs: 60_000, holdMaxBytes: null }]);
    // By their stamps the first are a century old and the others from the future: no stamp ages anything.
    commit(engine, batchOf([...run(epoch, 1, 5).map((e) => ({ ...e, receivedUnixMs: 0 }))]));
    while (engine.tick().more);
    expect(rows(folder.path, "SELECT * FROM gaps")).toEqual([]);
    clock.advance(59_000);
    commit(engine, batchOf([...run(epoch, 6, 8).map((e) => ({ ...e, receivedUnixMs: 4e12 }))]));
    while (engine.tick().more);
    expect(rows(folder.path, "SELECT * FROM gaps")).toEqual([]);
    clock.advance(2_000);
    while (engine.tick().more);
    expect(rows(folder.path, "SELECT from_seq, to_seq, reason, sink FROM gaps")).toEqual([
      { from_seq: 1, to_seq: 5, reason: "sinkHold", sink: "dead" },
    ]);
    expect(engine.status().sinks[0]).toMatchObject({ sink: "dead", cursor: 5 });
    engine.close();
  });

  it("starts a sink told to start now behind everything stored", () => {
    const { engine } = openTestStore(folder.path);
    const { epoch } = hello(engine);
    commit(engine, batchOf(run(epoch, 1, 5)));
    const cursors = engine.openSinks([
      { name: "late", start: "now", holdMaxAgeMs: null, holdMaxBytes: null },
      { name: "all", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null },
    ]);
    expect([...cursors]).toEqual([
      ["late", 5],
      ["all", 0],
    ]);
    engine.close();
  });

  it("answers each Hello of a group by itself", () => {
    const { engine } = openTestStore(folder.path);
    const [good, bad, other] = engine.hellos([
      helloOf({ deviceId: "a" }),
      helloOf({ deviceId: "b", epoch: 5, nextSeq: 2, oldest: 9 }),
      helloOf({ deviceId: "c" }),
    ]);
    expect(good).toMatchObject({ deviceKey: 1 });
    expect(bad).toMatchObject({ code: "E_BAD_REQUEST" });
    expect(other).toMatchObject({ deviceKey: 2 });
    engine.close();
  });
});

const COMMAND: NewCommand = {
  device: "attic-7",
  name: "fan",
  args: '{"on":true}',
  delivery: "atLeastOnce",
  ttlMs: 60_000,
  source: "api",
  idempotencyKey: "k1",
  responseTopic: null,
  correlation: null,
};

function bodyOfUpdate(id: number, state: CommandState = CommandState.SUCCEEDED): Uint8Array {
  const result = new TextEncoder().encode('{"rpm":900}');
  const update = { kind: "commandUpdate", commandUpdate: { id, state, result, error: "" } } as const;
  const bytes = encodeUplink({ seq: 0, gap: 0, body: update });
  return bytes.subarray(2); // without the tag and the one-byte length of the body
}

describe("commands in the store", () => {
  it("makes one command per idempotency key, and refuses the key for another request", () => {
    const { engine } = openTestStore(folder.path);
    const first = makeCommand(engine, COMMAND);
    expect(first.command.commandId).toMatch(/^cmd_[0-9A-Za-z]{22}$/);
    expect(makeCommand(engine, COMMAND)).toEqual({ command: first.command, repeated: true });
    expect(() => makeCommand(engine, { ...COMMAND, args: "{}" })).toThrow(/idempotency key/);
    expect(makeCommand(engine, { ...COMMAND, idempotencyKey: null }).repeated).toBe(false);
    engine.close();
  });

  it("takes 64 unfinished commands for a device and no more", () => {
    const { engine } = openTestStore(folder.path);
    for (let i = 0; i < 64; i++) makeCommand(engine, { ...COMMAND, idempotencyKey: null });
    expect(() => makeCommand(engine, { ...COMMAND, idempotencyKey: null })).toThrow(/too many commands/);
    makeCommand(engine, { ...COMMAND, device: "other", idempotencyKey: null });
    engine.close();
  });

  it("moves a command by the device's own update, with its outcome record, in the batch's transaction", () => {
    const { engine } = openTestStore(folder.path);
    const session = hello(engine);
    const { command } = makeCommand(engine, COMMAND);
    const dispatched = moveCommand(engine, command.commandId, { type: "dispatch", wireId: 9, epoch: session.epoch });
    expect(dispatched).toMatchObject({ state: "sent", wireId: 9 });
    expect(hello(engine, { epoch: session.epoch }).lastWireId).toBe(9);
    const body = bodyOfUpdate(9);
    const outcome = commit(engine, batchOf([{ epoch: session.epoch, seq: 1, kind: EntryKind.commandUpdate, body }]));
    expect(outcome.commands).toMatchObject([
      { commandId: command.commandId, state: "succeeded", result: '{"rpm":900}' },
    ]);
    expect([...outcome.marks]).toEqual([1, session.epoch, 1]);
    const [service, record] = stored(folder.path);
    expect(service?.kind).toBe(RecordKind.service);
    expect(record?.kind).toBe(RecordKind.commandOutcome);
    expect(JSON.parse(new TextDecoder().decode(record?.body))).toMatchObject({
      state: "succeeded",
      result: { rpm: 900 },
    });
    expect(engine.unfinishedCommands()).toEqual([]);
    engine.close();
  });

  it("never gives a wire id below what was assigned or what the device has heard of, also after a kill [P-15]", () => {
    const first = openTestStore(folder.path);
    const { epoch } = hello(first.engine);
    const { command } = makeCommand(first.engine, COMMAND);
    moveCommand(first.engine, command.commandId, { type: "dispatch", wireId: 9, epoch });
    first.engine.abandon();
    const second = openTestStore(folder.path);
    expect(hello(second.engine, { lastCommand: 4 }).lastWireId).toBe(9);
    expect(hello(second.engine, { lastCommand: 12 }).lastWireId).toBe(12);
    expect(hello(second.engine).lastWireId).toBe(12);
    second.engine.close();
  });

  it("lets a late result of an earlier transmission finish the command [P-18] [P-19]", () => {
    const { engine } = openTestStore(folder.path);
    const { epoch } = hello(engine);
    const { command } = makeCommand(engine, COMMAND);
    moveCommand(engine, command.commandId, { type: "dispatch", wireId: 1, epoch });
    moveCommand(engine, command.commandId, { type: "deviceForgot" });
    moveCommand(engine, command.commandId, { type: "dispatch", wireId: 2, epoch });
    moveCommand(engine, command.commandId, { type: "deadline" });
    const body = bodyOfUpdate(1);
    const { commands } = commit(engine, batchOf([{ epoch, seq: 1, kind: EntryKind.commandUpdate, body }]));
    expect(commands).toMatchObject([{ commandId: command.commandId, state: "succeeded" }]);
    const outcomes = stored(folder.path).filter(({ kind }) => kind === RecordKind.commandOutcome);
    const states = outcomes.map(({ body }) => JSON.parse(new TextDecoder().decode(body)).state);
    expect(states).toEqual(["unknown", "succeeded"]);
    engine.close();
  });

  it("keeps unfinished commands over a kill", () => {
    const first = openTestStore(folder.path);
    const { command } = makeCommand(first.engine, COMMAND);
    first.engine.abandon();
    const second = openTestStore(folder.path);
    expect(second.engine.unfinishedCommands()).toEqual([command]);
    second.engine.close();
  });
});

function numbersOf(ranges: readonly unknown[]): number[] {
  const numbers = (ranges as { a: number; b: number }[]).flatMap(({ a, b }) =>
    Array.from({ length: b - a + 1 }, (_, i) => a + i),
  );
  return numbers.sort((x, y) => x - y);
}
