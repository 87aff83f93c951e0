/** The sink as a whole against a broker in memory, on a manual clock: delivery, refusals, reconnects, commands. */
import fc from "fast-check";
import type { IPublishPacket } from "mqtt-packet";
import { describe, expect, test } from "vitest";
import { GatewayError } from "../core/errors.js";
import type { LiveEvent } from "../model/spool.js";
import { settled } from "./testing/memory-pipe.js";
import { type SinkBench, sinkBench } from "./testing/sink-bench.js";

async function started(bench: SinkBench): Promise<SinkBench> {
  bench.sink.start();
  await settled();
  return bench;
}

const seqs = (messages: readonly { readonly payload: string }[]): number[] =>
  messages.map((message) => JSON.parse(message.payload).n);
const upTo = (count: number, from = 1): number[] => Array.from({ length: count }, (_, i) => from + i);

/** Let the sink wait out its backoffs: time passes in steps, with everything in memory arriving in between. */
async function pass(bench: SinkBench, totalMs: number, stepMs = 500): Promise<void> {
  for (let ms = 0; ms < totalMs; ms += stepMs) {
    bench.clock.advance(stepMs);
    await settled(12);
  }
}

describe("delivery", () => {
  test("every record goes out once, in order, and the cursor follows the acks", async () => {
    const bench = sinkBench();
    bench.spool.add(50);
    await started(bench);
    expect(seqs(bench.broker.data())).toEqual(upTo(50));
    expect(bench.sink.cursor).toBe(50);
    expect(bench.sink.status()).toMatchObject({
      state: "up",
      deliveredCount: 50,
      inFlightCount: 0,
      protocol: "MQTT 5",
    });
    bench.clock.advance(200);
    expect(bench.spool.cursors).toEqual([50]);
  });

  test("a message carries its id as user property, QoS 1, no retain, no DUP", async () => {
    const bench = sinkBench();
    bench.spool.add(1);
    await started(bench);
    expect(bench.broker.data()[0]).toMatchObject({
      ...{ topic: "tidegate/gw/attic-7/data", qos: 1, retain: false, dup: false },
      properties: { userProperties: { id: "gw/attic-7/1/1" } },
    });
  });

  test("what is committed while the sink is up goes out when it is told", async () => {
    const bench = await started(sinkBench());
    bench.sink.committed(bench.spool.add(3));
    await settled();
    expect(seqs(bench.broker.data())).toEqual([1, 2, 3]);
  });

  test("what nobody told of goes out with the next idle poll", async () => {
    const bench = await started(sinkBench());
    bench.spool.add(1);
    bench.clock.advance(1_000);
    await settled();
    expect(seqs(bench.broker.data())).toEqual([1]);
  });

  test("the cursor passes records that are sent nowhere", async () => {
    const bench = sinkBench();
    bench.spool.skip(5);
    await started(bench);
    expect(bench.sink.cursor).toBe(5);
    bench.spool.add(2);
    bench.sink.committed(bench.spool.skip(3));
    await settled();
    expect(bench.sink.cursor).toBe(10);
  });

  test("the cursor never passes a record that was not acked", async () => {
    const bench = sinkBench({ puback: (packet) => (packet.payload.toString().includes('"n":3}') ? null : 0) });
    bench.spool.add(10);
    await started(bench);
    expect(bench.sink.cursor).toBe(2);
    bench.broker.ack(bench.broker.data()[2]?.messageId ?? 0);
    await settled();
    expect(bench.sink.cursor).toBe(10);
  });

  test("the broker's Receive Maximum is never exceeded", async () => {
    const waiting: number[] = [];
    const bench = sinkBench({
      connack: () => ({ reasonCode: 0, properties: { receiveMaximum: 3 } }),
      puback: (packet) => {
        waiting.push(packet.messageId ?? 0);
        return null;
      },
    });
    bench.spool.add(20);
    await started(bench);
    for (let i = 0; i < 60; i++) {
      const next = waiting.shift();
      if (next !== undefined) bench.broker.ack(next);
      await settled(6);
    }
    expect(bench.broker.unackedMax).toBe(3);
    expect(seqs(bench.broker.data())).toEqual(upTo(20));
    expect(bench.sink.cursor).toBe(20);
  });

  test("a Receive Maximum of one still serves records, statuses and responses", async () => {
    const bench = sinkBench({ connack: () => ({ reasonCode: 0, properties: { receiveMaximum: 1 } }) });
    bench.spool.add(2);
    bench.spool.addRecord({
      topic: "attic-7/cmd/fan/result",
      payload: '{"id":"gw/x"}',
      response: { topic: "r/1", correlation: "AAE=" },
    });
    bench.spool.add(1);
    bench.sink.presenceChanged("attic-7", "sleeping");
    await started(bench);
    await settled();
    expect(bench.broker.unackedMax).toBe(1);
    expect(bench.sink.cursor).toBe(4);
    const response = bench.broker.got.find((message) => message.topic === "r/1");
    expect(response?.properties?.correlationData).toEqual(Buffer.from([0, 1]));
    expect(bench.broker.got.some((message) => message.payload === "sleeping" && message.retain)).toBe(true);
  });

  test("a stored response topic that no broker takes is left out, and the outcome still goes out", async () => {
    const bench = sinkBench();
    bench.spool.addRecord({
      topic: "attic-7/cmd/fan/result",
      payload: '{"id":"gw/x"}',
      response: { topic: "a/#", correlation: null },
    });
    await started(bench);
    expect(bench.broker.got.filter((message) => message.payload.includes("gw/x")).map((m) => m.topic)).toEqual([
      "tidegate/gw/attic-7/cmd/fan/result",
    ]);
    expect(bench.sink.cursor).toBe(1);
  });

  test("a reader that fails is asked again", async () => {
    const bench = sinkBench();
    bench.spool.add(2);
    bench.spool.readError = new Error("busy");
    await started(bench);
    expect(bench.broker.data()).toEqual([]);
    bench.spool.readError = null;
    bench.clock.advance(1_000);
    await settled();
    expect(seqs(bench.broker.data())).toEqual([1, 2]);
  });
});

