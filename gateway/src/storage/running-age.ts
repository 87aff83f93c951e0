/**
 * How old records are in time that this gateway has run: by the monotonic clock alone, added up over its runs. A wall
 * clock that jumps ages nothing, and time that the gateway was off is nobody's delay.
 *
 *   marks   (ran 0 s, id 0) (ran 60 s, id 912) (ran 120 s, id 1804) …   at most MARKS_MAX, thinned where they are old
 *   older than 60 s, at 130 s: everything up to id 912's mark that is 60 s old or more ─▶ id 912
 *
 * Kept as one line in `meta`, written with what is written anyway: a crash loses the time since, which makes records
 * younger than they are, never older.
 */

/** A record id and how long the gateway had run when it was the last one. */
type Mark = readonly [ranMs: number, lastId: number];

/** Bounds the line in `meta` to a few KB; thinning keeps a precision of a few percent of the age. */
const MARKS_MAX = 256;

/** Between two marks at least: what an age of seconds needs. */
const MARK_EVERY_MS = 1_000;

/** One per engine. Not durable by itself: its user writes `text` when `isDirty`. */
export class RunningAge {
  #marks: Mark[] = [];
  readonly #ranBeforeMs: number;
  readonly #startedMonoMs: number;
  #isDirty = false;

  /** @param text what was kept last, or null. A line that cannot be read is as none: everything is young. */
  constructor(text: string | null, monoMs: number) {
    this.#marks = parse(text);
    this.#ranBeforeMs = this.#marks.at(-1)?.[0] ?? 0;
    this.#startedMonoMs = monoMs;
  }

  /** Something is new since `text` was kept. */
  get isDirty(): boolean {
    return this.#isDirty;
  }

  /** The line to keep. */
  get text(): string {
    return JSON.stringify(this.#marks);
  }

  /** `text` is durable. */
  kept(): void {
    this.#isDirty = false;
  }

  /** Note where the spool ends now. An idle gateway notes nothing, and wears no flash. */
  note(lastId: number, monoMs: number): void {
    const ranMs = this.#ranMs(monoMs);
    const last = this.#marks.at(-1);
    if (last !== undefined && (lastId <= last[1] || ranMs - last[0] < MARK_EVERY_MS)) return;
    this.#marks.push([ranMs, lastId]);
    if (this.#marks.length > MARKS_MAX) this.#marks = thinned(this.#marks, ranMs);
    this.#isDirty = true;
  }

  /** The highest id that has been here for longer than `ageMs` of running time; 0 when none has. */
  olderThan(ageMs: number, monoMs: number): number {
    const since = this.#ranMs(monoMs) - ageMs;
    let id = 0;
    for (const [ranMs, lastId] of this.#marks) {
      if (ranMs >= since) break;
      id = lastId;
    }
    return id;
  }

  #ranMs(monoMs: number): number {
    return this.#ranBeforeMs + Math.max(0, monoMs - this.#startedMonoMs);
  }
}

/** Drop every mark whose neighbours lie close together for their age: half of all that are not among the newest. */
function thinned(marks: readonly Mark[], nowRanMs: number): Mark[] {
  const kept: Mark[] = [];
  marks.forEach((mark, i) => {
    const before = kept.at(-1);
    const after = marks[i + 1];
    const isNeeded = before === undefined || after === undefined || after[0] - before[0] > (nowRanMs - mark[0]) / 16;
    if (isNeeded) kept.push(mark);
  });
  return kept.slice(-MARKS_MAX);
}

function parse(text: string | null): Mark[] {
  if (text === null) return [];
  try {
    const marks: unknown = JSON.parse(text);
    return Array.isArray(marks) ? marks.filter(isMark) : [];
  } catch {
    return [];
  }
}

function isMark(mark: unknown): mark is Mark {
  return Array.isArray(mark) && mark.length === 2 && mark.every((part) => typeof part === "number" && part >= 0);
}
