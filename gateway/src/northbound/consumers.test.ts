/** What the sink does for those behind the broker: waits for them, counts for them, sends them what was put aside. */
import { describe, expect, test } from "vitest";
import { RecordKind } from "../model/record.js";
import { settled } from "./testing/memory-pipe.js";
import { type SinkBench, sinkBench } from "./testing/sink-bench.js";

async function started(bench: SinkBench): Promise<SinkBench> {
  bench.sink.start();
  await settled();
  return bench;
}

async function pass(bench: SinkBench, totalMs: number): Promise<void> {
  for (let ms = 0; ms < totalMs; ms += 500) {
    bench.clock.advance(500);
    await settled(12);
  }
}

const NO_MATCHING_SUBSCRIBERS = 0x10;
const QUOTA_EXCEEDED = 0x97;

const marksOf = (bench: SinkBench) =>
  bench.broker.got.filter(({ topic }) => topic.endsWith("/watermark")).map(({ payload }) => JSON.parse(payload));

describe("a sink that requires a subscriber", () => {
  test("takes nothing for delivered while nobody reads, asks with one message, and goes on when somebody does", async () => {
    let isRead = false;
    const bench = sinkBench({ puback: () => (isRead ? 0 : NO_MATCHING_SUBSCRIBERS) }, { requiresSubscriber: true });
    bench.spool.add(40);
    await started(bench);
    await pass(bench, 60_000);
    expect(bench.sink.cursor).toBe(0);
    expect(bench.sink.status()).toMatchObject({ state: "up", lastError: { code: "E_SINK_NO_CONSUMER" } });
    const asked = bench.broker.data().length;
    expect(asked).toBeGreaterThan(12 + 40); // its window, then about every five seconds one
    expect(asked).toBeLessThan(100 + 40);
    isRead = true;
    await pass(bench, 6_000);
    expect(bench.sink.cursor).toBe(40);
    expect(bench.sink.status().lastError).toBeNull();
    expect(bench.sink.status().quarantinedCount).toBe(0);
  });

  test("does not demand that gaps and the like are read", async () => {
    const bench = sinkBench(
      { puback: (packet) => (packet.topic.endsWith("/gap") ? NO_MATCHING_SUBSCRIBERS : 0) },
      { requiresSubscriber: true },
    );
    bench.spool.addRecord({ topic: "attic-7/gap", payload: '{"id":"g","toSeq":null}', kind: RecordKind.gap });
    bench.spool.add(2);
    await started(bench);
    expect(bench.sink.cursor).toBe(3);
  });

  test("is refused on a broker that cannot tell", async () => {
    const connack = (connect: { protocolVersion?: number }) =>
      connect.protocolVersion === 5 ? { reasonCode: 0x84 } : { returnCode: 0 };
    const bench = await started(sinkBench({ connack }, { requiresSubscriber: true }));
    expect(bench.sink.status()).toMatchObject({ state: "blocked", lastError: { code: "E_SINK_REFUSED" } });
  });

  test("is the exception: elsewhere what nobody reads is delivered", async () => {
    const bench = sinkBench({ puback: () => NO_MATCHING_SUBSCRIBERS });
    bench.spool.add(3);
    await started(bench);
    expect(bench.sink.cursor).toBe(3);
  });
});