describe("a connection that ends", () => {
  test("everything after the cursor is sent again, byte for byte, without DUP", async () => {
    let isAcking = false;
    const bench = sinkBench({ puback: (packet) => (isAcking || !packet.topic.endsWith("/data") ? 0 : null) });
    bench.spool.add(5);
    await started(bench);
    bench.broker.ack(bench.broker.data()[0]?.messageId ?? 0);
    await settled();
    bench.broker.hangUp();
    await settled();
    expect(bench.sink.status()).toMatchObject({ state: "backingOff", reconnectCount: 1 });
    isAcking = true;
    await pass(bench, 1_000);
    const [first, second] = [bench.broker.data(1), bench.broker.data(2)];
    expect(seqs(second)).toEqual([2, 3, 4, 5]);
    expect(second.map((m) => m.payload)).toEqual(first.slice(1).map((m) => m.payload));
    expect(second.every((m) => !m.dup)).toBe(true);
    expect(bench.metrics.read("sink_retried")).toBe(4);
    expect(bench.sink.cursor).toBe(5);
  });

  test("an ack of an old session moves nothing in the new one", async () => {
    const bench = sinkBench({ puback: (packet) => (packet.topic.endsWith("/data") ? null : 0) });
    bench.spool.add(1);
    await started(bench);
    bench.broker.hangUp();
    await pass(bench, 1_000);
    expect(bench.broker.data(2)).toHaveLength(1);
    expect(bench.sink.cursor).toBe(0);
  });

  test("a silent broker is noticed within 1.5 keepalives", async () => {
    const bench = await started(sinkBench({}, { keepaliveMs: 10_000 }));
    bench.broker.send = () => {}; // from now on it answers nothing, not even pings
    await pass(bench, 16_000, 1_000);
    expect(bench.broker.packets.some((packet) => packet.cmd === "pingreq")).toBe(true);
    expect(bench.sink.status().lastError?.why).toContain("silent");
  });

  test("an idle connection that answers pings stays", async () => {
    const bench = await started(sinkBench({}, { keepaliveMs: 10_000 }));
    await pass(bench, 60_000, 1_000);
    expect(bench.sink.status()).toMatchObject({ state: "up", reconnectCount: 0 });
  });

  test("a packet above the limit ends the connection before it is buffered", async () => {
    const bench = await started(sinkBench());
    bench.broker.sendRaw(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await settled();
    expect(bench.sink.status().lastError?.why).toContain("not MQTT");
  });

  test.each([
    ["garbage", Buffer.from([0xff, 0x00, 0x01, 0x02])],
    ["a truncated PUBACK", Buffer.from([0x40, 0x01, 0x00])],
    ["a second CONNACK", Buffer.from([0x20, 0x03, 0x00, 0x00, 0x00])],
    ["an unknown property", Buffer.from([0x30, 0x06, 0x00, 0x01, 0x61, 0x02, 0x7f, 0x00])],
  ])("%s from the broker ends the connection and nothing else", async (_name, bytes) => {
    const bench = await started(sinkBench());
    bench.broker.sendRaw(bytes);
    await settled();
    expect(bench.sink.status().state).toBe("backingOff");
    await pass(bench, 1_000);
    expect(bench.sink.status().state).toBe("up");
  });
});

test("whatever bytes a broker sends, the sink stays in one piece and comes back", async () => {
  const bench = await started(sinkBench());
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fc
      .tuple(
        fc.constantFrom(0x20, 0x30, 0x32, 0x40, 0x50, 0x90, 0xb0, 0xd0, 0xe0, 0xf0),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(([first, body]) => Uint8Array.from([first, body.length, ...body])),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 6 }), async (chunks) => {
      for (const chunk of chunks) bench.broker.sendRaw(Buffer.from(chunk));
      await settled(6);
      expect(["up", "backingOff", "connecting", "blocked"]).toContain(bench.sink.status().state);
      if (bench.sink.status().state === "up") bench.broker.hangUp(); // half a packet may be waiting for its end
      await settled(6);
      for (let i = 0; i < 40 && bench.sink.status().state !== "up"; i++) await pass(bench, 5_000, 5_000);
      expect(bench.sink.status().state).toBe("up");
    }),
    { numRuns: 150, seed: 7 },
  );
  expect(bench.submitted).toEqual([]);
  expect(bench.sink.cursor).toBe(0);
});

