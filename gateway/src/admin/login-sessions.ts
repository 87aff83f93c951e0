/**
 * Login sessions of the dashboard: 256 random bits in a cookie, kept here as a hash.
 *
 *   open ──▶ valid ──close, password changed──▶ gone
 *              └──7 days on the monotonic clock──▶ gone
 *
 * Kept on a shelf when there is one, so that a restart of the gateway does not log everybody out.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.js";
import type { Random } from "../core/random.js";
import { type SessionShelf, sessionsIn, shelfText } from "./session-shelf.js";

export const SESSION_MS_MAX = 7 * 24 * 3600 * 1000;
/** Beyond this many the one that was opened first ends. */
export const SESSIONS_MAX = 64;
const SECRET_BYTES = 32;

export interface OpenedSession {
  /** For the cookie; never stored. */
  readonly secret: string;
  readonly sessionId: string;
}

/** What makes sessions outlive the process. */
export interface SessionKeeping {
  /** Names this boot of the machine: monotonic times of another one mean nothing. */
  readonly bootId: string;
  readonly shelf: SessionShelf;
}

export interface SessionLimits {
  /** How long a login lasts, in ms. */
  readonly sessionMs: number;
  /** Logins at once; the oldest ends first. */
  readonly sessionsMax: number;
}

/** The open login sessions of this gateway. */
export class LoginSessions {
  readonly #clock: Clock;
  readonly #random: Random;
  /** Id (hash of the secret) → monotonic ms at which it ends; in order of opening. */
  readonly #endMs = new Map<string, number>();

  readonly #keeping: SessionKeeping | null;
  readonly #limits: SessionLimits;

  constructor(
    clock: Clock,
    random: Random,
    keeping: SessionKeeping | null = null,
    limits: SessionLimits = { sessionMs: SESSION_MS_MAX, sessionsMax: SESSIONS_MAX },
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#keeping = keeping;
    this.#limits = limits;
  }

  /** Take up the sessions of the run before; call once, before anybody is let in. */
  async restore(): Promise<void> {
    if (this.#keeping === null) return;
    const { bootId, shelf } = this.#keeping;
    const now = this.#clock.monoMs();
    for (const { id, endMonoMs } of sessionsIn(await shelf.load(), bootId).slice(-this.#limits.sessionsMax)) {
      // An end beyond a session's length from now was not written by this rule.
      if (endMonoMs > now && endMonoMs <= now + this.#limits.sessionMs) this.#endMs.set(id, endMonoMs);
    }
  }

  open(): OpenedSession {
    const oldest = this.#endMs.keys().next().value;
    if (this.#endMs.size >= this.#limits.sessionsMax && oldest !== undefined) this.#endMs.delete(oldest);
    const secret = Buffer.from(this.#random.bytes(SECRET_BYTES)).toString("base64url");
    const sessionId = createHash("sha256").update(secret).digest("hex");
    this.#endMs.set(sessionId, this.#clock.monoMs() + this.#limits.sessionMs);
    this.#keep();
    return { secret, sessionId };
  }

  /** The id of the session that the cookie opens, or null. */
  find(secret: string): string | null {
    const sessionId = createHash("sha256").update(secret).digest("hex");
    return this.remainingMs(sessionId) > 0 ? sessionId : null;
  }

  /** How long it still holds; 0 when it ended or never was. */
  remainingMs(sessionId: string): number {
    const endMs = this.#endMs.get(sessionId);
    if (endMs === undefined) return 0;
    const leftMs = endMs - this.#clock.monoMs();
    if (leftMs > 0) return leftMs;
    this.#endMs.delete(sessionId);
    return 0;
  }

  close(sessionId: string): void {
    this.#endMs.delete(sessionId);
    this.#keep();
  }

  /** End every session but one: the password changed. */
  closeAllBut(sessionId: string | null): void {
    for (const other of this.#endMs.keys()) if (other !== sessionId) this.#endMs.delete(other);
    this.#keep();
  }

  #keep(): void {
    if (this.#keeping === null) return;
    const sessions = Array.from(this.#endMs, ([id, endMonoMs]) => ({ id, endMonoMs }));
    this.#keeping.shelf.save(shelfText(this.#keeping.bootId, sessions));
  }
}
