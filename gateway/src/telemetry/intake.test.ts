/** The intake with a store whose commits the test ends one by one. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { ACCEPT, DUPLICATE, MISSING } from "../model/admit.js";
import { BatchReader, EntryKind } from "../model/batch.js";
import type { CommitFailure, CommitOutcome, GatherBatch } from "../model/spool.js";
import { Refusals } from "../spool/refusals.js";
import { type FrameFacts, Intake, type IntakeLimits } from "./intake.js";
import type { Stream } from "./stream.js";

/** A store whose commits the test ends one by one. */
class FakeSpool {
  readonly batches: GatherBatch[] = [];
  readonly #answers: ((outcome: CommitOutcome) => void)[] = [];
  readonly #refusals = new Refusals();
  /** Every call in order, as the storage queue would see them. */
  readonly log: string[] = [];

  commit(batch: GatherBatch): Promise<CommitOutcome> {
    this.batches.push(batch);
    this.log.push(`commit ${seqs(batch).join(",")}`);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  get inFlight(): number {
    return this.#answers.length;
  }

  /** The oldest batch that has no answer yet. */
  get oldest(): GatherBatch {
    const batch = this.batches[this.batches.length - this.#answers.length];
    if (batch === undefined) throw new Error("no commit in flight");
    return batch;
  }

  /** End the oldest commit with success, with the marks it leads to. @returns false: it was behind a refused one. */
  async succeed(): Promise<boolean> {
    const batch = this.oldest;
    if (this.#refusals.isBehind(batch)) {
      await this.#refuse("behind", 0);
      return false;
    }
    const marks = new Map<number, [number, number]>();
    const reader = new BatchReader(batch);
    let storedCount = 0;
    while (reader.next()) {
      const { deviceKey, epoch, seq, kind } = reader.entry;
      marks.set(deviceKey, [epoch, Math.max(seq, marks.get(deviceKey)?.[1] ?? 0)]);
      if (kind !== EntryKind.announce && kind !== EntryKind.duplicate) storedCount += 1;
    }
    const flat = [...marks].flatMap(([key, [epoch, mark]]) => [key, epoch, mark]);
    this.#answers.shift()?.({
      ok: true,
      buffer: batch.buffer,
      lastRecordId: 0,
      storedCount,
      marks: Uint32Array.from(flat),
      gapCount: 0,
      duplicateCount: 0,
      conflictCount: 0,
      commands: [],
    });
    await settle();
    return true;
  }