describe("a record the broker does not take", () => {
  const isThird = (packet: IPublishPacket): boolean => packet.payload.toString().includes('"n":3}');

  test("one above Maximum Packet Size is put in quarantine and the flow goes on", async () => {
    const bench = sinkBench({ connack: () => ({ reasonCode: 0, properties: { maximumPacketSize: 200 } }) });
    bench.spool.add(2);
    bench.spool.add(1, 300);
    bench.spool.add(2);
    await started(bench);
    expect(seqs(bench.broker.data())).toEqual([1, 2, 4, 5]);
    expect(bench.spool.aside).toEqual([{ recordId: 3, reason: expect.stringContaining("limit of 200") }]);
    expect(bench.sink.cursor).toBe(5);
    expect(bench.sink.status().quarantinedCount).toBe(1);
  });

  test.each([0x99, 0x95, 0x90])("PUBACK 0x%s puts that record in quarantine", async (code) => {
    const bench = sinkBench({ puback: (packet) => (isThird(packet) ? code : 0) });
    bench.spool.add(5);
    await started(bench);
    expect(bench.spool.aside.map((entry) => entry.recordId)).toEqual([3]);
    expect(bench.sink.cursor).toBe(5);
  });

  test("quota exceeded makes it wait and then sends everything after the cursor again", async () => {
    let refusals = 0;
    const bench = sinkBench({ puback: (packet) => (isThird(packet) && refusals++ < 3 ? 0x97 : 0) });
    bench.spool.add(5);
    await started(bench);
    expect(bench.sink.cursor).toBe(2);
    await pass(bench, 10_000);
    expect(bench.sink.cursor).toBe(5);
    expect(bench.spool.aside).toEqual([]);
    expect(bench.sink.status().reconnectCount).toBe(0);
  });

  test("a reason that may pass is tried eight times before the record is put aside", async () => {
    const bench = sinkBench({ puback: (packet) => (isThird(packet) ? 0x83 : 0) });
    bench.spool.add(5);
    await started(bench);
    await pass(bench, 120_000, 2_000);
    expect(bench.broker.data().filter((m) => m.payload.includes('"n":3}'))).toHaveLength(8);
    expect(bench.spool.aside.map((entry) => entry.recordId)).toEqual([3]);
    expect(bench.sink.cursor).toBe(5);
  });

  test("one that is not authorized is put aside when the broker takes the others", async () => {
    const bench = sinkBench({ puback: (packet) => (isThird(packet) ? 0x87 : 0) });
    bench.spool.add(30);
    await started(bench);
    expect(bench.spool.aside.map((entry) => entry.recordId)).toEqual([3]);
    expect(bench.sink.cursor).toBe(30);
  });

  test.each([1, 5, 30])("when none of %i is authorized nothing is thrown away: the sink is blocked", async (count) => {
    let isAllowed = false;
    const bench = sinkBench({ puback: (packet) => (packet.topic.endsWith("/data") && !isAllowed ? 0x87 : 0) });
    bench.spool.add(count);
    await started(bench);
    expect(bench.spool.aside).toEqual([]);
    expect(bench.sink.status().state).toBe("blocked");
    expect(bench.sink.status().lastError?.fix).toContain("ACL");
    isAllowed = true;
    await pass(bench, 60_000, 5_000);
    expect(bench.sink.cursor).toBe(count);
  });

  test("one the broker hangs up on is found, put aside, and the flow goes on", async () => {
    const bench = sinkBench({ puback: (packet) => (isThird(packet) ? "hangUp" : 0) });
    bench.spool.add(20);
    await started(bench);
    await pass(bench, 300_000, 2_000);
    expect(bench.spool.aside.map((entry) => entry.recordId)).toEqual([3]);
    expect(bench.sink.cursor).toBe(20);
    expect(bench.broker.data().filter((m) => m.payload.includes('"n":3}')).length).toBeLessThan(15);
  });

  test("a network that breaks again and again costs no record", async () => {
    let hangUps = 0;
    const bench = sinkBench({ puback: (packet) => (packet.topic.endsWith("/data") && hangUps++ < 4 ? "hangUp" : 0) });
    bench.spool.add(20);
    await started(bench);
    await pass(bench, 300_000, 2_000);
    expect(bench.spool.aside).toEqual([]);
    expect(bench.sink.cursor).toBe(20);
  });
});

