/**
 * Small facts on their way to the store, conflated: a sink that moves its cursor a thousand times a second is one
 * message. While one message is under way the next collects, so that their number is bounded by itself.
 */
import type { Notes } from "./engine-options.js";

/** Audit lines that may wait; beyond it the oldest go, and are counted. */
const AUDIT_WAITING_MAX = 1_000;

/** Boots that may wait: one per connected device is far below. */
const BOOTS_WAITING_MAX = 100_000;

/** Collects cursors, boot offsets and audit lines while one message of them is under way. */
export class NoteBox {
  readonly #post: (notes: Notes) => Promise<unknown>;
  readonly #cursors = new Map<string, number>();
  readonly #boots = new Map<string, readonly [deviceKey: number, bootNonce: number, offsetUnixMs: number]>();
  #audit: (readonly [actor: string, action: string, subject: string])[] = [];
  #underway: Promise<void> | null = null;
  /** Lines and boots that did not fit. */
  droppedCount = 0;

  /** @param post one message to the store; rejects only when the store is gone. */
  constructor(post: (notes: Notes) => Promise<unknown>) {
    this.#post = post;
  }

  cursor(sink: string, recordId: number): void {
    this.#cursors.set(sink, Math.max(recordId, this.#cursors.get(sink) ?? 0));
    this.#send();
  }

  boot(deviceKey: number, bootNonce: number, offsetUnixMs: number): void {
    const key = `${deviceKey}/${bootNonce}`;
    if (this.#boots.size >= BOOTS_WAITING_MAX && !this.#boots.has(key)) this.droppedCount += 1;
    else this.#boots.set(key, [deviceKey, bootNonce, offsetUnixMs]);
    this.#send();
  }

  audit(actor: string, action: string, subject: string): void {
    this.#audit.push([actor, action, subject]);
    if (this.#audit.length > AUDIT_WAITING_MAX) {
      this.#audit.shift();
      this.droppedCount += 1;
    }
    this.#send();
  }

  /** Resolves when everything noted until now has reached the store. */
  async flush(): Promise<void> {
    while (this.#underway !== null) await this.#underway;
  }

  #send(): void {
    if (this.#underway !== null) return;
    const notes: Notes = { cursors: [...this.#cursors], boots: [...this.#boots.values()], audit: this.#audit };
    this.#cursors.clear();
    this.#boots.clear();
    this.#audit = [];
    const done = (): void => {
      this.#underway = null;
      if (this.#cursors.size + this.#boots.size + this.#audit.length > 0) this.#send();
    };
    // A store that is gone says so itself; notes may be lost in a crash.
    this.#underway = this.#post(notes).then(done, () => {
      this.#underway = null;
    });
  }
}
