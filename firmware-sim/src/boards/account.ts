/**
 * The account of one board: what a subscriber got of its readings, against the gateway's list of gaps. Pure.
 *
 * The image counts its readings 1, 2, 3 …, and the gateway numbers its messages. Between two readings that arrived, as
 * many must be absent as the list of gaps has numbers there: fewer is a silent loss, more is an invented one.
 *
 *   count  7       8            12           13        three readings absent
 *   seq    9      10  [gap 11–13]  14 (answer)  15     three numbers listed: the account is whole
 */
import { isRecord } from "../record.js";

/** A reading as it arrived. */
export interface Arrival {
  readonly epoch: number;
  readonly seq: number;
  /** The board's own number of it. */
  readonly count: number;
  /** Commands that the board had executed, when it said so. */
  readonly executed: number | null;
}

/** One entry of `/api/v1/gaps`. `toSeq` is null when nobody knows the end. */
export interface Gap {
  readonly epoch: number;
  readonly fromSeq: number;
  readonly toSeq: number | null;
}

/** What became of a board's readings. */
export interface Account {
  readonly arrived: number;
  /** Readings that are absent between the first number and the last arrival. */
  readonly absent: number;
  /** Numbers that the gateway lists as lost in that range. */
  readonly listed: number;
  /** The board's last word on how many commands it executed; −1 when it has not said. */
  readonly executed: number;
  readonly epochs: number;
  /** What does not fit, in words; empty when the account is whole. */
  readonly faults: readonly string[];
}

type Signal = "count" | "executed";
/** The demo's signals (demo.c); readings that overtook the catalog carry the number. */
const NAMES: Readonly<Record<Signal, readonly string[]>> = { count: ["count", "#2"], executed: ["executed", "#4"] };
const FAULTS_MAX = 20;

/**
 * @param log lines `topic payload` of a subscriber
 * @param gaps of that board
 */
export function accountOf(board: string, log: string, gaps: readonly Gap[]): Account {
  const faults: string[] = [];
  const arrivals = firstArrivals(board, log, faults);
  const epochs = new Set(arrivals.map(({ epoch }) => epoch));
  let absent = 0;
  let listed = 0;
  let before: Arrival | null = null;
  for (const arrival of arrivals) {
    const isNewEpoch: boolean = before?.epoch !== arrival.epoch;
    const from: number = isNewEpoch ? 0 : (before?.seq ?? 0);
    const missing = arrival.count - (before?.count ?? 0) - 1;
    const inList = listedBetween(gaps, { epoch: arrival.epoch, from, to: arrival.seq });
    absent += missing;
    listed += inList;
    // Across epochs the old one's open end is not numbered: there the list may only be shorter in numbers, not absent.
    if (missing !== inList && !(isNewEpoch && before !== null)) {
      const where = `between ${before?.epoch ?? arrival.epoch}/${from} and ${arrival.epoch}/${arrival.seq}`;
      faults.push(`${missing} readings are absent ${where}, ${inList} are listed`);
    }
    before = arrival;
  }
  const executed = arrivals.reduce((last, { executed: said }) => said ?? last, -1);
  return {
    arrived: arrivals.length,
    absent,
    listed,
    executed,
    epochs: epochs.size,
    faults: faults.slice(0, FAULTS_MAX),
  };
}

/** In order of arrival; a repeat under the same id must be the same. */
function firstArrivals(board: string, log: string, faults: string[]): Arrival[] {
  const byId = new Map<string, string>();
  const arrivals: Arrival[] = [];
  for (const line of log.split("\n")) {
    const arrival = arrivalIn(board, line);
    if (arrival === null) continue;
    const id = `${arrival.epoch}/${arrival.seq}`;
    const known = byId.get(id);
    if (known === undefined) {
      byId.set(id, line);
      const last = arrivals.at(-1);
      if (last !== undefined && arrival.count <= last.count)
        faults.push(`reading ${arrival.count} arrived twice or late`);
      else arrivals.push(arrival);
    } else if (known !== line) faults.push(`${id} arrived again with other bytes`);
  }
  return arrivals;
}

function arrivalIn(board: string, line: string): Arrival | null {
  const space = line.indexOf(" ");
  if (!line.slice(0, space).endsWith(`/${board}/data`)) return null;
  const message = parse(line.slice(space + 1));
  const [, , epoch, seq] = String(message["id"]).split("/").map(Number);
  const readings = Array.isArray(message["readings"]) ? message["readings"].filter(isRecord) : [];
  const value = (signal: Signal): number | null => {
    const found = readings.find((reading) => NAMES[signal].includes(String(reading["signal"])))?.["v"];
    return typeof found === "number" ? found : null;
  };
  const count = value("count");
  if (epoch === undefined || seq === undefined || count === null) return null;
  return { epoch, seq, count, executed: value("executed") };
}

/** Numbers listed as lost strictly between two numbers of an epoch. */
function listedBetween(gaps: readonly Gap[], { epoch, from, to }: { epoch: number; from: number; to: number }): number {
  let count = 0;
  for (const gap of gaps) {
    if (gap.epoch !== epoch) continue;
    const first = Math.max(gap.fromSeq, from + 1);
    const last = Math.min(gap.toSeq ?? Number.POSITIVE_INFINITY, to - 1);
    count += Math.max(0, last - first + 1);
  }
  return count;
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {}; // the log's last line may be cut off
  }
}
