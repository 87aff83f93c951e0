/** `backfill: live-first`: fresh values beside the backlog, in its share, and nothing lost between the two. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settled } from "./testing/memory-pipe.js";
import { type SinkBench, sinkBench } from "./testing/sink-bench.js";

async function started(bench: SinkBench): Promise<SinkBench> {
  bench.sink.start();
  await settled(20);
  return bench;
}

async function pass(bench: SinkBench, totalMs: number): Promise<void> {
  for (let ms = 0; ms < totalMs; ms += 500) {
    bench.clock.advance(500);
    await settled(20);
  }
}

const idsOf = (bench: SinkBench, session?: number): number[] =>
  bench.broker.data(session).map(({ payload }) => JSON.parse(payload).n);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const sorted = (ids: readonly number[]): number[] => [...new Set(ids)].sort((a, b) => a - b);

/** A sink that comes up on a backlog, on a broker that takes few at once. */
function benchWith(backlog: number, share: number, puback: () => number | null = () => 0): SinkBench {
  const connack = () => ({ reasonCode: 0, properties: { receiveMaximum: 4 } });
  const limits = { backlogCountMin: 50, sliceRows: 20 };
  const options = { liveFirst: { backlogShare: share }, limits };
  return sinkBench({ connack, puback }, options, { lastRecordId: backlog });
}

describe("a sink with the newest first", () => {
  test("sends what is committed now before the backlog is done, and everything once", async () => {
    const waiting: (() => void)[] = [];
    const bench = benchWith(200, 0.5, () => null);
    bench.spool.add(200);
    bench.sink.start();
    await settled(20);
    bench.sink.committed(bench.spool.add(50));
    for (let i = 0; i < 400; i++) {
      const got = bench.broker.data();
      for (const message of got.slice(waiting.length)) waiting.push(() => bench.broker.ack(message.messageId));
      waiting[i]?.();
      await settled(4);
    }
    await pass(bench, 3_000);
    const ids = idsOf(bench);
    expect(sorted(ids)).toEqual(upTo(250));
    expect(ids).toHaveLength(250);
    const lastLive = ids.indexOf(250);
    expect(lastLive).toBeLessThan(150);
    // The backlog has its turns beside the fifty, not all of them before or behind. While a slice of it is being read,
    // which here takes as long as several messages, the newest take its turn.
    const beside = ids.slice(ids.indexOf(201), lastLive).filter((id) => id <= 200).length;
    expect(beside).toBeGreaterThanOrEqual(12);
    expect(beside).toBeLessThanOrEqual(60);
    expect(ids.filter((id) => id <= 200)).toEqual(upTo(200));
    expect(ids.filter((id) => id > 200)).toEqual(upTo(50).map((id) => id + 200));
    expect(bench.sink.cursor).toBe(250);
    expect(bench.sink.status().deliveredCount).toBe(250);
  });

  test("sends a short backlog in order", async () => {
    const bench = benchWith(40, 0.5);
    bench.spool.add(40);
    await started(bench);
    bench.sink.committed(bench.spool.add(5));
    await pass(bench, 2_000);
    expect(idsOf(bench)).toEqual(upTo(45));
  });

  test("never stores a cursor beyond the backlog, whatever went ahead", async () => {
    const bench = benchWith(200, 0.01, () => null);
    bench.spool.add(200);
    await started(bench);
    bench.sink.committed(bench.spool.add(20));
    for (let i = 0; i < 30; i++) {
      const message = bench.broker.data()[i];
      if (message !== undefined) bench.broker.ack(message.messageId);
      await settled(6);
    }
    await pass(bench, 1_000);
    expect(idsOf(bench).some((id) => id > 200)).toBe(true);
    expect(Math.max(0, ...bench.spool.cursors)).toBeLessThan(200);
  });

  test("splits again at the next outage", async () => {
    const bench = benchWith(100, 0.5);
    bench.spool.add(100);
    await started(bench);
    await pass(bench, 5_000);
    expect(bench.sink.cursor).toBe(100);
    await bench.sink.pause();
    bench.sink.committed(bench.spool.add(100));
    bench.sink.resume();
    await settled(20);
    bench.sink.committed(bench.spool.add(5));
    await pass(bench, 5_000);
    expect(sorted(idsOf(bench))).toEqual(upTo(205));
    expect(bench.sink.cursor).toBe(205);
  });

  test("loses nothing and keeps the order of each part, whenever the broker hangs up", async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.double({ min: 0.1, max: 0.9, noNaN: true }), async (cutsAt, share) => {
        const bench = benchWith(120, share);
        bench.spool.add(120);
        await started(bench);
        for (const steps of cutsAt) {
          bench.sink.committed(bench.spool.add(7));
          await settled(steps);
          bench.broker.hangUp();
          await pass(bench, 3_000);
        }
        await pass(bench, 90_000);
        const last = 120 + 7 * cutsAt.length;
        expect(sorted(idsOf(bench))).toEqual(upTo(last));
        expect(bench.sink.cursor).toBe(last);
      }),
      { numRuns: 12 },
    );
  });
});
