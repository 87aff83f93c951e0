/**
 * The spool's status for people and programs that must not wait for a disk: asked of the storage worker, and when that
 * one is busy with an fsync for longer than a moment, answered with what it said last.
 *
 *   status() ─▶ worker ──in time──▶ fresh
 *                  └──later───────▶ the last answer; the late one is kept for the next
 */
import type { Clock } from "../core/clock.js";
import type { Spool, SpoolStatus } from "../model/spool.js";

/** How long a fresh answer is waited for. A dashboard is to answer within 250 ms. */
export const STATUS_WAIT_MS = 100;

/** The same spool, whose `status` waits for a slow disk once at most: when there is no last answer yet. */
export function withPromptStatus(spool: Spool, clock: Clock): Spool {
  let last: SpoolStatus | null = null;
  let asked: Promise<SpoolStatus> | null = null;
  // One question at a time: a thousand viewers are one more line in the worker's queue.
  const ask = (): Promise<SpoolStatus> => {
    if (asked !== null) return asked;
    const question = spool.status();
    asked = question;
    question.then(
      (status) => {
        last = status;
        asked = null;
      },
      () => {
        asked = null; // told to those who asked
      },
    );
    return question;
  };
  const status = (): Promise<SpoolStatus> => {
    const isAsked = asked !== null;
    const fresh = ask();
    if (last === null) return fresh;
    const known = last;
    // Behind a question that is under way already, its answer may be older than what the caller has just seen.
    if (isAsked) return firstOf(fresh.then(ask), known, clock);
    return firstOf(fresh, known, clock);
  };
  return { ...spool, status };
}

function firstOf(fresh: Promise<SpoolStatus>, known: SpoolStatus, clock: Clock): Promise<SpoolStatus> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(STATUS_WAIT_MS, () => resolve(known));
    fresh.then(
      (status) => {
        cancel();
        resolve(status);
      },
      (error: unknown) => {
        cancel();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}
