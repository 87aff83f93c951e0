/** What sessions count; one line each in /metrics. */
import type { Counter, Metrics } from "../core/metrics.js";

/** What sessions count, by metric. */
export interface SessionCounters {
  readonly hellos: Counter;
  readonly malformed: Counter;
  readonly violations: Counter;
  readonly nacks: Counter;
  readonly droppedWhilePaused: Counter;
  readonly takeovers: Counter;
  readonly clones: Counter;
  readonly lateHellos: Counter;
}

/** The counters, made at first use. */
export function sessionCounters(metrics: Metrics): SessionCounters {
  return {
    hellos: metrics.counter("hellos", "Hellos received"),
    malformed: metrics.counter("messages_malformed", "Messages that could not be decoded"),
    violations: metrics.counter("protocol_violations", "Messages that broke a rule of the protocol"),
    nacks: metrics.counter("nacks", "Nacks sent"),
    droppedWhilePaused: metrics.counter("frames_while_paused", "Frames that came although the device was told to wait"),
    takeovers: metrics.counter("takeovers", "Sessions ended because the device connected again"),
    lateHellos: metrics.counter("hellos_late", "Hellos dropped because a later one of the same boot came first"),
    clones: metrics.counter("cloned_identities", "Identities locked out because two devices take turns"),
  };
}
