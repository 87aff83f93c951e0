/**
 * How a session ends on the device's side, and when the next attempt comes [P-21] [P-30]. Pure; part of the client
 * machine.
 */
import type { Reason, RetryAdvice } from "@tidegate/proto";
import { type BackoffLimits, backoffMs, recheckWaitMs } from "./backoff.js";
import type { ClientEffect, ClientLimits, ClientState, Step, Surroundings } from "./client-state.js";

/** Why and how a link ends, and how long to stay away. */
export interface Ending {
  /** One line for people. */
  readonly detail: string;
  /** `gone`: the link ended by itself · `atOnce`: the peer does not answer · otherwise in order, saying this. */
  readonly leave: "gone" | "atOnce" | Reason;
  readonly advice?: RetryAdvice;
  readonly retryAfterMs?: number;
}

/** Leave the link and decide when to come back [P-21]. */
export function giveUp(state: ClientState, world: Surroundings, ending: Ending): Step {
  const { nowMs, limits, unit } = world;
  const { advice = "backOff", detail, retryAfterMs = 0 } = ending;
  const leave = leaving(ending.leave);
  if (advice === "never") {
    const waitMs = Math.max(recheckWaitMs(limits.recheckMs, unit), retryAfterMs);
    const news = { kind: "refused", detail, retryInMs: waitMs } as const;
    return {
      state: { ...state, phase: { name: "refused", untilMs: nowMs + waitMs } },
      effects: [...leave, { do: "announce", news }],
    };
  }
  const { phase } = state;
  const wasStable = phase.name === "online" && nowMs - phase.sinceMs >= limits.stableAfterMs;
  const failures = wasStable ? 0 : state.failures;
  const isAtOnce = advice === "now" && failures === 0 && retryAfterMs === 0;
  const waitMs = isAtOnce ? 0 : backoffMs(failures, retryAfterMs, unit, waits(limits));
  const news = { kind: "offline", detail, retryInMs: waitMs } as const;
  return {
    state: { ...state, failures: failures + 1, phase: { name: "waiting", untilMs: nowMs + waitMs } },
    effects: [...leave, { do: "announce", news }],
  };
}

function leaving(leave: Ending["leave"]): ClientEffect[] {
  if (leave === "gone") return [];
  return [leave === "atOnce" ? { do: "abortLink" } : { do: "closeLink", reason: leave }];
}

/** The bounds of the backoff. */
export function waits(limits: ClientLimits): BackoffLimits {
  return { baseMs: limits.backoffBaseMs, capMs: limits.backoffCapMs };
}
