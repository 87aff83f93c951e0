/**
 * The ledger over the tables in memory: what each rule of delivery writes, and an exploration that compares every
 * stretch of random history with the promise itself.
 */
import { encodeCatalog } from "@tidegate/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EntryKind, FLAG_ENDED } from "../model/batch.js";
import { RecordKind } from "../model/record.js";
import type { HelloRequest } from "../model/spool.js";
import { Ledger } from "./ledger.js";
import { batchOf, helloOf, run, type TestEntry } from "./testing/batches.js";
import { MemoryTables } from "./testing/memory-tables.js";

class World {
  readonly tables = new MemoryTables();
  #nextEpoch = 100;
  readonly ledger = new Ledger(
    this.tables,
    { update: () => null },
    { windowDigests: 16, draw: () => this.#nextEpoch++ },
  );

  hello(fields: Partial<HelloRequest> = {}) {
    return this.#transaction(() => this.ledger.hello(helloOf(fields)));
  }

  apply(entries: readonly TestEntry[]) {
    return this.#transaction(() => this.ledger.applyBatch(batchOf(entries)));
  }

  /** As `apply`, but the transaction fails at its end. */
  applyAndUndo(entries: readonly TestEntry[]): void {
    const work = () => {
      this.ledger.applyBatch(batchOf(entries));
      throw new Error("disk full");
    };
    expect(() => this.#transaction(work)).toThrow("disk full");
  }

  gaps() {
    return this.tables.gaps.map(({ epoch, fromSeq, toSeq, reason }) => [epoch, fromSeq, toSeq, reason]);
  }

  seqs(epoch: number): number[] {
    const records = this.tables.records.filter((record) => record.epoch === epoch && record.kind !== RecordKind.gap);
    return records.map(({ seq }) => seq);
  }

  #transaction<T>(work: () => T): T {
    try {
      const value = this.tables.transaction(work);
      this.ledger.committed();
      return value;
    } catch (thrown) {
      this.ledger.rolledBack();
      throw thrown;
    }
  }
}

describe("the ledger", () => {
  it("writes an evicted stretch as a gap entry and a gap record, with the record behind it [P-1] [P-2]", () => {
    const world = new World();
    const { epoch } = world.hello();
    const outcome = world.apply([
      { epoch, seq: 1 },
      { epoch, seq: 5, gap: 3 },
    ]);
    expect(outcome).toMatchObject({ storedCount: 2, gapCount: 1 });
    expect(world.gaps()).toEqual([[epoch, 2, 4, "evicted"]]);
    expect(world.tables.records.map(({ kind, seq }) => [kind, seq])).toEqual([
      [RecordKind.telemetry, 1],
      [RecordKind.gap, 2],
      [RecordKind.telemetry, 5],
    ]);
  });

  it("stores only the part of a gap that is above the mark: a gap may reach back over what came [P-2]", () => {
    const world = new World();
    const { epoch } = world.hello();
    world.apply([...run(epoch, 1, 3), { epoch, seq: 6, gap: 4 }]);
    expect(world.gaps()).toEqual([[epoch, 4, 5, "evicted"]]);
  });

  it("counts a repeat with other bytes as a conflict, and one with the same as a duplicate [P-2]", () => {
    const world = new World();
    const { epoch } = world.hello();
    world.apply(run(epoch, 1, 3));
    const repeats = [
      { epoch, seq: 2, kind: EntryKind.duplicate },
      { epoch, seq: 3, kind: EntryKind.duplicate, body: new Uint8Array([9]) },
      { epoch, seq: 1 },
    ];
    expect(world.apply(repeats)).toMatchObject({ storedCount: 0, duplicateCount: 2, conflictCount: 1 });
    expect(world.seqs(epoch)).toEqual([1, 2, 3]);
  });

  it("compares repeats also right after the device came back", () => {
    const world = new World();
    const { epoch } = world.hello();
    world.apply(run(epoch, 1, 3));
    world.hello({ epoch, nextSeq: 4, oldest: 2, ackedSeq: 1 });
    const other = { epoch, seq: 3, kind: EntryKind.duplicate, body: new Uint8Array([9]) };
    expect(world.apply([other]).conflictCount).toBe(1);
  });

  it("drops what stood behind a failed batch and takes it when it comes again", () => {
    const world = new World();
    const { epoch } = world.hello();
    world.applyAndUndo(run(epoch, 1, 3));
    expect(world.apply(run(epoch, 4, 5))).toMatchObject({ storedCount: 0, droppedCount: 2 });
    expect(world.apply(run(epoch, 1, 5)).storedCount).toBe(5);
    expect(world.seqs(epoch)).toEqual([1, 2, 3, 4, 5]);
  });

  it("forgets a catalog whose transaction was undone", () => {
    const world = new World();
    const { epoch } = world.hello({ catalogHash: 77 });
    world.applyAndUndo([{ epoch, seq: 1, kind: EntryKind.catalog, body: catalogBody(77) }]);
    world.apply([{ epoch, seq: 1 }]);
    expect(world.tables.records.at(-1)?.catalog).toBe(0);
  });

  it("freezes the catalog in force into each record, and knows it again at the next Hello [P-26] [P-27]", () => {
    const world = new World();
    const first = world.hello({ catalogHash: 77 });
    expect(first.wantCatalog).toBe(true);
    const { epoch } = first;
    world.apply([
      { epoch, seq: 1 },
      { epoch, seq: 2, kind: EntryKind.catalog, body: catalogBody(77) },
      { epoch, seq: 3 },
      { epoch, seq: 4, kind: EntryKind.catalog, body: catalogBody(78, 0, 2) },
      { epoch, seq: 5 },
      { epoch, seq: 6, kind: EntryKind.catalog, body: catalogBody(78, 1, 2) },
      { epoch, seq: 7 },
    ]);
    const old = world.tables.catalog(1, 77)?.id;
    const fresh = world.tables.catalog(1, 78)?.id;
    const readings = world.tables.records.filter(({ kind }) => kind === RecordKind.telemetry);
    expect(readings.map(({ seq, catalog }) => [seq, catalog])).toEqual([
      [1, 0],
      [3, old],
      [5, old],
      [7, fresh],
    ]);
    expect(world.hello({ catalogHash: 77 }).wantCatalog).toBe(false);
    expect(world.tables.device("attic-7")?.catalog).toBe(old);
    expect(world.hello({ catalogHash: 79 }).wantCatalog).toBe(true);
    expect(world.tables.device("attic-7")?.catalog).toBe(0);
  });

  it("retires older epochs only when the new one is used, and tells their open ends [P-6]", () => {
    const world = new World();
    const { epoch: old } = world.hello();
    world.apply([{ epoch: old, seq: 1, announced: 4 }]);
    const { epoch: unused } = world.hello();
    const { epoch } = world.hello();
    expect(world.gaps()).toEqual([]);
    world.apply([{ epoch, seq: 1 }]);
    expect(world.gaps()).toEqual([[old, 2, 4, "restart"]]);
    expect(world.apply([{ epoch: old, seq: 2 }]).droppedCount).toBe(1);
    expect(world.hello({ epoch: old, nextSeq: 5, oldest: 2, ackedSeq: 1 }).renumbered).toBe(true);
    expect(world.hello({ epoch: unused, nextSeq: 1, oldest: 1, ackedSeq: 0 }).renumbered).toBe(true);
  });

  it("keeps what a heartbeat announced: an open end reaches to it [P-6] [P-12]", () => {
    const world = new World();
    const { epoch: old } = world.hello();
    world.apply([...run(old, 1, 2), { epoch: old, seq: 2, announced: 9, kind: EntryKind.announce }]);
    const { epoch } = world.hello();
    world.apply([{ epoch, seq: 1 }]);
    expect(world.gaps()).toEqual([[old, 3, 9, "restart"]]);
  });

  it("uses an epoch by a heartbeat alone [P-6] [P-12]", () => {
    const world = new World();
    const { epoch: old } = world.hello();
    world.apply(run(old, 1, 2));
    const { epoch } = world.hello();
    world.apply([{ epoch, seq: 0, announced: 0, kind: EntryKind.announce }]);
    expect(world.gaps()).toEqual([[old, 3, null, "restart"]]);
  });

  it("tells no open end of an epoch that ended with a goodbye [P-6]", () => {
    const world = new World();
    const { epoch: old } = world.hello();
    world.apply([...run(old, 1, 2), { epoch: old, seq: 2, announced: 2, kind: EntryKind.announce, flags: FLAG_ENDED }]);
    const { epoch } = world.hello();
    world.apply([{ epoch, seq: 1 }]);
    expect(world.gaps()).toEqual([]);
  });

  it("tells the open end again when the device came back after its goodbye [P-6]", () => {
    const world = new World();
    const { epoch: old } = world.hello();
    world.apply([...run(old, 1, 2), { epoch: old, seq: 2, announced: 2, kind: EntryKind.announce, flags: FLAG_ENDED }]);
    world.hello({ epoch: old, nextSeq: 3, oldest: 3, ackedSeq: 2 });
    const { epoch } = world.hello();
    world.apply([{ epoch, seq: 1 }]);
    expect(world.gaps()).toEqual([[old, 3, null, "restart"]]);
  });

  it("moves the mark over what a heartbeat says is gone [P-12]", () => {
    const world = new World();
    const { epoch } = world.hello();
    const outcome = world.apply([
      { epoch, seq: 1 },
      { epoch, seq: 6, announced: 6, kind: EntryKind.announce },
    ]);
    expect([...outcome.marks]).toEqual([1, epoch, 6]);
    expect(world.gaps()).toEqual([[epoch, 2, 6, "evicted"]]);
    expect(world.apply([{ epoch, seq: 7 }]).storedCount).toBe(1);
  });

  it("lists what a device evicted of an epoch that was over already, below what it sends again", () => {
    const world = new World();
    const { epoch: old } = world.hello();
    world.apply([{ epoch: old, seq: 1, announced: 4 }]);
    const { epoch: other } = world.hello();
    world.apply([{ epoch: other, seq: 1 }]);
    const back = () => world.hello({ epoch: old, nextSeq: 10, oldest: 8, ackedSeq: 1 });
    world.apply([{ epoch: back().epoch, seq: 1 }]);
    world.apply([{ epoch: back().epoch, seq: 1 }]);
    expect(world.gaps().filter(([epoch]) => epoch === old)).toEqual([
      [old, 2, 4, "restart"],
      [old, 5, 7, "evicted"],
      [old, 8, 9, "rollback"],
      [old, 8, 9, "rollback"],
    ]);
  });

  it("announces a rollback once, when the new epoch is used [P-7]", () => {
    const world = new World();
    const { epoch: old } = world.hello();
    world.apply(run(old, 1, 9));
    const back = { epoch: old, nextSeq: 6, oldest: 4, ackedSeq: 3 };
    world.hello(back);
    const { epoch, renumbered } = world.hello(back);
    expect(renumbered).toBe(true);
    expect(world.gaps()).toEqual([]);
    world.apply(run(epoch, 1, 2));
    expect(world.gaps()).toEqual([
      [old, 4, 5, "rollback"],
      [old, 10, null, "restart"],
    ]);
  });

  it("adopts the epoch of a store that is gone, with what it cannot prove [P-8]", () => {
    const world = new World();
    const outcome = world.hello({ epoch: 5, nextSeq: 12, oldest: 10, ackedSeq: 9 });
    expect(outcome).toMatchObject({ epoch: 5, ackedSeq: 9, renumbered: false });
    expect(world.gaps()).toEqual([[5, 1, 9, "unproven"]]);
    expect(world.apply(run(5, 10, 11)).storedCount).toBe(2);
  });

  it("never gives out 0 or an epoch it has seen, for whichever device [P-6]", () => {
    const draws = [0, 7, 7, 5, 5, 9];
    const tables = new MemoryTables();
    const ledger = new Ledger(tables, { update: () => null }, { windowDigests: 1, draw: () => draws.shift() ?? 0 });
    expect(ledger.hello(helloOf({ deviceId: "a" })).epoch).toBe(7);
    expect(ledger.hello(helloOf({ deviceId: "b", epoch: 5 })).epoch).toBe(5);
    expect(ledger.hello(helloOf({ deviceId: "c" })).epoch).toBe(9);
  });

  it("refuses a Hello that contradicts itself, and does not learn the device by it", () => {
    const world = new World();
    expect(() => world.hello({ epoch: 5, nextSeq: 3, oldest: 9 })).toThrow(/oldest 9 is above next_seq 3/);
    expect(world.tables.device("attic-7")).toBeNull();
  });

  it("keeps a body of a later version, and acks it [P-25]", () => {
    const world = new World();
    const { epoch } = world.hello();
    const body = new Uint8Array([1, 2, 3]);
    expect([...world.apply([{ epoch, seq: 1, kind: EntryKind.unknown, body }]).marks]).toEqual([1, epoch, 1]);
    expect(world.tables.records).toMatchObject([{ kind: RecordKind.unknown, body }]);
  });

  it("ignores a catalog part that makes no sense: no hash, or a part beyond its parts [P-27]", () => {
    const world = new World();
    const { epoch } = world.hello();
    const entries = [catalogBody(0), catalogBody(5, 2, 2), catalogBody(5, 0, 129)].map((body, i) => ({
      epoch,
      seq: i + 1,
      kind: EntryKind.catalog,
      body,
    }));
    expect([...world.apply(entries).marks]).toEqual([1, epoch, 3]);
    expect(world.tables.catalog(1, 5)).toBeNull();
    expect(world.tables.device("attic-7")?.catalog).toBe(0);
  });

  it("drops entries of streams nobody opened", () => {
    const world = new World();
    expect(world.apply([{ epoch: 1, seq: 1, deviceKey: 44 }])).toMatchObject({ storedCount: 0, droppedCount: 1 });
  });

  it("remembers a bounded number of epochs of a device that only says Hello", () => {
    const world = new World();
    const epochs = Array.from({ length: 40 }, () => world.hello().epoch);
    expect(world.tables.openStreams(1).map((row) => row.epoch)).toEqual(epochs.slice(-8));
  });
});

/** One step of a device's history, as a random one makes it. */
const stepOf = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("send" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("evict" as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat" as const), back: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("fail" as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("heartbeat" as const), evicted: fc.integer({ min: 0, max: 3 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("reconnect" as const), evicted: fc.integer({ min: 0, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reboot" as const), unsent: fc.integer({ min: 0, max: 3 }) }) },
);

