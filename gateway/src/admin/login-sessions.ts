/**
 * Login sessions of the dashboard: 256 random bits in a cookie, kept here as a hash.
 *
 *   open ──▶ valid ──close, password changed──▶ gone
 *              └──7 days on the monotonic clock──▶ gone
 *
 * Sessions live in memory: a restart of the gateway ends them.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.js";
import type { Random } from "../core/random.js";

export const SESSION_MS_MAX = 7 * 24 * 3600 * 1000;
/** Beyond this many the one that was opened first ends. */
export const SESSIONS_MAX = 64;
const SECRET_BYTES = 32;

export interface OpenedSession {
  /** For the cookie; never stored. */
  readonly secret: string;
  readonly sessionId: string;
}

/** The open login sessions of this gateway. */
export class LoginSessions {
  readonly #clock: Clock;
  readonly #random: Random;
  /** Id (hash of the secret) → monotonic ms at which it ends; in order of opening. */
  readonly #endMs = new Map<string, number>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  open(): OpenedSession {
    const oldest = this.#endMs.keys().next().value;
    if (this.#endMs.size >= SESSIONS_MAX && oldest !== undefined) this.#endMs.delete(oldest);
    const secret = Buffer.from(this.#random.bytes(SECRET_BYTES)).toString("base64url");
    const sessionId = createHash("sha256").update(secret).digest("hex");
    this.#endMs.set(sessionId, this.#clock.monoMs() + SESSION_MS_MAX);
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
  }

  /** End every session but one: the password changed. */
  closeAllBut(sessionId: string | null): void {
    for (const other of this.#endMs.keys()) if (other !== sessionId) this.#endMs.delete(other);
  }
}
