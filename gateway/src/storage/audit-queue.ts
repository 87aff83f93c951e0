/**
 * Audit lines on their way to identity.db: a file and an fsync of its own, so they are written by the housekeeping,
 * once a second, and nobody who waits for a command waits for them. The last second of them may be lost in a crash.
 */
import type { AuditLine, IdentityTable } from "./identity-table.js";
import { failureOf } from "./sqlite-error.js";

/** So many are written at once, whatever the hour. */
const WAITING_MAX = 256;

/** Keeps lines until `write`. */
export class AuditQueue {
  readonly #identity: Pick<IdentityTable, "addAudits">;
  #lines: AuditLine[] = [];

  constructor(identity: Pick<IdentityTable, "addAudits">) {
    this.#identity = identity;
  }

  add(line: AuditLine): void {
    this.#lines.push(line);
    if (this.#lines.length >= WAITING_MAX) this.write();
  }

  /** Durable when it returns; lost to a full disk, or to somebody who holds the file. Throws what ends the process. */
  write(): void {
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    try {
      this.#identity.addAudits(lines);
    } catch (thrown) {
      // The audit is a log: trouble that passes costs lines of it, not the gateway.
      const failure = failureOf(thrown);
      if (failure !== "full" && failure !== "busy") throw thrown;
    }
  }
}
