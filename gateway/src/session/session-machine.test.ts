/** The session machine alone: every event in every state that matters. */
import { type Hello, Reason } from "@tidegate/proto";
import { describe, expect, it } from "vitest";
import type { HelloOutcome } from "../model/spool.js";
import { type SessionEffect, type SessionEvent, type SessionState, step } from "./session-machine.js";
import { hello } from "./testing/fake-session-world.js";

const LIMITS = { helloTimeoutMs: 30_000, keepaliveMs: 30_000 };
const OPEN: SessionState = { name: "awaitingHello", openedMonoMs: 0 };
const OUTCOME: HelloOutcome = {
  deviceKey: 1,
  epoch: 9,
  renumbered: false,
  ackedSeq: 0,
  wantCatalog: false,
  lastWireId: 0,
  bootOffsets: [],
};

function run(from: SessionState, ...events: SessionEvent[]): { state: SessionState; effects: SessionEffect[] } {
  const effects: SessionEffect[] = [];
  let state = from;
  for (const event of events) {
    const next = step(state, event, LIMITS, "pump-7");
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}

const said = (changes: Partial<Hello> = {}, isProven = true): SessionEvent => ({
  type: "hello",
  hello: hello(changes),
  isProven,
});
const decided = (attempt: number, bootNonce = hello().bootNonce): SessionEvent => ({
  type: "decided",
  hello: { bootNonce, attempt },
  outcome: OUTCOME,
});
const doing = (effects: SessionEffect[]) => effects.map((effect) => effect.do);

describe("the session machine", () => {
  it("welcomes a device after the storage queue has answered", () => {
    const { state, effects } = run(OPEN, said(), decided(1));
    expect(state.name).toBe("active");
    expect(doing(effects)).toEqual(["storeHello", "welcome"]);
  });

  it("[P-5] answers only the latest Hello: an answer to an older attempt changes nothing", () => {
    const waiting = run(OPEN, said({ attempt: 1 }), said({ attempt: 2 }));
    expect(run(waiting.state, decided(1)).state.name).toBe("greeting");
    expect(run(waiting.state, decided(2)).state.name).toBe("active");
  });

  it("[P-5] an answer to the boot before, which had counted as far, changes nothing", () => {
    const { bootNonce } = hello();
    const waiting = run(OPEN, said({ attempt: 3 }), said({ attempt: 3, bootNonce: bootNonce + 1 }));
    expect(run(waiting.state, decided(3)).effects).toEqual([]);
    expect(doing(run(waiting.state, decided(3, bootNonce + 1)).effects)).toEqual(["welcome"]);
    const refused = (nonce: number): SessionEvent => ({
      type: "refused",
      hello: { bootNonce: nonce, attempt: 3 },
      detail: "",
    });
    expect(run(waiting.state, refused(bootNonce)).effects).toEqual([]);
    expect(run(waiting.state, refused(bootNonce + 1)).state.name).toBe("closed");
  });

  it("[P-5] ignores an older attempt that arrives after a newer one", () => {
    const waiting = run(OPEN, said({ attempt: 5 }));
    expect(run(waiting.state, said({ attempt: 4 })).effects).toEqual([]);
  });

  it("starts over when the device says Hello again in an active session", () => {
    const again = run(OPEN, said(), decided(1), said({ attempt: 2 }));
    expect(again.state.name).toBe("greeting");
    expect(doing(again.effects).slice(2)).toEqual(["leave", "storeHello"]);
  });

  it("refuses a Hello whose id is not the credential's", () => {
    const { state } = run(OPEN, said({ deviceId: "other" }));
    expect(state).toEqual({ name: "closed", reason: Reason.BAD_CREDENTIAL });
  });

  it("refuses a Hello that proves nothing, also in the middle of a session", () => {
    const refused = { name: "closed", reason: Reason.BAD_CREDENTIAL };
    expect(run(OPEN, said({}, false)).state).toEqual(refused);
    expect(run(OPEN, said(), decided(1), said({ attempt: 2 }, false)).state).toEqual(refused);
  });

  it("[P-25] says goodbye to a protocol it does not know", () => {
    expect(run(OPEN, said({ protocol: 2 })).state).toEqual({ name: "closed", reason: Reason.UNSUPPORTED_PROTOCOL });
  });

  it("[P-22] waits 30 s for a Hello, not less", () => {
    const at = (nowMonoMs: number): SessionEvent => ({ type: "sweep", nowMonoMs, lastHeardMonoMs: 0 });
    expect(run(OPEN, at(30_000)).state.name).toBe("awaitingHello");
    expect(run(OPEN, at(30_001)).state).toEqual({ name: "closed", reason: Reason.HELLO_TIMEOUT });
  });

  it("[P-22] ends an active session after one and a half keepalives of silence", () => {
    const { state } = run(OPEN, said(), decided(1));
    const at = (nowMonoMs: number): SessionEvent => ({ type: "sweep", nowMonoMs, lastHeardMonoMs: 1000 });
    expect(run(state, at(46_000)).state.name).toBe("active");
    expect(run(state, at(46_001)).state).toEqual({ name: "closed", reason: Reason.SILENT });
  });

  it("does not blame the device for silence while the storage queue is slow", () => {
    const { state } = run(OPEN, said());
    const late: SessionEvent = { type: "sweep", nowMonoMs: 1e9, lastHeardMonoMs: 0 };
    expect(run(state, late).state.name).toBe("greeting");
  });

  it("stays closed whatever comes late", () => {
    const closed = run(OPEN, { type: "linkLost" }).state;
    const late: SessionEvent[] = [said(), decided(1), { type: "bye", reason: 1 }, { type: "linkLost" }];
    for (const event of late) expect(run(closed, event)).toEqual({ state: closed, effects: [] });
  });

  it("leaves exactly once, and only when it was active", () => {
    const active = run(OPEN, said(), decided(1)).state;
    const end: SessionEvent = { type: "end", reason: Reason.SHUTDOWN, detail: "", retryAfterMs: 0 };
    expect(doing(run(active, end, end).effects)).toEqual(["leave", "bye"]);
    expect(doing(run(OPEN, end).effects)).toEqual(["bye"]);
  });
});