describe("the watermark", () => {
  test("says how far a device's numbers went, behind the records, retained, at most once an interval", async () => {
    const bench = sinkBench();
    bench.spool.add(5);
    await started(bench);
    expect(marksOf(bench)).toMatchObject([{ device: "attic-7", epoch: 1, seq: 1 }]);
    for (let i = 0; i < 40; i++) {
      bench.sink.committed(bench.spool.add(1));
      await pass(bench, 500);
    }
    await pass(bench, 10_000);
    expect(marksOf(bench).length).toBeLessThanOrEqual(4);
    expect(marksOf(bench).at(-1)).toMatchObject({ seq: 45 });
    const mark = bench.broker.got.find(({ topic }) => topic.endsWith("/watermark"));
    expect(mark).toMatchObject({ topic: "tidegate/gw/attic-7/watermark", qos: 1, retain: true });
  });

  test("never runs ahead of what the broker has taken", async () => {
    const bench = sinkBench({ puback: (packet) => (packet.payload.toString().includes('"n":3}') ? null : 0) });
    bench.spool.add(10);
    await started(bench);
    await pass(bench, 20_000);
    expect(marksOf(bench).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test("counts the numbers a gap stands for, and comes again after a reconnect", async () => {
    const bench = sinkBench();
    bench.spool.add(1);
    bench.spool.addRecord({ topic: "attic-7/gap", payload: '{"id":"g","toSeq":9}', kind: RecordKind.gap });
    await started(bench);
    await pass(bench, 10_000);
    expect(marksOf(bench).at(-1)).toMatchObject({ seq: 9 });
    bench.broker.hangUp();
    await pass(bench, 15_000);
    expect(marksOf(bench).filter(({ seq }) => seq === 9).length).toBeGreaterThan(1);
  });
});

describe("the watermark of a device that has had several epochs", () => {
  const gapOf = (epoch: number, toSeq: number) => ({
    ...{ topic: "attic-7/gap", payload: `{"id":"g","toSeq":${toSeq}}`, kind: RecordKind.gap, epoch },
  });

  test("is not held by a late gap of an older one", async () => {
    const bench = sinkBench();
    bench.spool.add(3);
    bench.spool.addRecord(gapOf(7, 90));
    await started(bench);
    await pass(bench, 10_000);
    expect(marksOf(bench).at(-1)).toMatchObject({ epoch: 1, seq: 3 });
  });

  test("does not go back to what a session lost, when a record for another sink takes its place", async () => {
    let isDeaf = true;
    const bench = sinkBench({ puback: () => (isDeaf ? null : 0) }, { limits: { window: 4, window311: 4 } });
    bench.spool.addRecord({ topic: "attic-7/data", payload: '{"id":"gw/attic-7/7/1"}', epoch: 7 });
    await started(bench);
    bench.broker.hangUp();
    isDeaf = false;
    await pass(bench, 5_000);
    bench.spool.add(2);
    bench.spool.addRecord({ topic: "attic-7/gap", payload: "{}", kind: RecordKind.gap, onlyFor: "another" });
    bench.sink.committed(bench.spool.lastRecordId);
    await pass(bench, 20_000);
    expect(marksOf(bench).at(-1)).toMatchObject({ epoch: 1, seq: 3 });
  });

  test("speaks of the last one when a new process has heard of gaps alone", async () => {
    const bench = sinkBench();
    bench.spool.addRecord(gapOf(7, 90));
    bench.spool.addRecord(gapOf(8, 33));
    await started(bench);
    await pass(bench, 10_000);
    expect(marksOf(bench).at(-1)).toMatchObject({ epoch: 8, seq: 33 });
  });
});

describe("a gap that concerns one sink", () => {
  test("goes to that sink alone, and the others' cursors pass it", async () => {
    const bench = sinkBench();
    bench.spool.addRecord({ topic: "attic-7/gap", payload: '{"id":"a","toSeq":1}', onlyFor: "other" });
    bench.spool.addRecord({ topic: "attic-7/gap", payload: '{"id":"b","toSeq":2}', onlyFor: "broker" });
    await started(bench);
    const gaps = bench.broker.got.filter(({ topic }) => topic.endsWith("/gap"));
    expect(gaps.map(({ payload }) => JSON.parse(payload).id)).toEqual(["b"]);
    expect(bench.sink.cursor).toBe(2);
  });
});

describe("a requeued record", () => {
  async function withOneAside(refuses: () => number | "hangUp" | null): Promise<SinkBench> {
    let isFirst = true;
    const bench = sinkBench({
      puback: (packet) => {
        if (!packet.payload.toString().includes('"n":2}')) return 0;
        if (!isFirst) return refuses();
        isFirst = false;
        return 0x99;
      },
    });
    bench.spool.add(3);
    await started(bench);
    expect(bench.spool.aside).toMatchObject([{ recordId: 2 }]);
    bench.spool.requeue(2);
    bench.sink.requeued();
    await settled(20);
    return bench;
  }

  test("is sent again byte for byte, once, and the store hears that it was taken", async () => {
    const bench = await withOneAside(() => 0);
    const sent = bench.broker.data().filter(({ payload }) => payload.includes('"n":2}'));
    expect(sent).toHaveLength(2);
    expect(sent[0]?.payload).toBe(sent[1]?.payload);
    expect(sent[0]?.properties).toEqual(sent[1]?.properties);
    expect(bench.spool.settled).toEqual([{ recordId: 2, refusal: null }]);
    await pass(bench, 5_000);
    expect(bench.broker.data().filter(({ payload }) => payload.includes('"n":2}'))).toHaveLength(2);
  });

  test("is aside again, with the new reason, when it is refused again", async () => {
    const bench = await withOneAside(() => QUOTA_EXCEEDED);
    expect(bench.spool.settled).toMatchObject([{ recordId: 2, refusal: expect.stringContaining("refused it again") }]);
  });

  test("is given to a broker that hangs up on it three times, and does not stop the others", async () => {
    const bench = await withOneAside(() => "hangUp");
    await pass(bench, 60_000);
    expect(bench.spool.settled).toMatchObject([{ recordId: 2, refusal: expect.stringContaining("hangs up") }]);
    bench.sink.committed(bench.spool.add(5));
    await pass(bench, 5_000);
    expect(bench.sink.cursor).toBe(8);
  });

  test("is sent in the next session when this one ended before its answer", async () => {
    const bench = await withOneAside(() => null);
    expect(bench.spool.settled).toEqual([]);
    bench.broker.hangUp();
    await pass(bench, 5_000);
    const again = bench.broker.data().filter(({ payload }) => payload.includes('"n":2}'));
    expect(again.map(({ session }) => session)).toEqual([1, 1, 2]);
  });
});
