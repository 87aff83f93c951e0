/** What the checker found wrong: each with the invariant it breaks, bounded in number. */
import type { Story } from "../story.js";

/** A broken rule tends to break again at every step; more than these say nothing new. */
const KEPT_MAX = 20;

export interface Finding {
  /** Name of the invariant: I1 … I9, or a rule of commands. */
  readonly invariant: string;
  readonly detail: string;
}

/** Collects; keeps the first ones and counts all. */
export class Findings {
  readonly list: Finding[] = [];
  count = 0;
  readonly #story: Story;

  constructor(story: Story) {
    this.#story = story;
  }

  add(invariant: string, detail: string): void {
    this.count += 1;
    this.#story.tell("CHECKER", `violation of ${invariant}:`, detail);
    if (this.list.length < KEPT_MAX) this.list.push({ invariant, detail });
  }
}
