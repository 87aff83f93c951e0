/** What the cursor passes may wake the lanes at once, from inside the pump: nothing is skipped for that. */
import { expect, it } from "vitest";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import type { AckListener } from "./in-flight.js";
import { MQTT_LIMITS } from "./mqtt-options.js";
import { Pump } from "./pump.js";
import { FakeSpool } from "./testing/fake-spool.js";
import { settled } from "./testing/memory-pipe.js";

const INVALID = 0x99;

it("sends what lies behind a record that is aside, also when the lanes are filled while the cursor moves", async () => {
  const spool = new FakeSpool();
  const metrics = new Metrics();
  const counter = (name: string) => metrics.counter(name, name);
  const sent: { readonly n: number; readonly ack: (code: number) => void }[] = [];
  let freeSlots = 10;
  const publisher = {
    session: { version: 5, window: 10, packetBytesMax: 1_000_000 } as const,
    isWritable: true,
    get freeSlots() {
      return freeSlots;
    },
    publish({ payload }: { payload: Buffer | string }, listener: AckListener, token: number) {
      freeSlots -= 1;
      sent.push({ n: JSON.parse(String(payload)).n, ack: (code) => listener.acked(token, code) });
    },
    publishUnacked: () => {},
  };
  const fill = (): void => {
    while (pump.sendNext());
  };
  const pump: Pump = new Pump(
    { sink: "broker", topicHead: "tidegate/gw/", cursor: 0, limits: MQTT_LIMITS },
    {
      ...{ reader: spool, spool, clock: new ManualClock(), random: new SeededRandom(1), log: SILENT, fail: () => {} },
      counters: { delivered: counter("d"), retried: counter("r"), quarantined: counter("q") },
      ...{ wake: fill, passed: fill },
    },
  );
  spool.add(6);
  pump.attach(publisher);
  await settled(5);
  expect(sent.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6]);
  sent[2]?.ack(INVALID);
  await settled(5);
  expect(spool.aside.map(({ recordId }) => recordId)).toEqual([3]);
  pump.detach(false);
  sent.length = 0;
  freeSlots = 2;
  pump.attach(publisher);
  await settled(5);
  expect(sent.map(({ n }) => n)).toEqual([1, 2]);
  freeSlots = 1;
  sent[1]?.ack(0);
  freeSlots = 1;
  sent[0]?.ack(0);
  for (let i = 2; i < sent.length; i++) {
    freeSlots = 1;
    sent[i]?.ack(0);
    fill();
  }
  expect(sent.map(({ n }) => n)).toEqual([1, 2, 4, 5, 6]);
  expect(pump.cursor).toBe(6);
});
