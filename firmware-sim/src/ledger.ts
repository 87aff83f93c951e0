/**
 * What the devices attempted and what they were promised, as JSON lines: the sender's half of every proof of delivery.
 *
 *   {"e":"attempt","device":"sim-1","epoch":7,"seq":4,"gap":0,"kind":"telemetry","digest":"ab12…","atMs":…}
 *   {"e":"acked","device":"sim-1","epoch":7,"seq":4,"atMs":…}                       cumulative: everything up to seq
 *   {"e":"lost","device":"sim-1","epoch":7,"after":4,"messages":2,"why":"reboot","atMs":…}
 *   {"e":"command","device":"sim-1","id":3,"name":"pump","atMs":…}                  it acted
 *
 * An attempt is written before its frame goes to the socket, so a line is there for everything a gateway can have, even
 * when this process is killed. An id may be attempted several times; the digest is then the same.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { decodeUplink, type Telemetry } from "@tidegate/proto";
import { type DigestedReading, readingsDigest } from "./readings-digest.js";

/** How a signal's wire numbers become values; index is the signal's id − 1. */
export interface LedgerSignal {
  readonly key: string;
  readonly type: "float" | "scaled" | "bool";
  /** Decimal digits behind the point of a scaled one. */
  readonly digits: number;
}

/** One line, without device and time. */
export type LedgerEntry =
  | {
      readonly e: "attempt";
      readonly epoch: number;
      readonly seq: number;
      readonly gap: number;
      readonly kind: string;
      readonly digest: string | null;
    }
  | { readonly e: "acked"; readonly epoch: number; readonly seq: number }
  | {
      readonly e: "lost";
      readonly epoch: number;
      readonly after: number;
      readonly messages: number;
      readonly why: "reboot";
    }
  | { readonly e: "command"; readonly id: number; readonly name: string };

/** Where a device's entries go. */
export interface Ledger {
  write(device: string, entry: LedgerEntry): void;
}

/** The ledger in a file, appended to. Written through at once: what is slow here is only the simulator. */
export class FileLedger implements Ledger {
  readonly #fd: number;
  readonly #unixMs: () => number;
  #isOpen = true;

  /** @throws Node's error when the file cannot be opened */
  constructor(path: string, unixMs: () => number) {
    this.#fd = openSync(path, "a", 0o644);
    this.#unixMs = unixMs;
  }

  write(device: string, entry: LedgerEntry): void {
    if (!this.#isOpen) return;
    const { e, ...facts } = entry;
    writeSync(this.#fd, `${JSON.stringify({ e, device, ...facts, atMs: this.#unixMs() })}\n`);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.#fd);
  }
}

/**
 * The entry of a frame that is about to be sent; null when it is not a reliable one.
 *
 * @param epoch under which it goes
 * @param signals the catalog of the device that sends it
 */
export function attemptOf(frame: Uint8Array, epoch: number, signals: readonly LedgerSignal[]): LedgerEntry | null {
  const decoded = decodeUplink(frame);
  if (!decoded.ok || decoded.value.seq === 0) return null;
  const { seq, gap, body } = decoded.value;
  const digest = body?.kind === "telemetry" ? readingsDigest(readingsOf(body.telemetry, signals)) : null;
  return { e: "attempt", epoch, seq, gap, kind: body?.kind ?? "unknown", digest };
}

function readingsOf(telemetry: Telemetry, signals: readonly LedgerSignal[]): DigestedReading[] {
  return telemetry.series.flatMap(({ signal: id, values }) => {
    const signal = signals[id - 1] ?? { key: `#${id}`, type: "float", digits: 0 };
    const numbers = values.kind === "ints" ? values.ints : values.kind === "floats" ? values.floats : [];
    return numbers.map((number) => ({ signal: signal.key, v: shownValue(number, signal) }));
  });
}

function shownValue(number: number, { type, digits }: LedgerSignal): number | boolean {
  if (type === "bool") return number !== 0;
  return type === "scaled" ? number / 10 ** digits : number;
}
