/**
 * The life of a sink, pure: what happened in, what to do out. Randomness comes in as a number.
 *
 *              start                  up
 *   stopped ─────────▶ connecting ─────────▶ up ──stable──▶ (backoff starts over)
 *      ▲                ▲  │ ▲ failure 5→3.1.1 at once │ down
 *      │stop            │  ├─┘                         │
 *      │           retry│  ├──network──▶ backingOff ◀──┘   full jitter, doubling to the cap
 *      │                │  └──refused──▶ blocked           slow: only a person can help
 *   paused ◀──pause── any          resume ─▶ connecting     also of one that waits: a person mended the broker
 */
import { type BackoffLimits, fullJitterMs } from "../core/backoff.js";
import type { SinkState } from "../model/sink.js";
import type { SinkFailure } from "./failure.js";

export interface SinkMachineState {
  readonly phase: SinkState;
  /** Failures since a session was last stable. */
  readonly attempt: number;
  /** MQTT version of the next attempt. */
  readonly version: 4 | 5;
  /** The broker said, or showed twice, that it knows no MQTT 5: 3.1.1 until the gateway restarts. */
  readonly isVersionSettled: boolean;
  /** How often it hung up on an MQTT 5 CONNECT and then took one of 3.1.1. */
  readonly silentCloses: number;
  /** The last failure; null since it came up. */
  readonly failure: SinkFailure | null;
}

export type SinkEvent =
  | { readonly type: "start" | "stop" | "pause" | "resume" | "up" | "retry" | "stable" }
  | { readonly type: "down"; readonly failure: SinkFailure };

export type SinkEffect =
  | { readonly type: "open"; readonly version: 4 | 5 }
  /** Orderly: say offline, DISCONNECT. Nothing happens when nothing is open. */
  | { readonly type: "close" }
  /** Send `retry` after that time; replaces a timer that runs. */
  | { readonly type: "retryAfter"; readonly delayMs: number }
  /** Send `stable` after that time, unless the connection ends before. */
  | { readonly type: "stableAfter" }
  | { readonly type: "cancelTimers" };

export interface SinkMachineLimits {
  readonly backoff: BackoffLimits;
  readonly blockedRetryMs: number;
}

export interface SinkStep {
  readonly state: SinkMachineState;
  readonly effects: readonly SinkEffect[];
}

/** Hang-ups on MQTT 5 before 3.1.1 is taken as what this broker speaks. One may have been a restart. */
const SILENT_CLOSES_MAX = 2;

export const SINK_STOPPED: SinkMachineState = {
  phase: "stopped",
  attempt: 0,
  version: 5,
  isVersionSettled: false,
  silentCloses: 0,
  failure: null,
};

/** @param unit uniform in [0, 1), for the jitter. */
export function step(state: SinkMachineState, event: SinkEvent, unit: number, limits: SinkMachineLimits): SinkStep {
  switch (event.type) {
    case "start":
      return state.phase === "stopped" ? open(state) : same(state);
    case "resume":
      return isResting(state.phase) ? openAtOnce({ ...state, attempt: 0 }) : same(state);
    case "stop":
      return end(state, "stopped");
    case "pause":
      return state.phase === "stopped" ? same(state) : end(state, "paused");
    case "retry":
      return isWaiting(state.phase) ? open(state) : same(state);
    case "stable":
      return state.phase === "up" ? { state: { ...state, attempt: 0 }, effects: [] } : same(state);
    case "up":
      return state.phase === "connecting" ? cameUp(state) : same(state);
    case "down":
      return state.phase === "connecting" || state.phase === "up"
        ? wentDown(state, event.failure, unit, limits)
        : same(state);
  }
}

const isWaiting = (phase: SinkState): boolean => phase === "backingOff" || phase === "blocked";
const isResting = (phase: SinkState): boolean => phase === "paused" || isWaiting(phase);
const same = (state: SinkMachineState): SinkStep => ({ state, effects: [] });

function open(state: SinkMachineState): SinkStep {
  return { state: { ...state, phase: "connecting" }, effects: [{ type: "open", version: state.version }] };
}

function openAtOnce(state: SinkMachineState): SinkStep {
  const { state: opened, effects } = open(state);
  return { state: opened, effects: [{ type: "cancelTimers" }, ...effects] };
}

function end(state: SinkMachineState, phase: "stopped" | "paused"): SinkStep {
  if (state.phase === phase) return same(state);
  const ended = { ...state, phase, attempt: 0, failure: null };
  return { state: ended, effects: [{ type: "cancelTimers" }, { type: "close" }] };
}

function cameUp(state: SinkMachineState): SinkStep {
  const isSettled = state.isVersionSettled || (state.version === 4 && state.silentCloses >= SILENT_CLOSES_MAX);
  // Where only a hang-up spoke against MQTT 5, the next connection tries 5 again.
  const version = isSettled ? state.version : 5;
  const silentCloses = state.version === 5 ? 0 : state.silentCloses;
  const up = { ...state, phase: "up" as const, failure: null, version, isVersionSettled: isSettled, silentCloses };
  return { state: up, effects: [{ type: "stableAfter" }] };
}

function wentDown(state: SinkMachineState, failure: SinkFailure, unit: number, limits: SinkMachineLimits): SinkStep {
  const canFallBack = state.phase === "connecting" && state.version === 5;
  if (failure.kind === "version" && canFallBack) {
    return open({ ...state, version: 4, isVersionSettled: true, failure });
  }
  if (failure.kind === "silentClose" && canFallBack) {
    return open({ ...state, version: 4, silentCloses: state.silentCloses + 1, failure });
  }
  const version = state.isVersionSettled && failure.kind !== "version" ? state.version : 5;
  const failed = { ...state, version, isVersionSettled: version === 4, failure, attempt: state.attempt + 1 };
  if (failure.kind === "refused") {
    // Half of it fixed, so that a password guessed wrong is never tried quickly; half jitter, against crowds.
    const delayMs = Math.floor(limits.blockedRetryMs * (0.5 + unit / 2));
    return wait({ ...failed, phase: "blocked" }, delayMs);
  }
  return wait({ ...failed, phase: "backingOff" }, fullJitterMs(state.attempt, unit, limits.backoff));
}

function wait(state: SinkMachineState, delayMs: number): SinkStep {
  return { state, effects: [{ type: "cancelTimers" }, { type: "retryAfter", delayMs }] };
}