describe("any history of one device", () => {
  it("stores nothing twice, and leaves no number below a mark that is neither stored nor listed", () => {
    fc.assert(
      fc.property(fc.array(stepOf, { maxLength: 40 }), (steps) => {
        const world = new World();
        let { epoch } = world.hello();
        let next = 1; // the number of the device's next message
        let held = 1; // the lowest number it still holds
        for (const each of steps) {
          if (each.do === "send" || each.do === "fail") {
            const gap = held - 1 - markOf(world, epoch);
            const entries = run(epoch, held, next + each.count - 1);
            if (gap > 0 && entries[0] !== undefined) entries[0] = { ...entries[0], gap };
            next += each.count;
            if (each.do === "fail") world.applyAndUndo(entries);
            else {
              world.apply(entries);
              held = next;
            }
          } else if (each.do === "evict") {
            next += each.count;
            held = next;
          } else if (each.do === "repeat") {
            const mark = markOf(world, epoch);
            if (mark > 0) world.apply([{ epoch, seq: Math.max(1, mark - each.back) }]);
          } else if (each.do === "heartbeat") {
            next += each.evicted;
            if (each.evicted > 0) held = next;
            world.apply([{ epoch, seq: held - 1, announced: next - 1, kind: EntryKind.announce }]);
          } else if (each.do === "reconnect") {
            next += each.evicted;
            if (each.evicted > 0) held = next;
            const hello = { epoch, nextSeq: next, oldest: held, ackedSeq: Math.min(markOf(world, epoch), held - 1) };
            expect(world.hello(hello)).toMatchObject({ epoch, renumbered: false });
          } else {
            next += each.unsent;
            epoch = world.hello().epoch;
            next = 1;
            held = 1;
          }
          checkPromise(world);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function markOf(world: World, epoch: number): number {
  return world.tables.stream(1, epoch)?.mark ?? 0;
}

/** Stored ∪ listed = 1 … mark, without overlap, for every epoch; order of first arrival is the order of numbers. */
function checkPromise(world: World): void {
  const epochs = new Set(world.tables.records.map(({ epoch }) => epoch));
  for (const epoch of epochs) {
    const mark = markOf(world, epoch);
    const stored = world.seqs(epoch);
    const listed = world.tables.gaps.filter((gap) => gap.epoch === epoch && gap.reason !== "restart");
    const missing = listed.flatMap(({ fromSeq, toSeq }) =>
      Array.from({ length: (toSeq ?? fromSeq) - fromSeq + 1 }, (_, i) => fromSeq + i),
    );
    const all = [...stored, ...missing].sort((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: mark }, (_, i) => i + 1));
    expect(stored).toEqual([...stored].sort((a, b) => a - b));
  }
}

function catalogBody(hash: number, part = 0, parts = 1): Uint8Array {
  return encodeCatalog({ hash, part, parts, signals: [], commands: [] });
}
