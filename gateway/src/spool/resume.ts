/**
 * Which epoch a session gets, and where its numbers go on: a pure decision over a Hello and what is known.
 *
 *   epoch 0, or retired ────────────────▶ fresh      a new epoch; what was held is renumbered from 1   [P-6]
 *   known, went back in time ───────────▶ fresh      with the rollback to tell                         [P-7]
 *   known, not retired ─────────────────▶ resume     gaps for what is missing below `oldest`           [P-8]
 *   unknown ────────────────────────────▶ resume     adopted with mark 0, so the same gaps open it     [P-8]
 *   contradicts itself ─────────────────▶ violation  Bye, nothing moves
 *
 *        mark          acked        oldest − 1        next_seq − 1
 *   ──────●──────────────┬──────────────┬──────────────────┬─────▶
 *          └─ unproven ──┘└── evicted ──┘└──── held ───────┘
 */
import type { GapReason } from "../model/record.js";
import type { HelloRequest } from "../model/spool.js";
import { type Rollback, type StreamRow, StreamState } from "./tables.js";

/** The numbers of a Hello that decide. */
export type HelloNumbers = Pick<HelloRequest, "epoch" | "nextSeq" | "oldest" | "ackedSeq" | "closing">;

/** A range that will never arrive, closed at both ends. */
export interface MissingRange {
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly reason: GapReason;
}

export type HelloDecision =
  | { readonly type: "violation"; readonly why: string }
  | { readonly type: "fresh"; readonly rollback: Rollback | null }
  | {
      readonly type: "resume";
      /** The mark after the gaps are written. */
      readonly mark: number;
      readonly announced: number;
      readonly gaps: readonly MissingRange[];
      /** What Welcome says: never beyond what the device has given out [P-3]. */
      readonly ackedSeq: number;
    };

/**
 * @param known the stream of the Hello's epoch for this device, or null when the store has never heard of it.
 * @param hello the numbers as the device sent them: hostile until checked here.
 */
export function resolveHello(known: StreamRow | null, hello: HelloNumbers): HelloDecision {
  if (hello.epoch === 0) return { type: "fresh", rollback: null };
  const why = contradiction(hello);
  if (why !== null) return { type: "violation", why };
  if (known?.state === StreamState.retired) return { type: "fresh", rollback: held(hello) };
  const highest = hello.nextSeq - 1;
  if (known !== null && !hello.closing && highest < known.announced) return { type: "fresh", rollback: held(hello) };
  const gaps = missingBelow(known?.mark ?? 0, hello);
  const mark = gaps.at(-1)?.toSeq ?? known?.mark ?? 0;
  return {
    type: "resume",
    mark,
    announced: Math.max(known?.announced ?? 0, highest),
    gaps,
    // A closing outbox may have been saved before its last acks: it is told that all it holds is safe.
    ackedSeq: Math.min(mark, highest),
  };
}

function contradiction(hello: HelloNumbers): string | null {
  const { nextSeq, oldest, ackedSeq } = hello;
  if (nextSeq === 0) return "next_seq is 0, but numbers start at 1";
  if (oldest === 0) return "oldest is 0, but numbers start at 1";
  if (oldest > nextSeq) return `oldest ${oldest} is above next_seq ${nextSeq}`;
  if (ackedSeq >= nextSeq) return `acked_seq ${ackedSeq} was never given out: next_seq is ${nextSeq}`;
  return null;
}

/** What the device will send again under another number; null when it holds nothing. */
function held(hello: HelloNumbers): Rollback | null {
  if (hello.oldest >= hello.nextSeq) return null;
  return { epoch: hello.epoch, fromSeq: hello.oldest, toSeq: hello.nextSeq - 1 };
}

function missingBelow(mark: number, hello: HelloNumbers): MissingRange[] {
  const gaps: MissingRange[] = [];
  let at = mark;
  if (hello.ackedSeq > at) {
    gaps.push({ fromSeq: at + 1, toSeq: hello.ackedSeq, reason: "unproven" });
    at = hello.ackedSeq;
  }
  if (hello.oldest - 1 > at) gaps.push({ fromSeq: at + 1, toSeq: hello.oldest - 1, reason: "evicted" });
  return gaps;
}

/**
 * The open end of an epoch that is being retired [P-6].
 *
 * @returns the first number of the gap entry and its last one (null: unknown), or null when there is no open end:
 *   the device said goodbye with everything handed over, or never used the epoch and announced nothing beyond the mark.
 */
export function openEnd(stream: StreamRow): { readonly fromSeq: number; readonly toSeq: number | null } | null {
  const fromSeq = stream.mark + 1;
  if (stream.announced > stream.mark) return { fromSeq, toSeq: stream.announced };
  if (stream.isEnded || stream.state === StreamState.offered) return null;
  return { fromSeq, toSeq: null };
}
