/** The device as an application sees it, on a manual clock and links without a network. */
import { Reason, type Telemetry } from "@tidegate/proto";
import { describe, expect, test, vi } from "vitest";
import { Device } from "./device.js";
import type { DeviceOptions } from "./device-options.js";
import { FakeLine } from "./testing/fake-link.js";
import { ManualClock } from "./testing/manual-clock.js";
import { SeededRandom } from "./testing/seeded-random.js";
import { EPOCH, lastHello, welcome } from "./testing/welcome.js";

function setUp(options: Partial<DeviceOptions> = {}) {
  const clock = new ManualClock();
  const line = new FakeLine();
  const device = new Device({
    url: "wss://gateway.local:8443/v1/device",
    id: "greenhouse-7",
    token: "secret",
    clock,
    random: new SeededRandom(7),
    connect: line.connect,
    ...options,
  });
  return { clock, line, device };
}

function goOnline(line: FakeLine): void {
  line.link.open();
  welcome(line.link);
}

function telemetry(line: FakeLine): Telemetry[] {
  return line.links.flatMap((link) => link.bodies("telemetry").map((body) => body.telemetry));
}

describe("reporting", () => {
  test("readings of a second become one message, with the catalog before it when the gateway asks [P-26]", () => {
    const line = new FakeLine({ helloRetryMs: 5_000 });
    const { clock, device } = setUp({ connect: line.connect });
    const temperature = device.signal("temperature", { unit: "°C", deviceClass: "temperature" });
    device.start();
    line.link.open();
    expect(lastHello(line.link).catalogHash).not.toBe(0);
    for (let i = 0; i < 5; i++) {
      temperature.report(20 + i);
      clock.advance(250);
    }
    welcome(line.link, { wantCatalog: true });
    clock.advance(1_000);
    const kinds = line.link.sent.map(({ seq, body }) => [seq, body?.kind]);
    expect(kinds).toEqual([
      [0, "hello"],
      [0, "heartbeat"],
      [1, "catalog"],
      [2, "telemetry"],
      [3, "telemetry"],
    ]);
    const [first] = telemetry(line);
    expect(first?.base).toEqual({ kind: "uptime", uptimeMs: 0 });
    expect(first?.series[0]).toMatchObject({ signal: 1, periodUs: 250_000, values: { floats: [20, 21, 22, 23] } });
  });

  test("what is reported before start waits and is sent first", () => {
    const { clock, line, device } = setUp();
    const level = device.signal("level", { type: "int" });
    level.report(1);
    clock.advance(1_000);
    device.start();
    goOnline(line);
    expect(telemetry(line)[0]?.series[0]?.values).toEqual({ kind: "ints", ints: [1] });
  });

  test("a reading with its own time travels as Unix time", () => {
    const { line, device } = setUp({ flushIntervalMs: 0 });
    const level = device.signal("level");
    device.start();
    goOnline(line);
    level.report(1, { at: new Date(1_700_000_123_456), quality: "uncertain" });
    expect(telemetry(line)[0]).toMatchObject({
      base: { kind: "unix", unixMs: 1_700_000_123_456 },
      series: [{ quality: 1 }],
    });
  });

  test("uptime wraps at 2^32 ms and stays in 32 bits [P-23]", () => {
    const { clock, line, device } = setUp({ flushIntervalMs: 0 });
    const level = device.signal("level");
    clock.advance(2 ** 32 - 10);
    device.start();
    goOnline(line);
    level.report(1);
    clock.advance(30);
    level.report(2);
    expect(telemetry(line).map(({ base }) => base)).toEqual([
      { kind: "uptime", uptimeMs: 2 ** 32 - 10 },
      { kind: "uptime", uptimeMs: 20 },
    ]);
  });

  test.each([
    ["float", {}, "warm", /no number/],
    ["float", {}, 1e300, /32 bits.*double/],
    ["int", { type: "int" }, 1.5, /no whole number/],
    ["int", { type: "int" }, 2 ** 31, /32 bits/],
    ["bool", { type: "bool" }, 1, /no boolean/],
    ["enum", { type: "enum", options: ["open", "shut"] }, "ajar", /none of open, shut/],
    ["text", { type: "text" }, "\ud800", /surrogate/],
    ["text", { type: "text" }, "x".repeat(5_000), /over the limit of 4096/],
    ["long", { type: "long" }, 2 ** 60, /bigint/],
    ["blob", { type: "blob" }, "bytes", /no Uint8Array/],
  ] as const)("a %s signal refuses what does not fit: %o %o", (_, options, value, message) => {
    const { device } = setUp();
    const signal = device.signal("s", options);
    expect(() => signal.report(value as never)).toThrow(TypeError); // the types forbid it, JavaScript does not
    expect(() => signal.report(value as never)).toThrow(message); // likewise
  });
});

