/**
 * The proof that a consumer has everything, from nothing but the messages it got. Pure, and small enough to be written
 * again in whatever language the consumer is written in; docs/guarantees.md tells the rule.
 *
 *   data, log, service   {"id":"<gw>/<device>/<epoch>/<number>",…}   that number is here
 *   gap                  {"device","epoch","fromSeq","toSeq",…}      those numbers are listed as missing
 *   watermark            {"device","epoch","seq"}                    there are numbers up to this one
 *
 *   complete   every number from 1 to the highest one spoken of is here or listed
 */

export interface StreamReport {
  readonly device: string;
  readonly epoch: number;
  /** First and last number that were looked for. */
  readonly from: number;
  readonly to: number;
  readonly hereCount: number;
  /** Listed as missing, and not here. */
  readonly listedCount: number;
  /** Neither here nor listed, as ranges; at most RANGES_SHOWN of them. */
  readonly missing: readonly (readonly [from: number, to: number])[];
  readonly missingCount: number;
}

const RANGES_SHOWN = 20;
const NEVER = Number.POSITIVE_INFINITY;

/** Whole numbers as ranges; what comes in order costs one range, however much it is. */
class Numbers {
  readonly ranges: [from: number, to: number][] = [];

  add(from: number, to: number): void {
    const last = this.ranges.at(-1);
    if (last === undefined || from > last[1] + 1) {
      this.ranges.push([from, to]);
      return;
    }
    if (from >= last[0]) {
      last[1] = Math.max(last[1], to);
      return;
    }
    this.#insert(from, to);
  }

  get highest(): number {
    return this.ranges.at(-1)?.[1] ?? 0;
  }

  get lowest(): number {
    return this.ranges[0]?.[0] ?? Number.POSITIVE_INFINITY;
  }

  /** How many lie in from … to. */
  countIn(from: number, to: number): number {
    return this.ranges.reduce((sum, [a, b]) => sum + Math.max(0, Math.min(b, to) - Math.max(a, from) + 1), 0);
  }

  /** Ranges of from … to that are not here. */
  holes(from: number, to: number): [number, number][] {
    const holes: [number, number][] = [];
    let next = from;
    for (const [a, b] of this.ranges) {
      if (a > to) break;
      if (a > next) holes.push([next, a - 1]);
      next = Math.max(next, b + 1);
    }
    if (next <= to) holes.push([next, to]);
    return holes;
  }

  /** Out of order: found by halving, joined with what it touches. */
  #insert(from: number, to: number): void {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ranges[middle]?.[1] ?? 0) < from - 1) low = middle + 1;
      else high = middle;
    }
    let end = low;
    let [first, last] = [from, to];
    for (let range = this.ranges[end]; range !== undefined && range[0] <= to + 1; range = this.ranges[++end]) {
      first = Math.min(first, range[0]);
      last = Math.max(last, range[1]);
    }
    this.ranges.splice(low, end - low, [first, last]);
  }
}

interface Stream {
  readonly device: string;
  readonly epoch: number;
  readonly here: Numbers;
  readonly listed: Numbers;
  watermark: number;
  /** The epoch is over, and nobody knows what it used from here on. */
  openFrom: number;
}

/** Takes messages one by one, in any order and with repeats. */
export class Completeness {
  readonly #streams = new Map<string, Stream>();
  /** Lines that were no message of a gateway. */
  unreadCount = 0;

  /** One message. Topics that say nothing about numbers are passed over. */
  take(topic: string, payload: string): void {
    const kind = topic.slice(topic.lastIndexOf("/") + 1);
    if (kind === "data" || kind === "log" || kind === "service") this.#number(parsed(payload)["id"]);
    else if (kind === "gap") this.#gap(parsed(payload));
    else if (kind === "watermark" && payload !== "") this.#watermark(parsed(payload));
  }

  /** @param sinceFirst begin with the first number seen instead of 1: for a consumer that joined later. */
  report(sinceFirst = false): StreamReport[] {
    return [...this.#streams.values()].map((stream) => reportOf(stream, sinceFirst));
  }

  #number(id: unknown): void {
    const [, device = "", epoch = "", seq = ""] = typeof id === "string" ? id.split("/") : [];
    const number = Number(seq);
    if (!isNumber(number) || !isNumber(Number(epoch)) || device === "") this.unreadCount += 1;
    else this.#stream(device, Number(epoch)).here.add(number, number);
  }

  #gap({ device, epoch, fromSeq, toSeq }: Record<string, unknown>): void {
    if (typeof device !== "string" || typeof epoch !== "number" || !isNumber(fromSeq)) {
      this.unreadCount += 1;
      return;
    }
    if (isNumber(toSeq) && toSeq >= fromSeq) this.#stream(device, epoch).listed.add(fromSeq, toSeq);
    if (toSeq !== null || !isNumber(epoch)) return;
    // An open end says that nobody knows how far it went: there is nothing to look for from here on.
    const stream = this.#stream(device, epoch);
    stream.openFrom = Math.min(stream.openFrom, fromSeq);
  }

  #watermark({ device, epoch, seq }: Record<string, unknown>): void {
    if (typeof device !== "string" || !isNumber(epoch) || !isNumber(seq)) {
      this.unreadCount += 1;
      return;
    }
    const stream = this.#stream(device, epoch);
    stream.watermark = Math.max(stream.watermark, seq);
  }

  #stream(device: string, epoch: number): Stream {
    const key = `${device}/${epoch}`;
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = { device, epoch, here: new Numbers(), listed: new Numbers(), watermark: 0, openFrom: NEVER };
      this.#streams.set(key, stream);
    }
    return stream;
  }
}

function reportOf({ device, epoch, here, listed, watermark, openFrom }: Stream, sinceFirst: boolean): StreamReport {
  const to = Math.max(watermark, here.highest, listed.highest);
  const from = sinceFirst ? Math.min(here.lowest, listed.lowest, to) : 1;
  const notHere = here.holes(from, Math.min(to, openFrom - 1));
  const missing = notHere.flatMap(([a, b]) => listed.holes(a, b));
  const missingCount = missing.reduce((sum, [a, b]) => sum + b - a + 1, 0);
  const hereCount = here.countIn(from, to);
  const listedCount = to - from + 1 - hereCount - missingCount;
  return { device, epoch, from, to, hereCount, listedCount, missing: missing.slice(0, RANGES_SHOWN), missingCount };
}

function parsed(payload: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 0xffff_ffff;
}