describe("coming and going", () => {
  test("it says online retained, leaves offline as its will, and says it at a stop", async () => {
    const bench = await started(sinkBench());
    const [connect] = bench.broker.connects;
    expect(connect).toMatchObject({ clientId: "tidegate-gw-broker", clean: true, keepalive: 30 });
    expect(connect?.will).toMatchObject({ topic: "tidegate/gw/status", retain: true, qos: 1 });
    expect(connect?.will?.payload.toString()).toBe("offline");
    await bench.sink.stop();
    const own = bench.broker.got.filter((message) => message.topic === "tidegate/gw/status");
    expect(own.map((m) => [m.payload, m.retain, m.qos])).toEqual([
      ["online", true, 1],
      ["offline", true, 1],
    ]);
    expect(bench.broker.packets.at(-1)?.cmd).toBe("disconnect");
    expect(bench.sink.status().state).toBe("stopped");
  });

  test("a stop saves the cursor, leaves no timer, and waits for a slot when the window is full", async () => {
    const bench = sinkBench({
      connack: () => ({ reasonCode: 0, properties: { receiveMaximum: 2 } }),
      puback: (packet) => (packet.topic.endsWith("/data") ? null : 0),
    });
    bench.spool.add(5);
    await started(bench);
    const stopping = bench.sink.stop();
    await settled();
    bench.broker.ack(bench.broker.data()[0]?.messageId ?? 0);
    await settled();
    await stopping;
    expect(bench.broker.got.at(-1)?.payload).toBe("offline");
    expect(bench.spool.cursors.at(-1)).toBe(1);
    expect(bench.clock.pending).toBe(0);
  });

  test("a stop does not wait for a broker that answers nothing", async () => {
    const bench = await started(sinkBench());
    bench.broker.send = () => {};
    const stopping = bench.sink.stop();
    await pass(bench, 4_000);
    await stopping;
    expect(bench.clock.pending).toBe(0);
  });

  test("pause closes, resume continues where it stood", async () => {
    const bench = sinkBench();
    bench.spool.add(2);
    await started(bench);
    await bench.sink.pause();
    expect(bench.sink.status().state).toBe("paused");
    bench.sink.committed(bench.spool.add(2));
    await pass(bench, 5_000);
    expect(bench.broker.data()).toHaveLength(2);
    bench.sink.resume();
    await settled();
    expect(seqs(bench.broker.data())).toEqual([1, 2, 3, 4]);
  });

  test("says when it tries again, and resume tries at once", async () => {
    const bench = await started(sinkBench());
    expect(bench.sink.status().retryInMs).toBeNull();
    bench.broker.hangUp();
    await settled();
    const { retryInMs } = bench.sink.status();
    expect(retryInMs).toBeGreaterThan(0);
    bench.clock.advance(1);
    expect(bench.sink.status().retryInMs).toBe((retryInMs ?? 0) - 1);
    bench.sink.resume();
    await settled();
    expect(bench.sink.status()).toMatchObject({ state: "up", retryInMs: null });
  });

  test("statuses are retained, and published again after a reconnect", async () => {
    const bench = await started(sinkBench());
    bench.sink.presenceChanged("attic-7", "online");
    await settled();
    bench.broker.hangUp();
    bench.sink.presenceChanged("attic-7", "offline");
    await pass(bench, 1_000);
    const statuses = bench.broker.got.filter((message) => message.topic === "tidegate/gw/attic-7/status");
    expect(statuses.map((m) => [m.session, m.payload, m.retain, m.qos])).toEqual([
      [1, "online", true, 1],
      [2, "offline", true, 1],
    ]);
  });
});