describe("flush and stop", () => {
  test("flush resolves with the ack of the last message, not before", async () => {
    const { line, device } = setUp();
    const level = device.signal("level");
    device.start();
    goOnline(line);
    level.report(1);
    const done = vi.fn();
    const flushed = device.flush(5_000).then(done);
    await Promise.resolve();
    expect(done).not.toHaveBeenCalled();
    line.link.say({ kind: "ack", ack: { seq: 1 } });
    await flushed;
    expect(done).toHaveBeenCalledOnce();
  });

  test("flush rejects in time when no ack comes, and when something was dropped", async () => {
    const { clock, device } = setUp({ outbox: { maxMessages: 2 }, flushIntervalMs: 0 });
    const level = device.signal("level");
    level.report(1);
    const late = expect(device.flush(5_000)).rejects.toMatchObject({ code: "FLUSH_TIMEOUT" });
    await Promise.resolve();
    clock.advance(5_000);
    await late;
    const incomplete = expect(device.flush(5_000)).rejects.toMatchObject({ code: "FLUSH_INCOMPLETE" });
    await Promise.resolve();
    for (let i = 0; i < 3; i++) level.report(i);
    await incomplete;
  });

  test("stop drains, says goodbye and leaves no timer", async () => {
    const { clock, line, device } = setUp();
    const level = device.signal("level");
    device.start();
    goOnline(line);
    level.report(1);
    const stopped = device.stop();
    await vi.waitFor(() => expect(telemetry(line)).toHaveLength(1));
    line.link.say({ kind: "ack", ack: { seq: 1 } });
    await stopped;
    expect(line.link.sent.at(-1)?.body).toMatchObject({ kind: "bye", bye: { reason: Reason.SHUTDOWN } });
    expect(line.link.closeCode).toBe(4001);
    expect(clock.timers).toBe(0);
    expect(device.state).toBe("stopped");
    expect(() => level.report(2)).toThrow(/stopped/);
  });

  test("stop while waiting for the gateway ends at once", async () => {
    const { clock, line, device } = setUp();
    device.start();
    line.link.break();
    await device.stop();
    expect(clock.timers).toBe(0);
    clock.advance(100_000);
    expect(line.links).toHaveLength(1);
  });
});

describe("declarations", () => {
  test.each([
    ["a bad id", { id: "a/b" }, /no device id/],
    ["a batch too small", { maxBatchBytes: 10 }, /256/],
    ["an outbox of nothing", { outbox: { maxMessages: 0 } }, /maxMessages/],
    ["a long model", { model: "x".repeat(200) }, /model/],
  ] as const)("%s is refused with what to do", (_, options, message) => {
    expect(() => setUp(options)).toThrow(message);
  });

  test("late, double and ill-named declarations are refused", () => {
    const { device } = setUp();
    device.signal("a");
    expect(() => device.signal("a")).toThrow(/twice/);
    expect(() => device.signal("a b")).toThrow(/no name/);
    expect(() => device.signal("mode", { type: "enum" })).toThrow(/options/);
    expect(() => device.signal("f", { type: "float", scale: -1 })).toThrow(/scale/);
    expect(() => device.command("x", {} as never, () => {})).toThrow(/idempotent/); // JavaScript callers forget it
    device.start();
    expect(() => device.signal("b")).toThrow(/before start/);
  });

  test("scaled values lose nothing but what the scale says", () => {
    const { line, device } = setUp({ flushIntervalMs: 0 });
    const volts = device.signal("volts", { scale: -2 });
    device.start();
    goOnline(line);
    volts.report(21.43);
    volts.report(-0.014);
    expect(telemetry(line).map(({ series }) => series[0]?.values)).toEqual([
      { kind: "ints", ints: [2143] },
      { kind: "ints", ints: [-1] },
    ]);
  });
});

describe("events", () => {
  test("the application hears of online, acked, dropped, offline", () => {
    const { line, device } = setUp({ flushIntervalMs: 0, outbox: { maxMessages: 2 } });
    const level = device.signal("level");
    const heard: unknown[] = [];
    device.on("online", ({ epoch }) => heard.push(["online", epoch]));
    device.on("acked", ({ seq, samples }) => heard.push(["acked", seq, samples]));
    device.on("dropped", ({ samples }) => heard.push(["dropped", samples]));
    device.on("offline", ({ detail }) => heard.push(["offline", detail]));
    for (let i = 0; i < 3; i++) level.report(i);
    device.start();
    goOnline(line);
    line.link.say({ kind: "ack", ack: { seq: 3 } });
    line.link.break({ detail: "cut" });
    expect(heard).toEqual([
      ["dropped", 1],
      ["online", EPOCH],
      ["acked", 3, 2],
      ["offline", "cut"],
    ]);
    expect(device.stats()).toMatchObject({ samplesAcked: 2, samplesDropped: 1, samplesReported: 3, queuedMessages: 0 });
  });

  test("a frame that is no message closes the link with MALFORMED and is told [P-29]", () => {
    const { line, device } = setUp();
    const errors: string[] = [];
    device.on("error", (error) => errors.push(error.code));
    device.start();
    goOnline(line);
    line.link.sayBytes(new Uint8Array([0xff]));
    expect(errors).toEqual(["BAD_FRAME"]);
    expect(line.link.closeCode).toBe(4007);
    expect(device.state).toBe("waiting");
  });

  test("a link that was left has no say any more, neither by frames nor by its end [P-5]", () => {
    const { clock, line, device } = setUp({ flushIntervalMs: 0 });
    const level = device.signal("level");
    device.start();
    goOnline(line);
    level.report(1);
    const old = line.link;
    clock.advance(45_000); // silence: the device leaves the link, and opens another at once
    expect(old.state).toBe("aborted");
    goOnline(line);
    old.say({ kind: "ack", ack: { seq: 1 } });
    old.say({ kind: "bye", bye: { reason: Reason.REVOKED, retryAfterMs: 0, detail: "" } });
    expect(device.stats()).toMatchObject({ state: "online", queuedMessages: 1 });
    old.break();
    expect(device.state).toBe("online");
  });

  test("unknown bodies are ignored [P-25]", () => {
    const { line, device } = setUp();
    device.start();
    goOnline(line);
    line.link.sayBytes(new Uint8Array([0x7a, 0x00]));
    expect(device.state).toBe("online");
  });

  test("a log line is kept and numbered like a reading", () => {
    const { line, device } = setUp();
    device.start();
    goOnline(line);
    device.log("warning", "pump is warm");
    expect(line.link.sent.at(-1)).toMatchObject({ seq: 1, body: { kind: "log", log: { level: 4 } } });
  });
});
