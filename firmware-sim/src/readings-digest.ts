/**
 * A digest of what a message says, the same on both ends: from the frame a device sends, and from the JSON a sink got.
 *
 *   [{ signal, v }] ─▶ "signal value" per reading, sorted ─▶ SHA-256, first 16 hex digits
 *
 * Numbers are compared as f32, so that 21.4 in JSON and the f32 on the wire are one value. Times are left out: a device
 * sends its uptime, a sink gets UTC. So is the quality: a reading whose time had to be guessed becomes uncertain.
 */
import { createHash } from "node:crypto";

/** A reading as `…/data` shows it; other fields are ignored. */
export interface DigestedReading {
  /** Key of the signal. */
  readonly signal: string;
  readonly v: unknown;
}

/** Digest of the readings of one message, in any order: 16 hex digits. */
export function readingsDigest(readings: readonly DigestedReading[]): string {
  const lines = readings.map(({ signal, v }) => `${signal} ${valueText(v)}`).sort();
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 16);
}

function valueText(value: unknown): string {
  return typeof value === "number" ? String(Math.fround(value)) : JSON.stringify(value);
}