test("what is retained of a forgotten device is cleared, and not published again", async () => {
  const bench = await started(sinkBench());
  bench.sink.presenceChanged("attic-7", "online");
  const readings = [{ signal: "t", t: 1, v: 1, q: "good" as const }];
  bench.sink.observe({ id: 1, device: "attic-7", kind: "data", receivedUnixMs: 1, readings });
  await settled();
  bench.sink.forgotten("attic-7");
  await settled();
  const cleared = bench.broker.got.filter((message) => message.payload === "" && message.retain);
  const topics = ["status", "state", "watermark"].map((last) => `tidegate/gw/attic-7/${last}`);
  expect(cleared.map((m) => m.topic)).toEqual(topics);
  bench.broker.hangUp();
  await pass(bench, 3_000);
  expect(bench.broker.got.filter((m) => m.session === 2).map((m) => m.topic)).toEqual(["tidegate/gw/status"]);
});

describe("protocol versions", () => {
  test("0x84 leads to MQTT 3.1.1 at once, and later connections begin with it", async () => {
    const bench = sinkBench({
      connack: (connect) => (connect.protocolVersion === 5 ? { reasonCode: 0x84 } : { returnCode: 0 }),
    });
    bench.spool.add(3);
    await started(bench);
    expect(bench.sink.status()).toMatchObject({ state: "up", protocol: "MQTT 3.1.1" });
    expect(bench.sink.cursor).toBe(3);
    bench.broker.hangUp();
    await pass(bench, 1_000);
    expect(bench.broker.connects.map((connect) => connect.protocolVersion)).toEqual([5, 4, 4]);
  });

  test("a refusal in the shape of 3.1.1 is understood", async () => {
    const bench = sinkBench();
    bench.broker.send = (packet) => {
      if (packet.cmd === "connack")
        bench.broker.sendRaw(Buffer.from([0x20, 2, 0, bench.broker.connects.length === 1 ? 1 : 0]));
    };
    await started(bench);
    expect(bench.sink.status()).toMatchObject({ state: "up", protocol: "MQTT 3.1.1" });
  });

  test("a broker that hangs up on MQTT 5 twice is taken for one of 3.1.1; after one time 5 is tried again", async () => {
    const bench = sinkBench({ connack: (connect) => (connect.protocolVersion === 5 ? "hangUp" : { returnCode: 0 }) });
    await started(bench);
    for (let i = 0; i < 3; i++) {
      bench.broker.hangUp();
      await pass(bench, 5_000);
    }
    expect(bench.broker.connects.map((connect) => connect.protocolVersion)).toEqual([5, 4, 5, 4, 4, 4]);
  });

  test("a refused password blocks the sink, is tried again slowly, and names the fix", async () => {
    let password = "wrong";
    const bench = sinkBench(
      { connack: (connect) => ({ reasonCode: connect.password?.toString() === "right" ? 0 : 0x86 }) },
      { username: "tidegate", password: () => password },
    );
    await started(bench);
    expect(bench.sink.status()).toMatchObject({ state: "blocked", lastError: { code: "E_SINK_REFUSED" } });
    expect(bench.sink.status().lastError?.why).toBe(
      "the broker refused the password (CONNACK bad user name or password (0x86))",
    );
    expect(JSON.stringify(bench.sink.status())).not.toContain("wrong");
    await pass(bench, 25_000, 5_000);
    expect(bench.broker.connects).toHaveLength(1);
    password = "right";
    await pass(bench, 40_000, 5_000);
    expect(bench.sink.status()).toMatchObject({ state: "up", lastError: null });
  });

  test("a refused connection backs off with jitter and hints at Mosquitto's default", async () => {
    const refusal = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const bench = await started(sinkBench({ dialError: () => refusal }));
    expect(bench.sink.status().state).toBe("backingOff");
    expect(bench.sink.status().lastError?.fix).toContain("listener 1883");
  });

  test("a broker that never answers CONNECT is given up on", async () => {
    const bench = await started(sinkBench({ connack: () => "silent" }));
    await pass(bench, 20_000, 5_000);
    expect(bench.sink.status().lastError?.why).toContain("did not answer CONNECT");
  });

  test("a password file that cannot be read blocks the sink", async () => {
    const bench = sinkBench(
      {},
      {
        password: () => {
          throw new Error("EACCES: permission denied");
        },
      },
    );
    await started(bench);
    expect(bench.sink.status()).toMatchObject({ state: "blocked" });
    expect(bench.sink.status().lastError?.why).toContain("EACCES");
  });
});

