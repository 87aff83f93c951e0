/** What the store does for sinks beyond their cursors: where they start, what they refused, what they leave behind. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { QuarantinedRecord, SinkStart } from "../model/spool.js";
import { batchOf, helloOf, run } from "../spool/testing/batches.js";
import { QuarantineTable } from "./quarantine-table.js";
import { Reader } from "./reader.js";
import {
  clock,
  makeCommand,
  moveCommand,
  openTestStore,
  type TestFolder,
  type TestStore,
  testFolder,
} from "./testing/store.js";

let folder: TestFolder;
let store: TestStore;
let reader: Reader;
let epoch = 0;
beforeEach(() => {
  folder = testFolder();
  store = openTestStore(folder.path);
  reader = new Reader(
    join(folder.path, "spool.db"),
    { render: () => null, live: () => null, liveJson: () => "" },
    clock,
  );
  const [outcome] = store.engine.hellos([helloOf()]);
  epoch = outcome !== undefined && "epoch" in outcome ? outcome.epoch : 0;
});
afterEach(() => {
  reader.close();
  store.engine.close();
  folder.remove();
});

const sink = (name: string, start: SinkStart["start"] = "oldest"): SinkStart => ({
  ...{ name, start, holdMaxAgeMs: null, holdMaxBytes: null },
});
const payload = new TextEncoder().encode('{"id":"gw/attic-7/1/2"}');
const message = { topic: "attic-7/data", payload };
const statesOf = (list: readonly QuarantinedRecord[]) => list.map(({ recordId, state }) => [recordId, state]);

describe("a new sink", () => {
  it("begins with what came at the time it is told, or later", () => {
    for (let seq = 1; seq <= 20; seq++) {
      store.engine.commit(batchOf(run(epoch, seq, seq).map((e) => ({ ...e, receivedUnixMs: seq * 1_000 }))));
    }
    expect(store.engine.openSinks([sink("at-12", 12_000)]).get("at-12")).toBe(11);
  });
});

describe("a sink's place", () => {
  it("never moves back, whoever says so: behind it records may be gone", () => {
    store.engine.openSinks([sink("broker")]);
    store.engine.commit(batchOf(run(epoch, 1, 9)));
    for (const recordId of [7, 3]) store.engine.note({ cursors: [["broker", recordId]], boots: [], audit: [] });
    store.engine.commit(batchOf(run(epoch, 10, 10)));
    expect(store.engine.status().sinks).toMatchObject([{ sink: "broker", cursor: 7 }]);
  });
});

describe("a sink that may hold so many bytes", () => {
  const held = (holdMaxBytes: number): SinkStart => ({ ...sink("held"), holdMaxBytes });
  const skippedCount = () => reader.gaps({ limit: 10 }).reduce((n, gap) => n + (gap.toSeq ?? 0) - gap.fromSeq + 1, 0);

  it("holds them in a small spool, too: what an empty file takes is not the records'", () => {
    store.engine.openSinks([held(10_000)]);
    for (let seq = 1; seq <= 20; seq++) store.engine.commit(batchOf(run(epoch, seq, seq)));
    while (store.engine.tick().more);
    expect(skippedCount()).toBe(0);
  });

  it("goes on behind what is more than that, and no more than a block of it", () => {
    store.engine.openSinks([held(10_000)]);
    for (let seq = 1; seq <= 500; seq++) store.engine.commit(batchOf(run(epoch, seq, seq)));
    while (store.engine.tick().more);
    const bytes = 10_000 / (500 - skippedCount());
    expect(bytes).toBeGreaterThan(10); // one record of this test, with its head
    expect(bytes).toBeLessThan(200);
  });
});

describe("a quarantined record", () => {
  it("is no second loss when it tells of a gap: a sink that refuses gaps must not be told of ever more of them", () => {
    store.engine.openSinks([sink("broker")]);
    store.engine.commit(batchOf(run(epoch, 1, 3)));
    store.engine.quarantine("broker", 2, "refused", message);
    const told = reader.gaps({ limit: 10 });
    const lastId = store.engine.status().lastRecordId;
    store.engine.quarantine("broker", lastId, "refused as well", message);
    expect(store.engine.status().lastRecordId).toBe(lastId);
    expect(reader.gaps({ limit: 10 })).toEqual(told);
    expect(reader.quarantined("broker", 10)).toHaveLength(2);
  });

  it("keeps its message beyond its record, is tried again once when asked, and says what came of it", () => {
    store.engine.openSinks([sink("broker")]);
    store.engine.commit(batchOf(run(epoch, 1, 3)));
    store.engine.quarantine("broker", 2, "too large", message);
    store.engine.note({ cursors: [["broker", 99]], boots: [], audit: [] });
    while (store.engine.tick().more);
    expect(reader.quarantined("broker", 10)).toMatchObject([{ recordId: 2, state: "aside", canRequeue: true }]);
    expect(reader.requeued("broker", 10)).toEqual([]);
    store.engine.requeue("broker", 2);
    expect(() => store.engine.requeue("broker", 2)).toThrow("no record 2 aside");
    expect(reader.requeued("broker", 10)).toMatchObject([{ recordId: 2, topic: "attic-7/data" }]);
    expect(Buffer.from(reader.requeued("broker", 10)[0]?.payload ?? []).equals(payload)).toBe(true);
    store.engine.settleRequeued("broker", 2, "still too large");
    expect(reader.quarantined("broker", 10)).toMatchObject([{ state: "aside", reason: "still too large" }]);
    store.engine.requeue("broker", 2);
    store.engine.settleRequeued("broker", 2, null);
    expect(reader.quarantined("broker", 10)).toMatchObject([{ state: "delivered", canRequeue: false }]);
    expect(reader.requeued("broker", 10)).toEqual([]);
  });

  it("is still to be tried again after a crash in between", () => {
    store.engine.openSinks([sink("broker")]);
    store.engine.commit(batchOf(run(epoch, 1, 3)));
    store.engine.quarantine("broker", 2, "refused", message);
    store.engine.requeue("broker", 2);
    reader.close();
    store.engine.abandon();
    store = openTestStore(folder.path);
    reader = new Reader(
      join(folder.path, "spool.db"),
      { render: () => null, live: () => null, liveJson: () => "" },
      clock,
    );
    expect(reader.requeued("broker", 10)).toMatchObject([{ recordId: 2 }]);
  });

  it("cannot be tried again when there is no message, or nothing of that number", () => {
    store.engine.commit(batchOf(run(epoch, 1, 3)));
    store.engine.quarantine("broker", 2, "damaged", null);
    expect(reader.quarantined("broker", 10)).toMatchObject([{ canRequeue: false }]);
    expect(() => store.engine.requeue("broker", 2)).toThrow();
    expect(() => store.engine.requeue("broker", 77)).toThrow();
  });

  it("loses its message, not its line, when the kept ones go over their limit: the oldest first", () => {
    store.engine.commit(batchOf(run(epoch, 1, 200)));
    const db = new Database(join(folder.path, "spool.db"));
    const table = new QuarantineTable(db, 10_000);
    const body = new Uint8Array(100);
    for (let recordId = 1; recordId <= 150; recordId++) {
      const draft = { recordId, sink: "broker", deviceKey: 1, epoch, seq: recordId, reason: "no", atUnixMs: 1 };
      table.add({ ...draft, message: { topic: "t", payload: body } });
    }
    const kept = reader.quarantined("broker", 1_000).filter(({ canRequeue }) => canRequeue);
    expect(reader.quarantined("broker", 1_000)).toHaveLength(150);
    expect(kept.length * 100).toBeLessThanOrEqual(10_000);
    expect(kept.map(({ recordId }) => recordId)).toContain(150);
    expect(kept.map(({ recordId }) => recordId)).not.toContain(1);
    db.close();
  });
});

describe("a sink that left the configuration", () => {
  it("holds nothing, shows what it had not taken, and is forgotten when asked, with its quarantine", () => {
    store.engine.openSinks([sink("old"), sink("new")]);
    store.engine.commit(batchOf(run(epoch, 1, 5)));
    store.engine.quarantine("old", 2, "refused", message);
    expect(() => store.engine.forgetSink("old")).toThrow("in the configuration");
    store.engine.openSinks([sink("new")]);
    const orphan = store.engine.status().sinks.find(({ sink: name }) => name === "old");
    expect(orphan).toMatchObject({ orphaned: true, backlogCount: 6 });
    store.engine.forgetSink("old");
    expect(store.engine.status().sinks.map(({ sink: name }) => name)).toEqual(["new"]);
    expect(statesOf(reader.quarantined("old", 10))).toEqual([]);
    expect(() => store.engine.forgetSink("old")).toThrow("no place is kept");
  });
});

describe("finished commands", () => {
  it("are not forgotten because a wall clock jumped ten years", () => {
    const fields = { name: "fan", args: "{}", delivery: "atMostOnce", ttlMs: 1_000, source: "api" } as const;
    const rest = { idempotencyKey: null, responseTopic: null, correlation: null };
    const { command } = makeCommand(store.engine, { ...fields, ...rest, device: "attic-7" });
    moveCommand(store.engine, command.commandId, { type: "cancel" });
    clock.advance(10 * 365 * 86_400_000);
    while (store.engine.tick().more);
    expect(reader.command(command.commandId)?.state).toBe("cancelled");
  });
});
