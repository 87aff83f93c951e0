/**
 * The life of one device session, as a pure function.
 *
 *   awaitingHello ──hello──▶ greeting ──decided──▶ active ──hello (again)──▶ greeting
 *        │                      │                    │
 *        └──── no hello in time, refusal, violation, silence, bye, link lost ────▶ closed
 *
 * `step` decides and never acts; `session.ts` performs the effects. Reliable frames do not pass through here: their
 * verdict is a comparison of numbers (`admit`), and the machine sees traffic only as the time of the last message.
 */
import { type Hello, PROTOCOL_VERSION, Reason } from "@tidegate/proto";
import type { HelloOutcome } from "../model/spool.js";

/** Where one link stands. */
export type SessionState =
  | { readonly name: "awaitingHello"; readonly openedMonoMs: number }
  | { readonly name: "greeting"; readonly hello: Hello }
  | { readonly name: "active"; readonly hello: Hello }
  | { readonly name: "closed"; readonly reason: Reason };

/** What tells one Hello from another: two boots on one serial line both count from 1. */
export type HelloName = Pick<Hello, "bootNonce" | "attempt">;

/** What can happen to a link. */
export type SessionEvent =
  /** `isProven`: the link or the Hello's own proof vouches for the device id. */
  | { readonly type: "hello"; readonly hello: Hello; readonly isProven: boolean }
  /** The storage queue answered that Hello [P-4]. */
  | { readonly type: "decided"; readonly hello: HelloName; readonly outcome: HelloOutcome }
  /** That Hello contradicts itself, e.g. oldest above next_seq. */
  | { readonly type: "refused"; readonly hello: HelloName; readonly detail: string }
  | { readonly type: "sweep"; readonly nowMonoMs: number; readonly lastHeardMonoMs: number }
  /** The device said goodbye. */
  | { readonly type: "bye"; readonly reason: Reason }
  /** The gateway ends it: takeover, shutdown, revoked credential, violation. */
  | { readonly type: "end"; readonly reason: Reason; readonly detail: string; readonly retryAfterMs: number }
  | { readonly type: "linkLost" };

/** What the host of the machine is to do, in this order. */
export type SessionEffect =
  /** Ask the storage queue; everything gathered so far goes in front [P-4]. */
  | { readonly do: "storeHello"; readonly hello: Hello }
  | { readonly do: "welcome"; readonly hello: Hello; readonly outcome: HelloOutcome }
  /** Frames of the session end here: it is no longer active. */
  | { readonly do: "leave"; readonly reason: Reason }
  /** Say why, then close the link. */
  | { readonly do: "bye"; readonly reason: Reason; readonly detail: string; readonly retryAfterMs: number }
  | { readonly do: "closeLink"; readonly reason: Reason };

/** Times that bound a link, in ms. */
export interface SessionLimits {
  /** From the link's opening to the Hello [P-22]. */
  readonly helloTimeoutMs: number;
  /** The longest allowed silence that the device was told; half as much again is forgiven [P-22]. */
  readonly keepaliveMs: number;
}

/** What one event leads to. */
export interface Step {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

/** Silence is ended after one and a half keepalives: within two heartbeats of a half-open link. */
export const SILENCE_FACTOR = 1.5;

const stay = (state: SessionState): Step => ({ state, effects: [] });

/**
 * @param identity the device id that the link's credential belongs to; null on a serial line: any proven one fits.
 */
export function step(state: SessionState, event: SessionEvent, limits: SessionLimits, identity: string | null): Step {
  // A verdict or a timer may come in after the end: a closed session stays closed.
  if (state.name === "closed") return stay(state);
  switch (event.type) {
    case "hello":
      return hello(state, event.hello, event.isProven, identity);
    case "decided":
      return decided(state, event.hello, event.outcome);
    case "refused":
      if (state.name !== "greeting" || !isSame(state.hello, event.hello)) return stay(state);
      return end(state, Reason.PROTOCOL_VIOLATION, event.detail);
    case "sweep":
      return sweep(state, event.nowMonoMs, event.lastHeardMonoMs, limits);
    case "bye":
      return { state: { name: "closed", reason: event.reason }, effects: leaveAnd(state, event.reason) };
    case "end":
      return end(state, event.reason, event.detail, event.retryAfterMs);
    case "linkLost":
      return { state: { name: "closed", reason: Reason.UNSPECIFIED }, effects: leaveAnd(state, Reason.UNSPECIFIED) };
  }
}

function hello(
  state: Exclude<SessionState, { name: "closed" }>,
  said: Hello,
  isProven: boolean,
  identity: string | null,
): Step {
  if (said.protocol > PROTOCOL_VERSION) {
    return end(state, Reason.UNSUPPORTED_PROTOCOL, `this gateway speaks protocol ${PROTOCOL_VERSION}`);
  }
  if (identity !== null && said.deviceId !== identity) {
    return end(state, Reason.BAD_CREDENTIAL, "the credential belongs to another device id");
  }
  if (!isProven) return end(state, Reason.BAD_CREDENTIAL, "the proof in Hello is not this device's token");
  // Only the answer to the latest Hello counts [P-5]; an older one that comes late is not answered.
  if (
    state.name !== "awaitingHello" &&
    said.bootNonce === state.hello.bootNonce &&
    said.attempt < state.hello.attempt
  ) {
    return stay(state);
  }
  const effects: SessionEffect[] = [];
  if (state.name === "active") effects.push({ do: "leave", reason: Reason.UNSPECIFIED });
  effects.push({ do: "storeHello", hello: said });
  return { state: { name: "greeting", hello: said }, effects };
}

/** Only the answer to the latest Hello counts [P-5]: one to a boot that is gone would give its epoch to this one. */
function isSame(latest: HelloName, answered: HelloName): boolean {
  return latest.bootNonce === answered.bootNonce && latest.attempt === answered.attempt;
}

function decided(state: SessionState, answered: HelloName, outcome: HelloOutcome): Step {
  if (state.name !== "greeting" || !isSame(state.hello, answered)) return stay(state);
  return {
    state: { name: "active", hello: state.hello },
    effects: [{ do: "welcome", hello: state.hello, outcome }],
  };
}

function sweep(
  state: Exclude<SessionState, { name: "closed" }>,
  nowMonoMs: number,
  lastHeardMonoMs: number,
  limits: SessionLimits,
): Step {
  if (state.name === "awaitingHello") {
    if (nowMonoMs - state.openedMonoMs <= limits.helloTimeoutMs) return stay(state);
    return end(state, Reason.HELLO_TIMEOUT, `no hello within ${limits.helloTimeoutMs} ms`);
  }
  // While the storage queue is busy with the Hello, silence is ours, not the device's.
  if (state.name === "greeting") return stay(state);
  if (nowMonoMs - lastHeardMonoMs <= limits.keepaliveMs * SILENCE_FACTOR) return stay(state);
  return end(state, Reason.SILENT, `nothing heard for ${Math.round(nowMonoMs - lastHeardMonoMs)} ms`);
}

function end(state: Exclude<SessionState, { name: "closed" }>, reason: Reason, detail: string, retryAfterMs = 0): Step {
  const effects: SessionEffect[] = state.name === "active" ? [{ do: "leave", reason }] : [];
  effects.push({ do: "bye", reason, detail, retryAfterMs });
  return { state: { name: "closed", reason }, effects };
}

function leaveAnd(state: SessionState, reason: Reason): SessionEffect[] {
  const effects: SessionEffect[] = state.name === "active" ? [{ do: "leave", reason }] : [];
  effects.push({ do: "closeLink", reason });
  return effects;
}
