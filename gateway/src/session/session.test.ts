/** Sessions and their registry with a recorded link and a store that the test answers for. */
import { Reason } from "@tidegate/proto";
import { beforeEach, describe, expect, it } from "vitest";
import { GatewayError } from "../core/errors.js";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { Accuracy } from "../model/record.js";
import type { PresenceChange } from "./presence.js";
import { SessionRegistry } from "./session-registry.js";
import {
  FakeHost,
  FakeLink,
  type FakeStream,
  heartbeat,
  hello,
  telemetry,
  uplink,
} from "./testing/fake-session-world.js";

const KEEPALIVE_MS = 30_000;
const SETTINGS = { keepaliveMs: KEEPALIVE_MS, helloTimeoutMs: 30_000, window: 8 };

let clock: ManualClock;
let host: FakeHost;
let presence: PresenceChange[];
let registry: SessionRegistry<FakeStream>;

beforeEach(() => {
  clock = new ManualClock();
  host = new FakeHost();
  presence = [];
  registry = new SessionRegistry(host, {
    settings: SETTINGS,
    takeoversPerMinute: 3,
    clock,
    log: SILENT,
    metrics: new Metrics(),
    presenceChanged: (change) => presence.push(change),
  });
});

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Devices count their Hellos; each call here is the next one. */
let attempt = 0;

async function online(link = new FakeLink(), changes: Parameters<typeof hello>[0] = {}) {
  const session = registry.open(link);
  attempt += 1;
  session.message(uplink({ kind: "hello", hello: hello({ attempt, ...changes }) }));
  await settle();
  return { session, link };
}

