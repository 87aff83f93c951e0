/**
 * What happened, as a hash that two runs of one seed must share, and as lines for people when somebody wants to read.
 *
 * The hash is FNV-1a over the instants, the words and the numbers, so that it costs little without a reader.
 */
import type { Timeline } from "./timeline.js";

const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/** One per run; lines are kept only when somebody wants to read them. */
export class Story {
  readonly lines: string[] = [];
  readonly #timeline: Timeline;
  readonly #isTold: boolean;
  readonly #words = new Map<string, number>();
  #hash = FNV_BASIS | 0;

  constructor(timeline: Timeline, isTold: boolean) {
    this.#timeline = timeline;
    this.#isTold = isTold;
  }

  /** @param who a party; @param what a constant word or two; the numbers go into the hash as well. */
  tell(who: string, what: string, ...facts: readonly (number | string)[]): void {
    this.#mix(Math.floor(this.#timeline.nowMs * 1000));
    this.#mix(this.#wordOf(who));
    this.#mix(this.#wordOf(what));
    for (const fact of facts) this.#mix(typeof fact === "number" ? fact : this.#wordOf(fact));
    if (!this.#isTold) return;
    const at = (this.#timeline.nowMs / 1000).toFixed(3).padStart(10);
    this.lines.push(`${at}  ${who.padEnd(8)} ${what}${facts.map((fact) => ` ${fact}`).join("")}`);
  }

  /** Eight hexadecimal digits. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value | 0), FNV_PRIME);
    this.#hash = Math.imul(this.#hash ^ Math.floor(value / 2 ** 32), FNV_PRIME);
  }

  #wordOf(word: string): number {
    const known = this.#words.get(word);
    if (known !== undefined) return known;
    let hash = FNV_BASIS | 0;
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), FNV_PRIME);
    this.#words.set(word, hash);
    return hash;
  }
}
