/** The reading side on real files: slices, bounds, damage, lists. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GatewayError } from "../core/errors.js";
import { RecordKind, type StoredRecord } from "../model/record.js";
import { batchOf, helloOf, run } from "../spool/testing/batches.js";
import { Reader, type RecordRenderer } from "./reader.js";
import {
  clock,
  makeCommand,
  moveCommand,
  openTestStore,
  type TestFolder,
  type TestStore,
  testFolder,
} from "./testing/store.js";
import { damageRecord } from "./testing/stored-records.js";

/** Prints a record's numbers, so that tests see what was handed on. */
const renderer: RecordRenderer = {
  render: (record: StoredRecord) =>
    record.kind === RecordKind.unknown
      ? null
      : { topic: `${record.device}/data`, payload: `${record.epoch}/${record.seq} ü` },
  live: (record: StoredRecord) => ({ id: record.id, device: record.device, kind: "data", receivedUnixMs: 0 }),
  liveJson: (event) => JSON.stringify(event),
};

let folder: TestFolder;
let store: TestStore;
let reader: Reader;
let epoch: number;
beforeEach(() => {
  folder = testFolder();
  store = openTestStore(folder.path);
  const [session] = store.engine.hellos([helloOf()]);
  if (session === undefined || session instanceof GatewayError) throw new Error("refused");
  epoch = session.epoch;
  reader = new Reader(join(folder.path, "spool.db"), renderer, clock);
});
afterEach(() => {
  reader.close();
  store.engine.abandon();
  folder.remove();
});

describe("a rendered slice", () => {
  it("carries records in order, flat, and says where to go on", () => {
    store.engine.commit(batchOf([...run(epoch, 1, 3), { epoch, seq: 4, kind: 254 }]));
    const { slice } = reader.rendered(0, 100);
    expect(slice).toMatchObject({ count: 3, scannedToId: 4, devices: ["attic-7"], topics: ["attic-7/data"] });
    expect([...slice.ids]).toEqual([1, 2, 3]);
    expect([...slice.seqs]).toEqual([1, 2, 3]);
    const payload = (i: number) =>
      new TextDecoder().decode(slice.bytes.subarray(slice.offsets[i], slice.offsets[i + 1]));
    expect(payload(2)).toBe(`${epoch}/3 ü`);
    expect(reader.rendered(4, 100).slice).toMatchObject({ count: 0, scannedToId: 4, more: false });
  });

  it("is bounded by rows and goes on where it stopped", () => {
    store.engine.commit(batchOf(run(epoch, 1, 3_000)));
    const first = reader.rendered(0, 100_000).slice;
    expect(first).toMatchObject({ count: 2_000, scannedToId: 2_000, more: true });
    const second = reader.rendered(first.scannedToId, 600).slice;
    expect(second).toMatchObject({ count: 600, scannedToId: 2_600, more: true });
    expect(reader.rendered(2_600, 600).slice).toMatchObject({ count: 400, scannedToId: 3_000, more: false });
  });

  it("ends early when its time is up, and says that there is more", () => {
    store.engine.commit(batchOf(run(epoch, 1, 1_000)));
    const render = () => {
      clock.advance(1);
      return { topic: "t", payload: "p" };
    };
    const slow = { ...renderer, render };
    const other = new Reader(join(folder.path, "spool.db"), slow, clock);
    expect(other.rendered(0, 2_000).slice).toMatchObject({ count: 250, more: true });
    other.close();
  });

  it("ends early when it is large", () => {
    store.engine.commit(batchOf(run(epoch, 1, 200)));
    const large = { ...renderer, render: () => ({ topic: "t", payload: "x".repeat(100_000) }) };
    const other = new Reader(join(folder.path, "spool.db"), large, clock);
    expect(other.rendered(0, 200).slice).toMatchObject({ count: 42, scannedToId: 42, more: true });
    other.close();
  });

  it("leaves a damaged row out, reports it, and the list and the sinks hear of it once", () => {
    store.engine.commit(batchOf(run(epoch, 1, 3)));
    const db = new Database(join(folder.path, "spool.db"));
    damageRecord(db, 2);
    db.close();
    const { slice, damagedIds } = reader.rendered(0, 100);
    expect([...slice.ids]).toEqual([1, 3]);
    expect(damagedIds).toEqual([2]);
    store.engine.damaged(damagedIds);
    store.engine.damaged(damagedIds);
    expect(reader.gaps({ limit: 10 })).toMatchObject([
      { epoch, fromSeq: 2, toSeq: 2, reason: "quarantined", sink: null },
    ]);
    expect(reader.quarantined(null, 10)).toMatchObject([{ recordId: 2, sink: "", seq: 2 }]);
  });

  it("keeps a record whose identity was destroyed in quarantine under its id", () => {
    store.engine.commit(batchOf(run(epoch, 1, 3)));
    const db = new Database(join(folder.path, "spool.db"));
    db.prepare("UPDATE records SET body = zeroblob(12)").run();
    db.close();
    const { slice, damagedIds } = reader.rendered(0, 100);
    expect(slice.count).toBe(0);
    expect(damagedIds).toEqual([1, 2, 3]);
    store.engine.damaged(damagedIds);
    expect(reader.quarantined(null, 10)).toMatchObject(
      [3, 2, 1].map((recordId) => ({ recordId, device: "(unknown)" })),
    );
    expect(reader.gaps({ limit: 10 })).toEqual([]);
  });

  it("notices that a row claims another id", () => {
    store.engine.commit(batchOf(run(epoch, 1, 1)));
    const db = new Database(join(folder.path, "spool.db"));
    const damagedNow = (): readonly number[] => {
      const fresh = new Reader(join(folder.path, "spool.db"), renderer, clock);
      const { damagedIds } = fresh.rendered(0, 10);
      fresh.close();
      return damagedIds;
    };
    db.prepare("UPDATE records SET last_id = last_id + 1").run();
    expect(damagedNow()).not.toEqual([]);
    db.prepare("UPDATE records SET last_id = last_id - 1").run();
    expect(damagedNow()).toEqual([]);
    db.close();
  });

  it("goes by the records' own checksums when only the row's is wrong", () => {
    store.engine.commit(batchOf(run(epoch, 1, 3)));
    const db = new Database(join(folder.path, "spool.db"));
    db.prepare("UPDATE records SET crc = crc + 1").run();
    db.close();
    expect([...reader.rendered(0, 10).slice.ids]).toEqual([1, 2, 3]);
  });
});