describe("a session", () => {
  it("keeps no proof once it is checked: not in its facts, and not on the way to the store", async () => {
    const checked: string[] = [];
    const link = Object.assign(new FakeLink(null), {
      verify: ({ proof }: { proof: Uint8Array }) => checked.push(new TextDecoder().decode(proof)) > 0,
    });
    const { session } = await online(link, { proof: new TextEncoder().encode("tg_secret") });
    expect(checked).toEqual(["tg_secret"]);
    expect(host.requests[0]).toMatchObject({ proof: new Uint8Array(0) });
    expect(session.facts()?.hello.proof).toHaveLength(0);
  });

  it("ends with a protocol violation when a text message comes", async () => {
    const { session, link } = await online();
    session.text();
    expect(link.of("bye")[0]?.bye.reason).toBe(Reason.PROTOCOL_VIOLATION);
    expect(link.closedWith?.reason).toBe(Reason.PROTOCOL_VIOLATION);
  });

  it("welcomes with the echo of attempt and boot nonce, the durable mark and the limits [P-5]", async () => {
    host.outcome = { ackedSeq: 41, epoch: 1234, wantCatalog: true };
    const { link } = await online(new FakeLink(), { attempt: 3, bootNonce: 99 });
    expect(link.of("welcome")[0]?.welcome).toMatchObject({
      attempt: 3,
      bootNonce: 99,
      epoch: 1234,
      ackedSeq: 41,
      keepaliveMs: KEEPALIVE_MS,
      window: 8,
      wantCatalog: true,
      maxUplinkBytes: 65_536,
    });
  });

  it("acks what the intake says is durable, and nothing else [P-3]", async () => {
    const { session, link } = await online();
    session.message(telemetry(1));
    session.message(telemetry(2));
    expect(link.of("ack")).toEqual([]);
    host.stream?.listener.acked(2);
    expect(link.of("ack").map((m) => m.ack.seq)).toEqual([2]);
  });

  it("sends one Nack for a skipped number, not one per frame behind it [P-2]", async () => {
    const { session, link } = await online();
    session.message(telemetry(1));
    for (const seq of [3, 4, 5]) session.message(telemetry(seq));
    expect(link.of("nack").map((m) => m.nack)).toEqual([{ expected: 2, reason: Reason.OUT_OF_ORDER, retryAfterMs: 0 }]);
    clock.advance(1001);
    session.message(telemetry(6));
    expect(link.of("nack")).toHaveLength(2);
  });

  it("says the same Nack again soon on a line that may have lost it [P-2] [P-11]", async () => {
    const { session, link } = await online(new FakeLink("pump-7", 64));
    session.message(telemetry(1));
    for (const seq of [3, 4]) session.message(telemetry(seq));
    expect(link.of("nack")).toHaveLength(1);
    clock.advance(64);
    session.message(telemetry(5));
    expect(link.of("nack").map((m) => m.nack.expected)).toEqual([2, 2]);
  });

  it("says Bye to a gap that reaches below the first number, and moves nothing [P-2]", async () => {
    const { session, link } = await online();
    session.message(telemetry(2, { gap: 2 }));
    expect(link.of("bye")[0]?.bye.reason).toBe(Reason.PROTOCOL_VIOLATION);
    expect(host.frames).toEqual([]);
  });

  it("ends on garbage with a reason, and no later frame counts", async () => {
    const { session, link } = await online();
    session.message(Uint8Array.of(0xff, 0xff, 0xff));
    expect(link.closedWith?.reason).toBe(Reason.MALFORMED);
    session.message(telemetry(1));
    expect(host.frames).toEqual([]);
  });

  it("discards frames of a superseded link: half-open TCP delivers them late [P-5]", async () => {
    const old = await online();
    const fresh = await online();
    expect(old.link.closedWith?.reason).toBe(Reason.TAKEOVER);
    old.session.message(telemetry(1));
    expect(host.frames).toEqual([]);
    fresh.session.message(telemetry(1));
    expect(host.frames).toHaveLength(1);
  });

  it("[P-5] drops a Hello that was held up on a link the device gave up: the newer session stays", async () => {
    const late = registry.open(new FakeLink());
    const fresh = await online(new FakeLink(), { attempt: 500_000 });
    late.message(uplink({ kind: "hello", hello: hello({ attempt: 499_999 }) }));
    await settle();
    expect(fresh.link.closedWith).toBeNull();
    fresh.session.message(telemetry(1));
    expect(host.frames).toHaveLength(1);
  });

  it("fences the older session before it asks the storage queue [P-4]", async () => {
    const old = await online();
    let oldWasClosed = false;
    host.answer = async () => {
      oldWasClosed = old.link.closedWith !== null;
    };
    await online();
    expect(oldWasClosed).toBe(true);
  });

  it("takes no frames between a repeated Hello and its Welcome", async () => {
    const { session } = await online();
    session.message(uplink({ kind: "hello", hello: hello({ attempt: 1_000_000 }) }));
    session.message(telemetry(1));
    expect(host.frames).toEqual([]);
    await settle();
    session.message(telemetry(1));
    expect(host.frames).toHaveLength(1);
  });

  it("says the window again with each ping on a line that loses frames: a lost Flow must not stop a device for ever [P-11]", async () => {
    const { link } = await online(Object.assign(new FakeLink(), { repeatAfterMs: 500 }));
    host.stream?.listener.refused(1, Reason.STORAGE_FULL, 2_000);
    host.stream?.listener.resumed(8);
    const before = link.of("flow").length;
    clock.advance(KEEPALIVE_MS);
    expect(link.of("flow").length).toBeGreaterThan(before);
    expect(link.of("flow").at(-1)?.flow.window).toBe(8);
  });

  it("does not repeat Flow on a link that loses nothing", async () => {
    const { link } = await online();
    host.stream?.listener.refused(1, Reason.STORAGE_FULL, 2_000);
    host.stream?.listener.resumed(8);
    clock.advance(KEEPALIVE_MS);
    expect(link.of("flow").map(({ flow }) => flow.window)).toEqual([0, 8]);
  });

  it("pings at once, twice per keepalive, and maps uptime from the answers [P-23]", async () => {
    const { session, link } = await online(new FakeLink(), { uptimeMs: 1000 });
    const ping = link.of("heartbeat")[0]?.heartbeat.ping ?? 0;
    expect(ping).toBeGreaterThan(0);
    clock.advance(40);
    session.message(heartbeat({ ping, uptimeMs: 5020, nextSeq: 1, oldest: 1 }));
    session.message(telemetry(1, { uptimeMs: 5000 }));
    expect(host.frames[0]?.accuracy).toBe(Accuracy.mapped);
    // The answer's uptime 5020 was read half way, 20 ms ago: uptime is 5040 now, and 5000 was 40 ms ago.
    expect(host.frames[0]?.baseUnixMs).toBe(clock.unixMs() - 40);
    clock.advance(KEEPALIVE_MS / 2 + 1000);
    expect(link.of("heartbeat").length).toBe(2);
  });

  it("stamps in whole milliseconds, as uptime is counted: a fraction says nothing, and costs 13 bytes in each record", async () => {
    const offset = { bootNonce: 4242, offsetUnixMs: clock.unixMs() - 3_600_000.7 };
    host.outcome = { bootOffsets: [offset] };
    const { session, link } = await online(new FakeLink(), { uptimeMs: 5000 });
    const ping = link.of("heartbeat")[0]?.heartbeat.ping ?? 0;
    clock.advance(7);
    session.message(heartbeat({ ping, uptimeMs: 5002, nextSeq: 1, oldest: 1 }));
    session.message(telemetry(1, { uptimeMs: 5000 }));
    session.message(telemetry(2, { uptimeMs: 60_000, boot: 4242 }));
    expect(host.frames.map((frame) => frame.baseUnixMs)).toEqual([
      Math.round(clock.unixMs() - 5.5),
      Math.round(offset.offsetUnixMs + 60_000),
    ]);
  });

  it("changes only later stamps when the gateway's clock jumps by a day", async () => {
    const { session, link } = await online(new FakeLink(), { uptimeMs: 1000 });
    session.message(telemetry(1, { uptimeMs: 1000 }));
    const before = clock.unixMs();
    clock.jumpUnix(86_400_000);
    session.message(telemetry(2, { uptimeMs: 1000 }));
    expect(host.frames.map((f) => f.baseUnixMs)).toEqual([before, before + 86_400_000]);
    expect(link.closedWith).toBeNull();
  });

  it("stamps readings of a boot that never synchronised on arrival and flags them, never 1970 [P-23]", async () => {
    const { session } = await online();
    session.message(telemetry(1, { uptimeMs: 5, boot: 4242 }));
    session.message(telemetry(2, { unixMs: 1000 }));
    session.message(telemetry(3));
    for (const frame of host.frames) {
      expect(frame.accuracy).toBe(Accuracy.uncertain);
      expect(frame.baseUnixMs).toBe(clock.unixMs());
    }
  });

  it("maps readings of an older boot by what that boot's pings had told [P-23]", async () => {
    const offsetUnixMs = clock.unixMs() - 3_600_000;
    host.outcome = { bootOffsets: [{ bootNonce: 4242, offsetUnixMs }] };
    const { session } = await online();
    session.message(telemetry(1, { uptimeMs: 60_000, boot: 4242 }));
    expect(host.frames[0]).toMatchObject({ baseUnixMs: offsetUnixMs + 60_000, accuracy: Accuracy.mapped });
  });

  it("believes a device's own UTC when it is plausible", async () => {
    const { session } = await online();
    const unixMs = clock.unixMs() - 500;
    session.message(telemetry(1, { unixMs }));
    expect(host.frames[0]).toMatchObject({ baseUnixMs: unixMs, accuracy: Accuracy.device });
  });

  it("offers no commands before the device's first frame after Welcome [P-15]", async () => {
    const { session } = await online();
    expect(host.ready).toEqual([]);
    session.message(heartbeat({ nextSeq: 1, oldest: 1 }));
    session.message(telemetry(1));
    expect(host.ready).toHaveLength(1);
    session.linkLost();
    expect(host.lost).toEqual(host.ready);
  });

  it("passes on what a heartbeat announces, also when the ring is empty [P-12]", async () => {
    const { session } = await online();
    session.message(heartbeat({ nextSeq: 9, oldest: 9 }));
    expect(host.announced).toEqual([{ nextSeq: 9, oldest: 9, ended: false }]);
  });

  it("tells the device to wait when the store refuses, and to go on when it has space", async () => {
    const { link } = await online();
    host.stream?.listener.refused(5, Reason.STORAGE_FULL, 2000);
    expect(link.of("nack")[0]?.nack).toEqual({ expected: 5, reason: Reason.STORAGE_FULL, retryAfterMs: 2000 });
    host.stream?.listener.resumed(8);
    expect(link.of("flow").map((m) => m.flow.window)).toEqual([0, 8]);
  });

  it("refuses a Hello that contradicts itself, with what is wrong", async () => {
    host.answer = () => Promise.reject(new GatewayError("E_BAD_REQUEST", "oldest is above next_seq"));
    const { link } = await online();
    expect(link.of("bye")[0]?.bye).toMatchObject({
      reason: Reason.PROTOCOL_VIOLATION,
      detail: "oldest is above next_seq",
    });
  });

  it("does not blame the device when the store fails", async () => {
    host.answer = () => Promise.reject(new Error("worker gone"));
    const { link } = await online();
    expect(link.of("bye")[0]?.bye.reason).toBe(Reason.INTERNAL);
  });

  it("[P-41] refuses a reliable message without a number, and ignores a number on the others", async () => {
    const first = await online();
    first.session.message(uplink({ kind: "heartbeat", heartbeat: hb }, 4));
    expect(first.link.closedWith).toBeNull();
    expect(host.announced).toHaveLength(1);
    const second = await online();
    second.session.message(telemetry(0));
    expect(second.link.closedWith?.reason).toBe(Reason.PROTOCOL_VIOLATION);
  });
});

