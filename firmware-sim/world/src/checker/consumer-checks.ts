/**
 * A consumer behind the broker, who knows nothing but the messages: with the product's own rule (`tidegate gaps
 * verify`) it must find every number here or listed, and a watermark must never run ahead of what it speaks of.
 *
 *   data, log, service, gap ─▶ Completeness ◀─ watermark: everything up to it is here or listed, at that instant
 *                                   └─ at rest: nothing is missing anywhere
 *
 * What the operator's own policy lost (dropped, held too long, put aside) is listed behind what was delivered in the
 * meantime: such a number may be missing below a watermark until its gap has come.
 */
import { Completeness } from "tidegate/dist/cli/completeness.js";
import type { Findings } from "./findings.js";
import { POLICY, type WorldRules } from "./world-rules.js";

interface Watermark {
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
}

/** What of it is looked at; the last three of gaps only. */
interface GapMessage {
  readonly id: string;
  readonly device: string;
  readonly epoch: number;
  readonly fromSeq: number;
  readonly toSeq: number | null;
  readonly reason: string;
}

/** A number that was missing below a watermark; it must be listed later. */
interface Missing extends Watermark {
  readonly from: number;
  readonly to: number;
}

/** More say nothing new. */
const MISSING_KEPT = 1_000;
const KINDS: ReadonlySet<string> = new Set(["data", "log", "service", "gap"]);

/** One per world; told of every message that the broker took. */
export class ConsumerChecks {
  readonly #findings: Findings;
  readonly #log = new Completeness();
  readonly #missing: Missing[] = [];
  /** By device: the last word on its numbers, and the newest number that came. */
  readonly #watermarks = new Map<string, Watermark>();
  readonly #newest = new Map<string, Watermark>();
  /** By device: its epochs in the order in which the first record of each came, or was put aside. */
  readonly #epochs = new Map<string, Set<number>>();
  /** Ranges that were lost by policy, by `device/epoch`. */
  readonly #policy = new Map<string, (readonly [from: number, to: number])[]>();
  readonly #rules: WorldRules;
  readonly counts = { watermarks: 0 };

  constructor(findings: Findings, rules: WorldRules) {
    this.#findings = findings;
    this.#rules = rules;
  }

  /** Another process of the gateway begins: it knows of a device's numbers when it has delivered some. */
  gatewayStarted(): void {
    this.#newest.clear();
  }

  taken(topic: string, payload: string): void {
    const kind = topic.slice(topic.lastIndexOf("/") + 1);
    if (kind === "watermark") this.#watermark(topic, payload);
    else if (KINDS.has(kind)) this.#message(kind, topic, payload);
  }

  /** The message of a gap rotted on the disk: who has the list of the gateway knows of it, a consumer cannot. */
  lostGap(device: string, epoch: number, { fromSeq, toSeq }: { fromSeq: number; toSeq: number | null }): void {
    const message = { id: "", device, epoch, fromSeq, toSeq, reason: "quarantined" };
    this.#gap(message);
    this.#log.take("/gap", JSON.stringify(message));
  }

  /** @param isRestored what was acked before the store was put back is unproven, and has an entry that says so. */
  atRest(isRestored: boolean): void {
    for (const { device, epoch, missing, missingCount } of this.#log.report()) {
      if (missingCount === 0 || isRestored) continue;
      this.#findings.add("I9", `a consumer misses ${rangesOf(missing)} of ${device}/${epoch}, and nothing lists them`);
    }
    for (const [device, newest] of this.#newest) this.#lastWord(device, newest);
    if (isRestored) return;
    for (const { device, epoch, seq, from, to } of this.#missing) this.#late({ device, epoch, seq, from, to });
  }

  #message(kind: string, topic: string, payload: string): void {
    this.#log.take(topic, payload);
    const message = JSON.parse(payload) as GapMessage; // rendered by the gateway
    if (kind === "gap") {
      this.#gap(message);
      return;
    }
    const { id } = message;
    const [, device = "", epoch = "0", seq = "0"] = id.split("/");
    this.#hasRecordOf(device, Number(epoch));
    if (this.#rules.wasRefused(id)) return; // it comes late, when its sink was mended
    const known = this.#newest.get(device);
    const isNewer = known === undefined || known.epoch !== Number(epoch) || known.seq < Number(seq);
    if (isNewer) this.#newest.set(device, { device, epoch: Number(epoch), seq: Number(seq) });
  }

  #gap({ id, device, epoch, fromSeq, toSeq, reason }: GapMessage): void {
    if (reason === "quarantined") this.#hasRecordOf(device, epoch);
    const isPolicy = POLICY.has(reason) || this.#rules.isLossy || this.#rules.wasRefused(id);
    if (toSeq === null || !isPolicy) return;
    const stream = `${device}/${epoch}`;
    const ranges = this.#policy.get(stream) ?? [];
    ranges.push([fromSeq, toSeq]);
    this.#policy.set(stream, ranges);
  }

  #hasRecordOf(device: string, epoch: number): void {
    const epochs = this.#epochs.get(device) ?? new Set();
    this.#epochs.set(device, epochs.add(epoch));
  }

  #watermark(topic: string, payload: string): void {
    this.counts.watermarks += 1;
    const mark = JSON.parse(payload) as Watermark; // as above
    const { device, epoch, seq } = mark;
    this.#watermarks.set(device, mark);
    this.#log.take(topic, payload);
    const report = this.#log.report().find((stream) => stream.device === device && stream.epoch === epoch);
    for (const [from, to] of report?.missing ?? []) {
      if (from > seq || this.#missing.length >= MISSING_KEPT) break;
      this.#missing.push({ device, epoch, seq, from, to: Math.min(to, seq) });
    }
  }

  /** The retained watermark speaks of everything that this process has delivered. */
  #lastWord(device: string, newest: Watermark): void {
    const mark = this.#watermarks.get(device);
    const epochs = [...(this.#epochs.get(device) ?? [])];
    // Of a later epoch whose records were all put aside, the watermark speaks, and they themselves came late or never.
    const isLater = mark !== undefined && epochs.indexOf(mark.epoch) > epochs.indexOf(newest.epoch);
    const isThere = isLater || (mark !== undefined && mark.epoch === newest.epoch && mark.seq >= newest.seq);
    const { device: name, epoch, seq } = newest;
    // It came, its ack did not, and the sink gave it up since: then its gap has the last word.
    const isGivenUp = (this.#policy.get(`${name}/${epoch}`) ?? []).some(([from, to]) => from <= seq && seq <= to);
    if (isThere || isGivenUp || !this.#rules.isInOrder) return;
    const said = mark === undefined ? "there is none" : `it says ${mark.epoch}/${mark.seq}`;
    this.#findings.add("I8", `the watermark of ${device} does not reach ${newest.epoch}/${newest.seq}: ${said}`);
  }

  #late({ device, epoch, seq, from, to }: Missing): void {
    const report = this.#log.report().find((stream) => stream.device === device && stream.epoch === epoch);
    const isListed = report?.missing.every(([a, b]) => b < from || a > to) ?? false;
    const policy = this.#policy.get(`${device}/${epoch}`) ?? [];
    if (isListed && policy.some(([a, b]) => a <= to && b >= from)) return;
    this.#findings.add("I9", `watermark ${device}/${epoch}/${seq} went out before ${from} … ${to}`);
  }
}

function rangesOf(ranges: readonly (readonly [number, number])[]): string {
  return ranges.map(([from, to]) => `${from} … ${to}`).join(", ");
}
