/**
 * Puts single records aside for one sink: durable first, with the reason and the gap entry, then the cursor may pass.
 *
 * Remembers which records it put aside until the cursor has passed them, so that a repeat after a reconnect passes
 * them over instead of sending them again. At most a window of them, because the cursor waits for the oldest.
 */
import type { Logger } from "../core/log.js";
import type { Counter } from "../core/metrics.js";
import type { QuarantinedMessage, Spool } from "../model/spool.js";

export interface QuarantineDeskDeps {
  readonly spool: Pick<Spool, "quarantine">;
  readonly log: Logger;
  readonly quarantined: Counter;
}

/** A record on its way to quarantine. */
export interface AsideRecord {
  readonly recordId: number;
  readonly message: QuarantinedMessage | null;
}

/** One per sink. */
export class QuarantineDesk {
  readonly #aside = new Set<number>();
  readonly #sink: string;
  readonly #deps: QuarantineDeskDeps;
  #count = 0;

  constructor(sink: string, deps: QuarantineDeskDeps) {
    this.#sink = sink;
    this.#deps = deps;
  }

  /** How many records were put aside since the start. */
  get count(): number {
    return this.#count;
  }

  has(recordId: number): boolean {
    return this.#aside.has(recordId);
  }

  /** The cursor is at `recordId`: what lies behind it need not be remembered. */
  passed(recordId: number): void {
    if (this.#aside.size === 0) return;
    for (const id of this.#aside) if (id <= recordId) this.#aside.delete(id);
  }

  /**
   * @param record its id, and the message to be kept for another try.
   * @param then called when it is durable.
   * @param failed called when the store would not take it; the record must be tried again.
   */
  put(record: AsideRecord, reason: string, then: () => void, failed: () => void): void {
    const { recordId, message } = record;
    this.#deps.spool.quarantine(this.#sink, recordId, reason, message).then(
      () => {
        this.#count += 1;
        this.#aside.add(recordId);
        this.#deps.quarantined.add();
        this.#deps.log.warn({ recordId, reason }, "a record was put in quarantine");
        then();
      },
      (error: unknown) => {
        this.#deps.log.error({ recordId, error: String(error) }, "a record could not be put in quarantine");
        failed();
      },
    );
  }
}
