/**
 * The UTC instant that a frame's times count from, and how well it is known [P-23].
 */
import type { Envelope } from "@tidegate/proto";
import type { Instants } from "../core/turn-clock.js";
import { Accuracy } from "../model/record.js";
import type { ReliableFrame } from "./session-ports.js";
import { olderBootUnixMs, type TimeSync } from "./time-sync.js";

/** The boots of a device whose uptime maps to Unix time. */
export interface KnownBoots {
  /** Boot nonce of this session's Hello. */
  readonly current: number;
  readonly offsets: readonly { readonly bootNonce: number; readonly offsetUnixMs: number }[];
}

/** 2020-01-01. A device that claims an earlier date has not set its clock. */
const PLAUSIBLE_FROM_UNIX_MS = 1_577_836_800_000;
/** A device's own clock may run ahead of ours by this much before it is not believed. */
const AHEAD_MS_MAX = 86_400_000;

/**
 * Fills `receivedUnixMs`, `baseUnixMs` and `accuracy` of a frame from its envelope. Never 1970, and in whole
 * milliseconds: uptime is counted in them, so a fraction says nothing, and it would take 13 bytes of each record.
 */
export function frameInstant(
  frame: ReliableFrame,
  envelope: Envelope,
  session: { readonly time: TimeSync; readonly boots: KnownBoots },
  clock: Instants,
): void {
  const nowUnixMs = clock.unixMs();
  frame.receivedUnixMs = nowUnixMs;
  frame.baseUnixMs = nowUnixMs;
  frame.accuracy = Accuracy.uncertain;
  if (envelope.base === 2) {
    if (envelope.baseMs < PLAUSIBLE_FROM_UNIX_MS || envelope.baseMs > nowUnixMs + AHEAD_MS_MAX) return;
    frame.baseUnixMs = envelope.baseMs;
    frame.accuracy = Accuracy.device;
  } else if (envelope.base === 1) {
    if (envelope.bootNonce === 0 || envelope.bootNonce === session.boots.current) {
      frame.baseUnixMs = Math.round(nowUnixMs - session.time.ageMs(clock.monoMs(), envelope.baseMs));
      frame.accuracy = Accuracy.mapped;
      return;
    }
    const known = session.boots.offsets.find((boot) => boot.bootNonce === envelope.bootNonce);
    if (known === undefined) return;
    frame.baseUnixMs = Math.round(olderBootUnixMs(known.offsetUnixMs, envelope.baseMs, nowUnixMs));
    frame.accuracy = Accuracy.mapped;
  } else if (envelope.base === 0 && envelope.body !== TELEMETRY_TAG) {
    // A command update or a catalog has no time of its own: it is as old as its arrival.
    frame.accuracy = Accuracy.mapped;
  }
}

const TELEMETRY_TAG = 5;