describe("commands", () => {
  const command = (more: Partial<IPublishPacket> = {}): IPublishPacket => ({
    ...{ cmd: "publish", topic: "tidegate/gw/attic-7/cmd/fan", payload: '{"rpm":900}', messageId: 9 },
    ...{ qos: 1, dup: false, retain: false },
    ...more,
  });
  const pubacks = (bench: SinkBench): number[] =>
    bench.broker.packets.filter((packet) => packet.cmd === "puback").map((packet) => packet.messageId ?? 0);
  const results = (bench: SinkBench) => bench.broker.got.filter((message) => message.topic.endsWith("/result"));

  test("a command becomes durable before it is acked", async () => {
    let store: () => void = () => {};
    const bench = await started(
      sinkBench(
        {},
        {},
        {
          submit: () =>
            new Promise<void>((resolve) => {
              store = resolve;
            }),
        },
      ),
    );
    bench.broker.send(command());
    await settled();
    expect(pubacks(bench)).toEqual([]);
    store();
    await settled();
    expect(pubacks(bench)).toEqual([9]);
  });

  test("expiry becomes ttl, correlation becomes the key, the response topic is kept", async () => {
    const bench = await started(sinkBench());
    const properties = {
      ...{ messageExpiryInterval: 5, correlationData: Buffer.from([1, 2]), responseTopic: "home/replies" },
      userProperties: { delivery: "atLeastOnce" },
    };
    bench.broker.send(command({ properties }));
    await settled();
    expect(bench.submitted).toEqual([
      {
        ...{ device: "attic-7", name: "fan", args: '{"rpm":900}', delivery: "atLeastOnce", ttlMs: 5_000 },
        ...{ source: "mqtt:broker", idempotencyKey: "AQI=", responseTopic: "home/replies", correlation: "AQI=" },
      },
    ]);
  });

  test("an empty payload is null", async () => {
    const bench = await started(sinkBench());
    bench.broker.send(command({ payload: "" }));
    await settled();
    expect(bench.submitted[0]).toMatchObject({ args: "null", delivery: null, ttlMs: null, idempotencyKey: null });
  });

  test("the retain flag is asked to be kept, and a retained command is refused, counted and answered", async () => {
    const bench = await started(sinkBench());
    const subscribe = bench.broker.packets.find((packet) => packet.cmd === "subscribe");
    expect(subscribe?.subscriptions[0]).toMatchObject({ topic: "tidegate/gw/+/cmd/+", qos: 1, rap: true });
    bench.broker.send(command({ retain: true }));
    await settled();
    expect(bench.submitted).toEqual([]);
    expect(bench.metrics.read("sink_commands_retained")).toBe(1);
    expect(pubacks(bench)).toEqual([9]);
    const payload = JSON.parse(results(bench)[0]?.payload ?? "");
    expect(payload).toMatchObject({ commandId: null, state: "refused", code: "E_FORBIDDEN", name: "fan" });
  });

  test.each<[string, Partial<IPublishPacket>]>([
    ["no JSON", { payload: "{rpm" }],
    ["no UTF-8", { payload: Buffer.from([0x22, 0xff, 0x22]) }],
    ["more than 32 KiB", { payload: JSON.stringify("x".repeat(33_000)) }],
    ["a response topic with wildcards", { properties: { responseTopic: "a/#" } }],
    ["a response topic that is a command topic", { properties: { responseTopic: "tidegate/gw/attic-8/cmd/unlock" } }],
    ["a system response topic", { properties: { responseTopic: "$SYS/x" } }],
    ["an unknown delivery", { properties: { userProperties: { delivery: "maybe" } } }],
    ["too much correlation data", { properties: { correlationData: Buffer.alloc(300) } }],
  ])("%s is refused, acked and answered", async (_what, more) => {
    const bench = await started(sinkBench());
    bench.broker.send(command(more));
    await settled();
    expect(bench.submitted).toEqual([]);
    expect(pubacks(bench)).toEqual([9]);
    expect(results(bench)).toHaveLength(1);
    expect(bench.broker.got.some((message) => message.topic.endsWith("/unlock"))).toBe(false);
  });

  test("a topic that names no device or command is refused without an answer", async () => {
    const bench = await started(sinkBench());
    bench.broker.send(command({ topic: "tidegate/gw/bad name/cmd/fan" }));
    await settled();
    expect(bench.submitted).toEqual([]);
    expect(results(bench)).toEqual([]);
    expect(bench.metrics.read("sink_commands_refused")).toBe(1);
  });

  test("what the store refuses is answered with its reason, also to the response topic", async () => {
    const submit = () => Promise.reject(new GatewayError("E_DEVICE_UNKNOWN", "there is no device attic-7"));
    const bench = await started(sinkBench({}, {}, { submit }));
    bench.broker.send(command({ properties: { responseTopic: "r", correlationData: Buffer.from("k") } }));
    await settled();
    expect(JSON.parse(results(bench)[0]?.payload ?? "")).toMatchObject({ code: "E_DEVICE_UNKNOWN", state: "refused" });
    const response = bench.broker.got.find((message) => message.topic === "r");
    expect(response?.properties?.correlationData?.toString()).toBe("k");
    expect(pubacks(bench)).toEqual([9]);
  });

  test("answers to nonsense are limited in rate", async () => {
    const bench = await started(sinkBench());
    for (let i = 1; i <= 60; i++) bench.broker.send(command({ messageId: i, payload: "{" }));
    await settled();
    expect(results(bench)).toHaveLength(20);
    expect(pubacks(bench)).toHaveLength(60);
    expect(bench.metrics.read("sink_shed")).toBe(40);
  });

  test("acks keep the order of arrival", async () => {
    const store: (() => void)[] = [];
    const submit = () => new Promise<void>((resolve) => store.push(resolve));
    const bench = await started(sinkBench({}, {}, { submit }));
    for (const messageId of [1, 2, 3]) bench.broker.send(command({ messageId }));
    await settled();
    store[2]?.();
    store[1]?.();
    await settled();
    expect(pubacks(bench)).toEqual([]);
    store[0]?.();
    await settled();
    expect(pubacks(bench)).toEqual([1, 2, 3]);
  });

  test("more commands at once than may wait are refused", async () => {
    const submit = () => new Promise<void>(() => {});
    const bench = await started(sinkBench({}, { limits: { commandsPending: 2 } }, { submit }));
    for (const messageId of [1, 2, 3]) bench.broker.send(command({ messageId }));
    await settled();
    expect(JSON.parse(results(bench)[0]?.payload ?? "")).toMatchObject({ code: "E_TOO_MANY" });
  });
});

