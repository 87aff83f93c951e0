/**
 * The independent checker: what devices attempted and were acked for, against what a subscriber received.
 *
 *   sender's ledger ─┐
 *                    ├─▶ attempted / acked / unique / repeats / missing / out of order / altered
 *   receiver's log ──┘
 *
 * Each device counts its readings 0, 1, 2 …; the value is the proof, independent of the ids that the system gave.
 */

/** What one device knows at the end: readings handed in, and how many of them, from the first on, were acked. */
export interface SenderTotals {
  readonly device: string;
  readonly attempted: number;
  readonly acked: number;
}

export interface Verdict {
  readonly attempted: number;
  readonly acked: number;
  /** Different readings that arrived. */
  readonly unique: number;
  /** Messages that arrived again under the same id. */
  readonly repeats: number;
  /** Acked readings that never arrived, as many as the gap messages of their device list numbers. */
  readonly listed: number;
  /** Acked readings that never arrived and stand in no gap entry: must be 0. */
  readonly missing: number;
  /** Readings that arrived under two different ids: must be 0. */
  readonly doubled: number;
  /** Repeats whose bytes differ from the first arrival: must be 0. */
  readonly altered: number;
  /** First arrivals not in the order of their numbers, per device and epoch: must be 0. */
  readonly outOfOrder: number;
  /** Readings that arrived and were never attempted: must be 0. */
  readonly invented: number;
  /** What is wrong, in words; at most a few lines. */
  readonly faults: readonly string[];
}

interface Arrival {
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly values: readonly number[];
}

interface GapMessage {
  readonly id: string;
  readonly device: string;
  readonly fromSeq: number;
  readonly toSeq: number | null;
}

const FAULTS_SHOWN = 10;

/**
 * @param log lines `topic payload` as mosquitto_sub wrote them.
 * @param signal the counting signal; others are ignored.
 */
export function judge(senders: readonly SenderTotals[], log: string, signal: string): Verdict {
  const book = new Book(signal);
  for (const line of log.split("\n")) book.take(line);
  let missing = 0;
  let listed = 0;
  let invented = 0;
  for (const { device, attempted, acked } of senders) {
    const arrived = book.valuesOf(device);
    let onList = book.listedOf(device);
    for (let value = 0; value < acked; value++) {
      if (arrived.has(value)) continue;
      if (onList > 0) {
        onList -= 1;
        listed += 1;
        continue;
      }
      missing += 1;
      book.fault(`${device}: reading ${value} was acked and never arrived`);
    }
    for (const value of arrived.keys()) {
      if (value < attempted) continue;
      invented += 1;
      book.fault(`${device}: reading ${value} arrived and was never attempted`);
    }
  }
  const sum = (of: (sender: SenderTotals) => number): number => senders.reduce((total, s) => total + of(s), 0);
  return {
    attempted: sum((s) => s.attempted),
    acked: sum((s) => s.acked),
    unique: book.uniqueCount,
    repeats: book.repeats,
    listed,
    missing,
    doubled: book.doubled,
    altered: book.altered,
    outOfOrder: book.outOfOrder,
    invented,
    faults: book.faults,
  };
}

/** Nothing lost, doubled, altered, invented or out of order? */
export function isClean(verdict: Verdict): boolean {
  const { missing, doubled, altered, outOfOrder, invented } = verdict;
  return missing + doubled + altered + outOfOrder + invented === 0;
}

class Book {
  readonly faults: string[] = [];
  repeats = 0;
  doubled = 0;
  altered = 0;
  outOfOrder = 0;
  readonly #signal: string;
  readonly #payloads = new Map<string, string>();
  /** Per device: reading → id it arrived under. */
  readonly #values = new Map<string, Map<number, string>>();
  readonly #lastSeq = new Map<string, number>();
  /** Per device: how many numbers its gap messages list. */
  readonly #listed = new Map<string, number>();
  readonly #gapIds = new Set<string>();

  constructor(signal: string) {
    this.#signal = signal;
  }

  get uniqueCount(): number {
    let count = 0;
    for (const values of this.#values.values()) count += values.size;
    return count;
  }

  valuesOf(device: string): ReadonlyMap<number, string> {
    return this.#values.get(device) ?? new Map();
  }

  listedOf(device: string): number {
    return this.#listed.get(device) ?? 0;
  }

  fault(text: string): void {
    if (this.faults.length < FAULTS_SHOWN) this.faults.push(text);
  }

  take(line: string): void {
    const space = line.indexOf(" ");
    const topic = line.slice(0, Math.max(0, space));
    const payload = line.slice(space + 1);
    if (topic.endsWith("/gap")) this.#gap(payload);
    if (!topic.endsWith("/data")) return;
    const message = JSON.parse(payload) as { id: string; readings: { signal: string; v: unknown }[] }; // our own format
    const first = this.#payloads.get(message.id);
    if (first !== undefined) {
      this.repeats += 1;
      if (first === payload) return;
      this.altered += 1;
      this.fault(`${message.id} arrived again with other bytes`);
      return;
    }
    this.#payloads.set(message.id, payload);
    const [, device = "", epoch, seq] = message.id.split("/");
    const values = message.readings.filter((r) => r.signal === this.#signal).map((r) => Number(r.v));
    this.#firstArrival(message.id, { device, epoch: Number(epoch), seq: Number(seq), values });
  }

  /** An open end lists what nobody can count. */
  #gap(payload: string): void {
    const gap = JSON.parse(payload) as GapMessage; // as above
    if (this.#gapIds.has(gap.id)) return;
    this.#gapIds.add(gap.id);
    const count = gap.toSeq === null ? Number.POSITIVE_INFINITY : gap.toSeq - gap.fromSeq + 1;
    this.#listed.set(gap.device, this.listedOf(gap.device) + count);
  }

  #firstArrival(id: string, { device, epoch, seq, values }: Arrival): void {
    const stream = `${device}/${epoch}`;
    const last = this.#lastSeq.get(stream) ?? 0;
    if (seq <= last) {
      this.outOfOrder += 1;
      this.fault(`${id} arrived after ${stream}/${last}`);
    }
    this.#lastSeq.set(stream, Math.max(last, seq));
    const known = this.#values.get(device) ?? new Map<number, string>();
    this.#values.set(device, known);
    for (const value of values) {
      const other = known.get(value);
      if (other !== undefined) {
        this.doubled += 1;
        this.fault(`${device}: reading ${value} arrived as ${other} and as ${id}`);
      }
      known.set(value, id);
    }
  }
}