describe("a live slice", () => {
  it("says when records behind the asked one are gone", () => {
    store.engine.commit(batchOf(run(epoch, 1, 5)));
    expect(reader.live(0, 10).slice).toMatchObject({ missed: false, scannedToId: 5 });
    store.engine.openSinks([]);
    while (store.engine.tick().more);
    // A block that was read stays at hand for those who read on in it, so another reader is asked.
    const other = new Reader(join(folder.path, "spool.db"), renderer, clock);
    expect(other.live(2, 10).slice).toMatchObject({ missed: true, scannedToId: 2, texts: [] });
    other.close();
    expect(reader.live(5, 10).slice.missed).toBe(false);
  });
});

describe("the lists", () => {
  it("give gaps by device, after an id, oldest first", () => {
    const [other] = store.engine.hellos([helloOf({ deviceId: "cellar" })]);
    if (other === undefined || other instanceof GatewayError) throw new Error("refused");
    store.engine.commit(
      batchOf([
        { epoch, seq: 3, gap: 2 },
        { epoch, seq: 6, gap: 2 },
      ]),
    );
    store.engine.commit(batchOf([{ deviceKey: other.deviceKey, epoch: other.epoch, seq: 2, gap: 1 }]));
    expect(reader.gaps({ limit: 10 }).map(({ device, fromSeq }) => [device, fromSeq])).toEqual([
      ["attic-7", 1],
      ["attic-7", 4],
      ["cellar", 1],
    ]);
    expect(reader.gaps({ device: "attic-7", afterId: 1, limit: 10 })).toMatchObject([{ id: 2, fromSeq: 4, toSeq: 5 }]);
  });

  it("give commands newest first, by device and state", () => {
    const request = { name: "fan", args: "{}", delivery: "atLeastOnce", ttlMs: 1, source: "api" } as const;
    const rest = { idempotencyKey: null, responseTopic: null, correlation: null };
    const a = makeCommand(store.engine, { ...request, ...rest, device: "a" }).command;
    const b = makeCommand(store.engine, { ...request, ...rest, device: "b" }).command;
    moveCommand(store.engine, a.commandId, { type: "cancel" });
    expect(reader.commands({ limit: 10 }).map(({ device }) => device)).toEqual(["b", "a"]);
    expect(reader.commands({ device: "a", state: "cancelled", limit: 10 })).toHaveLength(1);
    expect(reader.commands({ device: "b", state: "cancelled", limit: 10 })).toEqual([]);
    expect(reader.command(b.commandId)).toEqual(b);
    expect(reader.command("cmd_none")).toBeNull();
  });

  it("give a device's facts with its mark", () => {
    store.engine.commit(batchOf(run(epoch, 1, 5)));
    const known = { device: "attic-7", firmware: "1.0", epoch, ackedSeq: 5, catalog: null };
    expect(reader.devices(null)).toMatchObject([known]);
    expect(reader.devices(["cellar", "attic-7"])).toMatchObject([known]);
    expect(reader.devices(["cellar"])).toEqual([]);
  });
});