describe("the retained state", () => {
  const event = (id: number, v: number, device = "attic-7"): LiveEvent => ({
    ...{ id, device, kind: "data", receivedUnixMs: id },
    readings: [{ signal: "temperature", t: id, v, q: "good" }],
  });
  const states = (bench: SinkBench) => bench.broker.got.filter((message) => message.topic.endsWith("/state"));

  test("it is published at most once a second per device, with the newest values", async () => {
    const bench = await started(sinkBench());
    for (let i = 0; i < 50; i++) {
      bench.sink.observe(event(i + 1, i));
      bench.clock.advance(50);
      await settled(8);
    }
    bench.clock.advance(1_000);
    await settled();
    const sent = states(bench);
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(sent.length).toBeLessThanOrEqual(4);
    expect(JSON.parse(sent.at(-1)?.payload ?? "")).toEqual({ temperature: 49, _t: 50 });
    expect(sent.every((m) => m.retain && m.qos === 0)).toBe(true);
  });

  test("an older reading does not replace a newer one", async () => {
    const bench = await started(sinkBench());
    bench.sink.observe(event(100, 1));
    bench.sink.observe(event(50, 2));
    await pass(bench, 2_000);
    expect(JSON.parse(states(bench).at(-1)?.payload ?? "")).toEqual({ temperature: 1, _t: 100 });
  });

  test("a reconnect publishes every known state again", async () => {
    const bench = await started(sinkBench());
    bench.sink.observe(event(1, 1));
    bench.sink.observe(event(1, 2, "attic-8"));
    await settled();
    bench.broker.hangUp();
    await pass(bench, 3_000);
    expect(states(bench).map((m) => [m.session, m.topic.split("/")[2]])).toEqual([
      [1, "attic-7"],
      [1, "attic-8"],
      [2, "attic-7"],
      [2, "attic-8"],
    ]);
  });

  test("devices past the limit are counted, not kept", async () => {
    const bench = await started(sinkBench({}, { limits: { devices: 1 } }));
    bench.sink.observe(event(1, 1));
    bench.sink.observe(event(1, 1, "attic-8"));
    await settled();
    expect(states(bench)).toHaveLength(1);
    expect(bench.metrics.read("sink_shed")).toBe(1);
  });
});

describe("sink test", () => {
  test("it tries every step on a connection of its own", async () => {
    const bench = sinkBench();
    const steps = await bench.sink.test();
    expect(steps.map((step) => [step.step, step.ok])).toEqual([
      ["connect", true],
      ["login", true],
      ["publish", true],
      ["subscribe", true],
    ]);
    expect(bench.broker.connects[0]).toMatchObject({ clientId: "tidegate-gw-broker-test" });
    expect(bench.broker.connects[0]?.will).toBeUndefined();
    expect(bench.sink.status().state).toBe("stopped");
  });

  test("it ends at the step that fails, with the fix", async () => {
    const bench = sinkBench({ connack: () => ({ reasonCode: 0x87 }) });
    const steps = await bench.sink.test();
    expect(steps.map((step) => [step.step, step.ok])).toEqual([
      ["connect", true],
      ["login", false],
    ]);
    expect(steps[1]?.detail).toContain("allow_anonymous");
  });
});