  async fail(reason: "full" | "busy"): Promise<void> {
    if (this.#refusals.isBehind(this.oldest)) return this.#refuse("behind", 0);
    this.#refusals.add();
    return this.#refuse(reason, 500);
  }

  async #refuse(reason: CommitFailure["reason"], retryAfterMs: number): Promise<void> {
    this.#answers.shift()?.({ ok: false, buffer: new ArrayBuffer(8), reason, retryAfterMs });
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function seqs(batch: GatherBatch): number[] {
  const reader = new BatchReader(batch);
  const found: number[] = [];
  while (reader.next()) found.push(reader.entry.seq);
  return found;
}

let clock: ManualClock;
let spool: FakeSpool;
let intake: Intake;
let heard: string[];
let pressure: boolean[];
const BODY = new Uint8Array(64);
/** After a small batch. */
const PACE_MS = 10;

function makeIntake(limits: Partial<IntakeLimits> = {}): Intake {
  return new Intake(spool, clock, new Metrics(), {
    limits: { gatheredBytesMax: 1 << 20, commitIntervalMs: 0, largeBatchEntries: 100, ...limits },
    host: { pressure: (on) => pressure.push(on), committed: () => {} },
  });
}

function open(deviceKey = 1, options: { mark?: number; epoch?: number; window?: number } = {}): Stream {
  const { epoch = 7, mark = 0, window = 8 } = options;
  const numbers = { device: `device-${deviceKey}`, deviceKey, epoch, mark, window };
  return intake.open(numbers, {
    acked: (seq) => heard.push(`${deviceKey} ack ${seq}`),
    refused: (expected) => heard.push(`${deviceKey} nack ${expected}`),
    resumed: (window) => heard.push(`${deviceKey} resume ${window}`),
  });
}

function offer(stream: Stream, seq: number, gap = 0, kind: number = EntryKind.telemetry) {
  const body = { bodyStart: 0, bodyEnd: BODY.length };
  const stamps = { accuracy: 1, receivedUnixMs: 1, baseUnixMs: 1 };
  const facts: FrameFacts = { seq, gap, kind, ...stamps, ...body };
  return intake.offer(stream, facts, BODY);
}

beforeEach(() => {
  clock = new ManualClock();
  spool = new FakeSpool();
  heard = [];
  pressure = [];
  intake = makeIntake();
});

describe("the intake", () => {
  it("acks only after the commit, cumulatively, once per commit and stream [P-3]", async () => {
    const stream = open();
    for (const seq of [1, 2, 3]) expect(offer(stream, seq)).toBe(ACCEPT);
    clock.advance(0);
    expect(heard).toEqual([]);
    await spool.succeed();
    expect(heard).toEqual(["1 ack 3"]);
    expect(stream.durable).toBe(3);
  });

  it("gathers what arrives while a commit is in flight into the next one", async () => {
    const stream = open();
    offer(stream, 1);
    clock.advance(0);
    for (const seq of [2, 3, 4]) offer(stream, seq);
    expect(spool.inFlight).toBe(1);
    await spool.succeed();
    clock.advance(0);
    expect(spool.batches.map(seqs)).toEqual([[1], [2, 3, 4]]);
  });

  it("hands over a large batch behind the one that is in flight, and a third only when one has ended", async () => {
    intake = makeIntake({ largeBatchEntries: 3 });
    const stream = open(1, { window: 100 });
    for (let seq = 1; seq <= 11; seq++) offer(stream, seq);
    expect(spool.batches.map(seqs)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    await spool.succeed();
    expect(spool.batches.slice(2).map(seqs)).toEqual([[7, 8, 9, 10, 11]]);
    expect(heard).toEqual(["1 ack 3"]);
    await spool.succeed();
    await spool.succeed();
    expect(heard).toEqual(["1 ack 3", "1 ack 6", "1 ack 11"]);
  });

  it("lets a small rest wait until no batch is in flight", async () => {
    intake = makeIntake({ largeBatchEntries: 3 });
    const stream = open(1, { window: 100 });
    for (let seq = 1; seq <= 7; seq++) offer(stream, seq);
    await spool.succeed();
    clock.advance(PACE_MS);
    expect(spool.batches).toHaveLength(2);
    await spool.succeed();
    clock.advance(PACE_MS);
    expect(spool.batches.slice(2).map(seqs)).toEqual([[7]]);
  });

  it("gathers as long as the commit interval says, however much it is", () => {
    intake = makeIntake({ largeBatchEntries: 3, commitIntervalMs: 1000 });
    const stream = open(1, { window: 100 });
    for (let seq = 1; seq <= 9; seq++) offer(stream, seq);
    expect(spool.batches).toHaveLength(0);
    clock.advance(1000);
    expect(spool.batches.map((batch) => batch.entryCount)).toEqual([9]);
  });

  it("takes everything back once when the first of two batches is refused, and nothing of the second is stored", async () => {
    intake = makeIntake({ largeBatchEntries: 2 });
    const stream = open(1, { window: 100 });
    const other = open(2, { window: 100 });
    offer(stream, 1);
    offer(stream, 2);
    offer(stream, 3);
    offer(other, 1);
    offer(stream, 4);
    await spool.fail("busy");
    expect(heard).toEqual(["1 nack 1", "2 nack 1"]);
    expect([stream.accepted, other.accepted]).toEqual([0, 0]);
    await spool.succeed();
    expect(heard, "the second was behind it").toHaveLength(2);
    clock.advance(500);
    heard = [];
    offer(stream, 1);
    offer(stream, 2);
    await spool.succeed();
    expect(heard).toEqual(["1 ack 2"]);
    expect(stream.durable).toBe(2);
  });

  it("takes a gap that reaches back to the next number, and asks for what is missing [P-2]", () => {
    const stream = open();
    expect(offer(stream, 3, 1)).toBe(MISSING);
    expect(offer(stream, 3, 2)).toBe(ACCEPT);
    expect(stream.accepted).toBe(3);
    expect(offer(stream, 2)).toBe(DUPLICATE);
  });

  it("falls back to the durable marks when the store is full: batch in flight and gathered alike", async () => {
    const stream = open();
    const other = open(2);
    offer(stream, 1);
    clock.advance(0);
    await spool.succeed();
    offer(stream, 2);
    clock.advance(PACE_MS);
    offer(stream, 3);
    offer(other, 1);
    heard = [];
    await spool.fail("full");
    expect(stream.accepted).toBe(1);
    expect(other.accepted).toBe(0);
    expect(heard).toEqual(["1 nack 2", "2 nack 1"]);
    expect(offer(stream, 2)).toBe("paused");
    intake.resume();
    expect(heard.slice(2)).toEqual(["1 resume 8", "2 resume 8"]);
    expect(offer(stream, 2)).toBe(ACCEPT);
  });

  it("goes on by itself after a store that was only busy", async () => {
    const stream = open();
    offer(stream, 1);
    clock.advance(0);
    await spool.fail("busy");
    expect(heard).toEqual(["1 nack 1"]);
    clock.advance(500);
    expect(heard).toEqual(["1 nack 1", "1 resume 8"]);
  });

  it("does not ack a device's newer session with an older epoch's mark", async () => {
    const old = open(1, { epoch: 7 });
    offer(old, 1);
    clock.advance(0);
    open(1, { epoch: 8 });
    await spool.succeed();
    expect(heard).toEqual([]);
  });

  it("[P-4] puts what a device left in front of its Hello, and lets many Hellos share one commit", async () => {
    const streams = [1, 2, 3].map((key) => open(key));
    for (const stream of streams) offer(stream, 1);
    clock.advance(0);
    for (const stream of streams) {
      offer(stream, 2);
      intake.close(stream);
    }
    const hellos = [1, 2, 3].map((n) => intake.barrier(`device-${n}`).then(() => spool.log.push(`hello ${n}`)));
    await settle();
    expect(spool.log).toEqual(["commit 1,1,1"]);
    await spool.succeed();
    await Promise.all(hellos);
    expect(spool.log).toEqual(["commit 1,1,1", "commit 2,2,2", "hello 1", "hello 2", "hello 3"]);
  });

  it("[P-4] puts an announcement of the closed session in front of a Hello, too", async () => {
    const stream = open();
    intake.announce(stream, 6, 6);
    intake.close(stream);
    await intake.barrier("device-1");
    expect(spool.log).toEqual(["commit 5"]);
  });

  it("[P-4] lets a Hello pass that has nothing of its own to wait for, and the others keep their pace", async () => {
    const stream = open(1);
    offer(stream, 1);
    clock.advance(0);
    await spool.succeed();
    offer(stream, 2);
    await intake.barrier("device-2");
    expect(spool.log).toEqual(["commit 1"]);
    clock.advance(PACE_MS);
    expect(spool.log).toEqual(["commit 1", "commit 2"]);
  });

  it("[P-4] lets a Hello pass when what its device left is in the queue already", async () => {
    const stream = open();
    offer(stream, 1);
    intake.close(stream);
    clock.advance(0);
    offer(open(2), 1);
    await intake.barrier("device-1");
    expect(spool.log).toEqual(["commit 1"]);
  });

  it("[P-4] lets a Hello pass when what stood in front of it was taken back", async () => {
    const stream = open();
    offer(stream, 1);
    clock.advance(0);
    offer(stream, 2);
    intake.close(stream);
    const hello = intake.barrier("device-1");
    await spool.fail("full");
    await hello;
    clock.advance(PACE_MS);
    expect(spool.log).toEqual(["commit 1"]);
  });

  it("[P-12] moves the mark over numbers that an emptied ring announces as gone", async () => {
    const stream = open();
    intake.announce(stream, 6, 6);
    expect(stream.accepted).toBe(5);
    clock.advance(0);
    const batch = spool.batches[0];
    if (batch === undefined) throw new Error("nothing was committed");
    const reader = new BatchReader(batch);
    expect(reader.next()).toBe(true);
    expect(reader.entry).toMatchObject({ kind: EntryKind.announce, seq: 5, gap: 5, announced: 5 });
  });

  it("[P-6] tells the store of the first use of a session even when nothing is missing, and only once", () => {
    const stream = open();
    intake.announce(stream, 1, 1);
    clock.advance(0);
    intake.announce(stream, 1, 1);
    clock.advance(0);
    expect(spool.batches).toHaveLength(1);
  });

  it("[P-7] makes durable what a heartbeat announces beyond what arrived, once, also while the store refuses", async () => {
    const stream = open();
    offer(stream, 1);
    clock.advance(0);
    await spool.fail("full");
    intake.announce(stream, 5, 1);
    intake.announce(stream, 5, 1);
    clock.advance(PACE_MS);
    const batch = spool.batches.at(-1);
    if (batch === undefined) throw new Error("nothing was committed");
    const reader = new BatchReader(batch);
    expect(reader.next()).toBe(true);
    expect(reader.entry).toMatchObject({ kind: EntryKind.announce, seq: 0, gap: 0, announced: 4 });
    expect(reader.next()).toBe(false);
  });

  it("ignores a heartbeat that contradicts itself", () => {
    const stream = open();
    intake.announce(stream, 3, 9);
    expect(stream.accepted).toBe(0);
  });

  it("commits at once after a rest, and lets what comes one by one after a small batch share the next", async () => {
    const stream = open(1, { window: 1000 });
    offer(stream, 1);
    clock.advance(0);
    await spool.succeed();
    for (let seq = 2; seq <= 4; seq++) {
      offer(stream, seq);
      clock.advance(1);
    }
    expect(spool.batches.map(seqs)).toEqual([[1]]);
    clock.advance(PACE_MS - 3);
    expect(spool.batches.map(seqs)).toEqual([[1], [2, 3, 4]]);
    await spool.succeed();
    clock.advance(10 * PACE_MS);
    offer(stream, 5);
    clock.advance(0);
    expect(spool.batches).toHaveLength(3);
  });

  it("does not wait after a large batch, and not when a device has used half of its window", async () => {
    const stream = open(1, { window: 1000 });
    for (let seq = 1; seq <= 32; seq++) offer(stream, seq);
    clock.advance(0);
    await spool.succeed();
    offer(stream, 33);
    clock.advance(0);
    await spool.succeed();
    const narrow = open(2, { window: 2 });
    offer(stream, 34);
    clock.advance(1);
    expect(spool.batches).toHaveLength(2);
    offer(narrow, 1);
    clock.advance(0);
    expect(spool.batches.map((batch) => seqs(batch).length)).toEqual([32, 1, 2]);
  });

  it("does not let what a device says of a command wait for the commit interval, also behind a commit", async () => {
    intake = makeIntake({ commitIntervalMs: 1000 });
    const stream = open(1, { window: 1000 });
    offer(stream, 1);
    offer(stream, 2, 0, EntryKind.commandUpdate);
    clock.advance(0);
    expect(spool.batches.map(seqs)).toEqual([[1, 2]]);
    offer(stream, 3, 0, EntryKind.commandUpdate);
    offer(stream, 4);
    await spool.succeed();
    clock.advance(0);
    expect(spool.batches.map(seqs)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    await spool.succeed();
    offer(stream, 5);
    clock.advance(999);
    expect(spool.batches, "telemetry alone waits as ever").toHaveLength(2);
  });

  it("waits for the commit interval, but not once a session has used half of its window", () => {
    intake = makeIntake({ commitIntervalMs: 1000 });
    const stream = open(1, { window: 8 });
    for (const seq of [1, 2, 3]) offer(stream, seq);
    clock.advance(900);
    expect(spool.batches).toHaveLength(0);
    offer(stream, 4);
    clock.advance(0);
    expect(spool.batches.map(seqs)).toEqual([[1, 2, 3, 4]]);
  });

  it("stops reading before the gather buffer is full, drops nothing it accepted, and reads on", async () => {
    intake = makeIntake({ gatheredBytesMax: 4096 });
    const stream = open(1, { window: 1000 });
    let accepted = 0;
    for (let seq = 1; seq <= 100; seq++) if (offer(stream, seq) === ACCEPT) accepted += 1;
    expect(pressure).toEqual([true]);
    expect(accepted).toBeLessThan(100);
    clock.advance(0);
    await spool.succeed();
    expect(pressure).toEqual([true, false]);
    expect(stream.durable).toBe(accepted);
  });

  it("asks again for what it left because the gather buffer was full, once there is room", async () => {
    intake = makeIntake({ gatheredBytesMax: 300 });
    const stream = open();
    const verdicts = [1, 2, 3, 4, 5].map((seq) => offer(stream, seq));
    expect(verdicts.filter((verdict) => verdict === "paused").length).toBeGreaterThan(0);
    const taken = stream.accepted;
    heard = [];
    clock.advance(0);
    await spool.succeed();
    expect(heard).toEqual([`1 ack ${taken}`, `1 nack ${taken + 1}`, "1 resume 8"]);
    expect(offer(stream, taken + 1)).toBe(ACCEPT);
  });

  it("drains: resolves when everything gathered is on disk", async () => {
    const stream = open();
    offer(stream, 1);
    let done = false;
    const drained = intake.drained().then(() => {
      done = true;
    });
    await settle();
    expect(done).toBe(false);
    await spool.succeed();
    await drained;
    expect(stream.durable).toBe(1);
  });

  it("never acks a number that no successful commit contained, whatever fails in between", async () => {
    const steps = fc.array(fc.constantFrom("frame", "tick", "ok", "full", "busy", "space"), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(1, 2, 100), async (script, largeBatchEntries) => {
        clock = new ManualClock();
        spool = new FakeSpool();
        heard = [];
        intake = makeIntake({ largeBatchEntries });
        const stream = open();
        const committed = new Set<number>();
        for (const what of script) {
          if (what === "frame") offer(stream, stream.accepted + 1);
          else if (what === "tick") clock.advance(0);
          else if (what === "space") intake.resume();
          else if (spool.inFlight > 0) {
            const batch = seqs(spool.oldest);
            if (what === "ok" && (await spool.succeed())) for (const seq of batch) committed.add(seq);
            if (what !== "ok") await spool.fail(what);
          }
          expect(stream.durable).toBeLessThanOrEqual(stream.accepted);
        }
        for (const line of heard.filter((text) => text.includes("ack") && !text.includes("nack"))) {
          const acked = Number(line.split(" ").at(-1));
          for (let seq = 1; seq <= acked; seq++) expect(committed.has(seq)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});
