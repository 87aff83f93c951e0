/**
 * What is lost when a stretch of records is dropped or skipped, as exact ranges.
 *
 *   records   A:4  A:5  B:9  A:6  A:8  gap A:1–3 "dropped"
 *   ranges    A:4–6   B:9   A:8              for the permanent list: never twice the same number
 *   in-band   A:1–6   B:9   A:8              a dropped gap record must not vanish: it is told again, joined to its
 *                                            neighbours, so that a spool that stays full keeps few of them
 */
import { type GapBody, type GapReason, RecordKind } from "../model/record.js";
import type { GapDraft } from "./tables.js";

/** What is needed of a record to say what was lost with it. */
export interface LostRecord {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: RecordKind;
  readonly receivedUnixMs: number;
  /** Of a gap record its JSON; null for others. */
  readonly body: Uint8Array | null;
}

export interface LossReason {
  readonly reason: Extract<GapReason, "dropped" | "sinkHold">;
  readonly sink: string | null;
  readonly atUnixMs: number;
}

/** One record that goes, as far as the list of gaps needs it. */
export interface Loss {
  /** New entries for the permanent list. */
  readonly permanent: readonly GapDraft[];
  /** Gap records to append, in order. */
  readonly inBand: readonly GapDraft[];
  /** Command outcomes among them: no number is missing, the command itself stays in the store. */
  readonly outcomeCount: number;
}

/** A range that still grows. */
type Run = { -readonly [Field in keyof GapDraft]: GapDraft[Field] } & { fromSeq: number; toSeq: number };

/** @param lost records in the order of their ids. */
export function lossOf(lost: readonly LostRecord[], why: LossReason): Loss {
  const permanent = new RunBook(why);
  const inBand = new RunBook(why);
  const again: GapDraft[] = [];
  let outcomeCount = 0;
  for (const record of lost) {
    const { deviceKey, epoch, seq } = record;
    // Damaged so that nobody knows whose it was: it is in quarantine under its id.
    if (deviceKey === 0) continue;
    if (record.kind === RecordKind.commandOutcome) {
      outcomeCount += 1;
    } else if (record.kind !== RecordKind.gap) {
      permanent.add(deviceKey, epoch, { fromSeq: seq, toSeq: seq });
      inBand.add(deviceKey, epoch, { fromSeq: seq, toSeq: seq });
    } else {
      const { fromSeq, toSeq, reason, sink } = gapOf(record);
      const isSame = reason === why.reason && sink === why.sink;
      if (isSame && toSeq !== null) inBand.add(deviceKey, epoch, { fromSeq, toSeq });
      else again.push({ deviceKey, epoch, fromSeq, toSeq, reason, sink, atUnixMs: record.receivedUnixMs });
    }
  }
  return { permanent: permanent.runs, inBand: [...again, ...inBand.runs], outcomeCount };
}

function gapOf(record: LostRecord): GapBody {
  return JSON.parse(new TextDecoder().decode(record.body ?? undefined)) as GapBody; // written by gap-writer.ts only
}

/** Ranges in order; a new number joins the latest range of its epoch when it is the next one. */
class RunBook {
  readonly runs: Run[] = [];
  readonly #latest = new Map<string, Run>();
  readonly #why: LossReason;

  constructor(why: LossReason) {
    this.#why = why;
  }

  add(deviceKey: number, epoch: number, range: { readonly fromSeq: number; readonly toSeq: number }): void {
    const key = `${deviceKey}/${epoch}`;
    const latest = this.#latest.get(key);
    if (latest !== undefined && range.fromSeq === latest.toSeq + 1) {
      latest.toSeq = range.toSeq;
      return;
    }
    if (latest !== undefined && range.toSeq === latest.fromSeq - 1) {
      latest.fromSeq = range.fromSeq;
      return;
    }
    const run: Run = { deviceKey, epoch, ...range, ...this.#why };
    this.runs.push(run);
    this.#latest.set(key, run);
  }
}
