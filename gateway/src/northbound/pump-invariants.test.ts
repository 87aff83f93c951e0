/** Whatever a broker does, nothing is lost: every record behind the cursor was taken or put aside. Seeded, in memory. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { settled } from "./testing/memory-pipe.js";
import { sinkBench } from "./testing/sink-bench.js";

/** What the broker does with one message; null never acks it, so that the session hangs until it is ended. */
const ANSWERS = [0, 0, 0, 0, 0, 0, 0x10, 0x97, 0x83, 0x80, 0x99, 0x87, "hangUp", null] as const;

const steps = fc.array(
  fc.record({
    answers: fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 12 }),
    act: fc.constantFrom("add", "add", "skip", "hangUp", "pass", "pass", "fail", "pauseResume"),
  }),
  { minLength: 3, maxLength: 14 },
);

test("acked or aside is everything behind the cursor; first deliveries come in order while nothing is refused", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 9 }), async (script, receiveMaximum) => {
      let answers: (number | "hangUp" | null)[] = [];
      const taken = new Set<number>();
      let wasRefused = false;
      const bench = sinkBench(
        {
          connack: () => ({ reasonCode: 0, properties: { receiveMaximum } }),
          puback: (packet) => {
            if (!packet.topic.endsWith("/data")) return 0;
            const answer = answers.shift() ?? 0;
            if (answer === 0 || answer === 0x10) taken.add(JSON.parse(packet.payload.toString()).n);
            else if (typeof answer === "number") wasRefused = true;
            return answer;
          },
        },
        // Watermarks as often as can be: what the cursor passes wakes the lanes from inside.
        { limits: { sliceRows: 4, watermarkIntervalMs: 0 } },
      );
      const check = () => {
        const aside = new Set(bench.spool.aside.map((entry) => entry.recordId));
        for (const record of bench.spool.records) {
          if (record.id > bench.sink.cursor) break;
          expect(taken.has(record.id) || aside.has(record.id), `record ${record.id} behind the cursor`).toBe(true);
        }
        expect(bench.spool.cursors.every((cursor) => cursor <= bench.sink.cursor)).toBe(true);
      };
      bench.sink.start();
      for (const { answers: next, act } of script) {
        answers = [...answers, ...next];
        if (act === "add") bench.sink.committed(bench.spool.add(5));
        if (act === "skip") bench.sink.committed(bench.spool.skip(2));
        if (act === "hangUp") bench.broker.hangUp();
        if (act === "fail") bench.spool.readError = bench.spool.readError === null ? new Error("busy") : null;
        if (act === "pauseResume") {
          void bench.sink.pause();
          bench.sink.resume();
        }
        bench.clock.advance(act === "pass" ? 5_000 : 100);
        await settled(15);
        check();
      }
      answers = [];
      bench.spool.readError = null;
      for (let i = 0; i < 40 && bench.sink.cursor < bench.spool.lastRecordId; i++) {
        if (i % 10 === 5) bench.broker.hangUp(); // whatever it never acked must not hang for ever
        bench.clock.advance(61_000);
        await settled(15);
        check();
      }
      expect(bench.sink.cursor).toBe(bench.spool.lastRecordId);
      const payloads = new Map(bench.spool.records.map((record) => [record.id, record.payload]));
      const firsts: number[] = [];
      for (const { payload } of bench.broker.data()) {
        const { n } = JSON.parse(payload);
        expect(payload).toBe(payloads.get(n));
        if (!firsts.includes(n)) firsts.push(n);
      }
      if (!wasRefused) expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
      await bench.sink.stop();
      expect(bench.clock.pending).toBe(0);
    }),
    { numRuns: 60, seed: 20_240_601 },
  );
}, 60_000);
