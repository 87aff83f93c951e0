/**
 * How far something long has come: one line on a terminal, drawn over and over; nothing in a pipe or a log.
 * Edge room `cli`.
 */
import type { Clock } from "../core/clock.js";
import type { OutputStream } from "./context.js";

/** Between two drawings: smooth for an eye, cheap over a slow line. */
const DRAW_MS = 100;

const BAR_CHARS = 24;

/** Draws `label ████████░░░░░░░░ 42 %  3 s` on stderr. */
export class ProgressBar {
  readonly #stream: OutputStream;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #isDrawn = false;

  constructor(stream: OutputStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#startedMs = clock.monoMs();
  }

  /** @param total null: nobody knows; then only the time is shown. */
  show(label: string, done: number, total: number | null): void {
    const nowMs = this.#clock.monoMs();
    if (!this.#stream.isTty || nowMs - this.#drawnMs < DRAW_MS) return;
    this.#drawnMs = nowMs;
    this.#isDrawn = true;
    const elapsed = `${Math.floor((nowMs - this.#startedMs) / 1000)} s`;
    const part = total === null || total <= 0 ? null : Math.min(1, done / total);
    const bar = part === null ? "" : `${barOf(part)} ${String(Math.floor(part * 100)).padStart(3)} %  `;
    this.#stream.write(`\r\u001b[K${`${label}  ${bar}${elapsed}`.slice(0, this.#stream.columns)}`);
  }

  /** Take the line away: what is printed next stands in its place. */
  clear(): void {
    if (this.#isDrawn) this.#stream.write("\r\u001b[K");
    this.#isDrawn = false;
  }
}

function barOf(part: number): string {
  const full = Math.round(part * BAR_CHARS);
  return "█".repeat(full) + "░".repeat(BAR_CHARS - full);
}
