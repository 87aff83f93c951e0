/** Sessions on a serial line: the real registry, a line in memory, boards that are swapped, and proofs. */
import { Reason } from "@tidegate/proto";
import { beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { SessionRegistry } from "../session/session-registry.js";
import { FakeHost, type FakeStream, hello } from "../session/testing/fake-session-world.js";
import { SerialLines } from "./serial-lines.js";
import { MemoryPorts, settle } from "./testing/memory-wire.js";

const PATH = "/dev/ttyUSB0";
const TOKENS: Readonly<Record<string, string>> = { "pump-token": "pump-7", "fan-token": "fan-1" };
const HEARTBEAT = { kind: "heartbeat" as const, heartbeat: { uptimeMs: 1, unixMs: 0, ping: 0, nextSeq: 1, oldest: 1 } };
const proof = (token: string) => new TextEncoder().encode(token);

let clock: ManualClock;
let metrics: Metrics;
let ports: MemoryPorts;
let world: FakeHost;
let registry: SessionRegistry<FakeStream>;
let lines: SerialLines;

async function start(trusted: boolean): Promise<void> {
  lines = new SerialLines(
    { lines: [{ path: PATH, baud: 115_200, trusted }], messagesPerSecond: 1000, messageBurst: 1000 },
    {
      clock,
      random: new SeededRandom(3),
      log: SILENT,
      metrics,
      openPort: ports.open,
      listPorts: () => Promise.resolve([]),
      checkProof: (bytes) => TOKENS[Buffer.from(bytes).toString()] ?? null,
      isKnown: (device) => device === "pump-7",
      open: (link) => registry.open(link),
    },
  );
  lines.start();
  await settle();
}

beforeEach(() => {
  clock = new ManualClock();
  metrics = new Metrics();
  ports = new MemoryPorts();
  world = new FakeHost();
  registry = new SessionRegistry<FakeStream>(world, {
    settings: { keepaliveMs: 30_000, helloTimeoutMs: 30_000, window: 8 },
    takeoversPerMinute: 3,
    clock,
    log: SILENT,
    metrics,
    presenceChanged: () => {},
  });
});

const sayHello = (changes: Parameters<typeof hello>[0] = {}) =>
  ports.wire.say({ kind: "hello", hello: hello({ proof: proof("pump-token"), ...changes }) });
const kinds = () => ports.wire.heard.map((body) => body.kind);
const byes = () => ports.wire.heard.flatMap((body) => (body.kind === "bye" ? [body.bye] : []));

describe("who is let in on a line", () => {
  it("[P-11] is a device whose Hello holds its own token", async () => {
    await start(false);
    await sayHello();
    expect(kinds()).toEqual(["welcome", "heartbeat"]);
    expect(registry.facts("pump-7")).toMatchObject({ device: "pump-7", remote: PATH });
    expect(lines.status()).toMatchObject([{ state: "open", device: "pump-7", trusted: false }]);
  });

  it.each([
    ["without a proof", new Uint8Array(0)],
    ["with the token of another device", proof("fan-token")],
    ["with a token that nobody has", proof("guess")],
  ])("is not a Hello %s: it gets a Bye and no session", async (_, wrong) => {
    await start(false);
    await sayHello({ proof: wrong });
    expect(byes()).toMatchObject([{ reason: Reason.BAD_CREDENTIAL }]);
    expect(world.requests).toEqual([]);
    expect(registry.onlineCount).toBe(0);
  });

  it("is on a trusted line every known device, by its id alone, and nobody else", async () => {
    await start(true);
    await sayHello({ proof: new Uint8Array(0) });
    expect(registry.onlineCount).toBe(1);
    await sayHello({ deviceId: "stranger", proof: new Uint8Array(0) });
    expect(byes()).toMatchObject([{ reason: Reason.BAD_CREDENTIAL }]);
    expect(registry.onlineCount).toBe(0);
  });

  it("keeps a Bye within what the device can receive", async () => {
    await start(false);
    await sayHello({ proof: proof("guess"), maxRxBytes: 64 });
    await sayHello({ proof: proof("guess"), maxRxBytes: 512 });
    expect(byes().map(({ detail }) => detail !== "")).toEqual([true, true]);
    await sayHello({ proof: proof("guess"), maxRxBytes: 20 });
    expect(byes().at(-1)).toMatchObject({ reason: Reason.BAD_CREDENTIAL, detail: "" });
  });
});

describe("sessions on a line", () => {
  it("[P-11] are asked for with SayHello, once a second, when frames come without one", async () => {
    await start(false);
    for (let n = 0; n < 5; n += 1) await ports.wire.say(HEARTBEAT);
    expect(kinds()).toEqual(["sayHello"]);
    clock.advance(1_000);
    await ports.wire.say(HEARTBEAT);
    expect(kinds()).toEqual(["sayHello", "sayHello"]);
    expect(metrics.read("serial_without_session")).toBe(6);
    await sayHello();
    expect(kinds().slice(2)).toEqual(["welcome", "heartbeat"]);
  });

  it("[P-11] take a repeated Hello as what it is and answer the latest", async () => {
    await start(false);
    await sayHello({ attempt: 1 });
    await sayHello({ attempt: 2 });
    const welcomes = ports.wire.heard.flatMap((body) => (body.kind === "welcome" ? [body.welcome.attempt] : []));
    expect(welcomes).toEqual([1, 2]);
    expect(registry.onlineCount).toBe(1);
  });

  it("end without a word on the line when another board is plugged in", async () => {
    await start(false);
    await sayHello();
    await sayHello({ deviceId: "fan-1", bootNonce: 99, proof: proof("fan-token") });
    expect(byes()).toEqual([]);
    expect(registry.facts("pump-7")).toBeNull();
    expect(lines.status()[0]?.device).toBe("fan-1");
    expect(world.lost.map(({ device }) => device)).toEqual(["pump-7"]);
  });

  it("end when the cable is pulled, and begin again with the next Hello", async () => {
    await start(false);
    await sayHello();
    await ports.wire.pull();
    expect(registry.onlineCount).toBe(0);
    for (let n = 0; n < 4; n += 1) {
      clock.advance(250);
      await settle();
    }
    await sayHello({ attempt: 2 });
    expect(registry.onlineCount).toBe(1);
  });

  it("[P-22] end after silence, and the device that speaks again is asked for a Hello", async () => {
    await start(false);
    await sayHello();
    clock.advance(47_000);
    await settle();
    expect(byes()).toMatchObject([{ reason: Reason.SILENT }]);
    await ports.wire.say(HEARTBEAT);
    expect(kinds().at(-1)).toBe("sayHello");
  });

  it("ignore Hellos that come faster than any device says them", async () => {
    await start(false);
    for (let attempt = 1; attempt <= 40; attempt += 1) await sayHello({ attempt });
    expect(metrics.read("serial_hellos_ignored")).toBe(30);
  });

  it("tell what fits the device: a command beyond its largest message does not", async () => {
    await start(false);
    await sayHello({ maxRxBytes: 91 });
    await ports.wire.say(HEARTBEAT);
    const [channel] = world.ready;
    expect(channel?.fits({ name: "fan", args: new Uint8Array(20) })).toBe(true);
    expect(channel?.fits({ name: "fan", args: new Uint8Array(91) })).toBe(false);
    expect(channel?.repeatAfterMs).toBeGreaterThan(0);
  });
});
