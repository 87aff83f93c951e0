/** The list of gaps, read once and then only what is new: it only ever grows at its end. */
import type { GapView } from "../../../src/admin/api-schemas.js";
import { api } from "../api.js";

const PAGE_MAX = 10_000;
/** Kept in memory: the newest. More than that are exported with the command line. */
const GAPS_MAX = 50_000;

/** One reader; `read` answers everything so far, newest first. */
export class GapTail {
  readonly #device: string;
  #gaps: GapView[] = [];
  #after = 0;

  /** @param device only its gaps; empty: all */
  constructor(device = "") {
    this.#device = device;
  }

  /** Rejects with ApiError; what was read before is kept. */
  async read(): Promise<readonly GapView[]> {
    const only = this.#device === "" ? {} : { device: this.#device };
    for (;;) {
      const { gaps, next } = await api.gaps({ ...only, after: this.#after, limit: PAGE_MAX });
      this.#gaps = [...gaps.reverse(), ...this.#gaps].slice(0, GAPS_MAX);
      this.#after = this.#gaps[0]?.id ?? 0;
      if (next === null) return this.#gaps;
    }
  }
}