const hb = { uptimeMs: 0, unixMs: 0, ping: 0, nextSeq: 1, oldest: 1 };

describe("the registry", () => {
  it("counts who is online, and forgives a link that is back within three seconds", async () => {
    const { session } = await online();
    expect(registry.onlineCount).toBe(1);
    session.linkLost();
    expect(registry.onlineCount).toBe(0);
    clock.advance(1500);
    await online();
    clock.advance(10_000);
    expect(presence).toEqual([{ device: "pump-7", presence: "online" }]);
  });

  it("calls a device offline after the grace, and one that said it sleeps sleeping", async () => {
    const { session } = await online();
    session.linkLost();
    clock.advance(5000);
    expect(registry.presence("pump-7")).toBe("offline");
    const sleeper = await online(new FakeLink(), { sleepMs: 600_000 });
    sleeper.session.linkLost();
    clock.advance(5000);
    expect(registry.presence("pump-7")).toBe("sleeping");
    clock.advance(900_000);
    expect(registry.presence("pump-7")).toBe("offline");
  });

  it("ends silent sessions by itself", async () => {
    const { link } = await online();
    clock.advance(KEEPALIVE_MS * 1.5 + 1001);
    expect(link.closedWith?.reason).toBe(Reason.SILENT);
    expect(registry.onlineCount).toBe(0);
  });

  it("[P-14] locks out both sides of a cloned identity", async () => {
    const links: FakeLink[] = [];
    for (let i = 0; i < 6; i++) {
      const link = new FakeLink();
      links.push(link);
      const { session } = await online(link, { bootNonce: 1 + (i % 2) });
      session.message(heartbeat());
      clock.advance(1000);
    }
    expect(links.at(-1)?.of("bye")[0]?.bye.reason).toBe(Reason.CLONED_IDENTITY);
    expect(links.at(-2)?.of("bye")[0]?.bye.reason).toBe(Reason.CLONED_IDENTITY);
    expect(links.at(-1)?.of("bye")[0]?.bye.retryAfterMs).toBeGreaterThan(0);
  });

  it("ends a device's session when its credential is withdrawn", async () => {
    const { link } = await online();
    registry.endDevice("pump-7", Reason.REVOKED, "the credential was withdrawn");
    expect(link.of("bye")[0]?.bye.reason).toBe(Reason.REVOKED);
  });

  it("says Bye to everyone at a stop and leaves no timer behind", async () => {
    const { link } = await online();
    registry.stop();
    expect(link.of("bye")[0]?.bye.reason).toBe(Reason.SHUTDOWN);
    expect(clock.pending).toBe(0);
  });
});
