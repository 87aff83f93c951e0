/**
 * Who may use the admin API: the bearer of the admin token, or of a login session.
 *
 *   Authorization: Bearer <token> ──▶ token
 *   Cookie: <session>             ──▶ session ◀── login code (link, one use) or password
 *
 * Secrets are compared as SHA-256 hashes in constant time. Refusals say nothing about which part was wrong.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { parse as parseCookies } from "hono/utils/cookie";
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { Counter, Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import type { PasswordStore } from "./admin-host.js";
import { LoginCodes } from "./login-codes.js";
import {
  LoginSessions,
  type OpenedSession,
  SESSION_MS_MAX,
  SESSIONS_MAX,
  type SessionKeeping,
  type SessionLimits,
} from "./login-sessions.js";
import { LoginThrottle } from "./login-throttle.js";
import { PasswordHasher } from "./password.js";

/** How a request proved itself. */
export type Credential = { readonly kind: "token" } | { readonly kind: "session"; readonly sessionId: string };

export interface AdminAuthOptions {
  /** Text of `<dataDir>/admin.token`. An empty one opens nothing. */
  readonly adminToken: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly passwords: PasswordStore;
  readonly metrics: Metrics;
  /** Absent: sessions end with the process. */
  readonly sessions?: SessionKeeping | undefined;
  readonly limits?: Partial<LoginLimits> | undefined;
}

/** Bounds of logging in; each has a default. */
export interface LoginLimits extends SessionLimits {
  /** How long a login link works, in ms. */
  readonly loginCodeMs: number;
  /** Wrong passwords and codes per minute, from everywhere together; above it logins wait. */
  readonly failuresPerMinute: number;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Checks credentials, opens and ends sessions. One for the whole admin edge. */
export class AdminAuth {
  readonly #tokenHash: Buffer | null;
  readonly #passwords: PasswordStore;
  readonly #codes: LoginCodes;
  readonly #sessions: LoginSessions;
  readonly #throttle: LoginThrottle;
  readonly #hasher: PasswordHasher;
  readonly #refused: Counter;
  readonly #throttled: Counter;
  /** How long a login lasts, in ms: the cookie's age. */
  readonly sessionMs: number;
  #cookieName = "tidegate_session";

  constructor(options: AdminAuthOptions) {
    const token = options.adminToken.trim();
    this.#tokenHash = token === "" ? null : digest(token);
    this.#passwords = options.passwords;
    const {
      sessionMs = SESSION_MS_MAX,
      sessionsMax = SESSIONS_MAX,
      loginCodeMs,
      failuresPerMinute,
    } = options.limits ?? {};
    this.sessionMs = sessionMs;
    this.#codes = new LoginCodes(options.clock, options.random, loginCodeMs);
    const limits = { sessionMs, sessionsMax };
    this.#sessions = new LoginSessions(options.clock, options.random, options.sessions ?? null, limits);
    this.#throttle = new LoginThrottle(options.clock, failuresPerMinute);
    this.#hasher = new PasswordHasher(options.random);
    this.#refused = options.metrics.counter("admin_login_refused", "Logins refused for a wrong code or password");
    this.#throttled = options.metrics.counter("admin_login_throttled", "Logins refused because of earlier failures");
  }

  /** Take up the sessions of the run before. Never rejects. */
  restoreSessions(): Promise<void> {
    return this.#sessions.restore();
  }

  /** Cookies ignore ports: with the port in its name, two gateways on one host do not log each other out. */
  bindCookieTo(port: number): void {
    this.#cookieName = `tidegate_session_${port}`;
  }

  get cookieName(): string {
    return this.#cookieName;
  }

  /** Who sent these two headers; null: nobody we know. A wrong bearer token is not saved by a good cookie. */
  check(authorization: string | undefined, cookie: string | undefined): Credential | null {
    if (authorization !== undefined) return this.#checkBearer(authorization) ? { kind: "token" } : null;
    const secret = cookie === undefined ? undefined : parseCookies(cookie, this.#cookieName)[this.#cookieName];
    const sessionId = secret === undefined ? null : this.#sessions.find(secret);
    return sessionId === null ? null : { kind: "session", sessionId };
  }

  /** Does a credential found earlier still hold? Long connections ask again. */
  holds(credential: Credential): boolean {
    return credential.kind === "token" || this.#sessions.remainingMs(credential.sessionId) > 0;
  }

  /** How long a session still holds, in ms; null for the token, which does not end. */
  remainingMs(credential: Credential): number | null {
    return credential.kind === "token" ? null : this.#sessions.remainingMs(credential.sessionId);
  }

  /** A one-use code for a login link, and how long it holds in ms. */
  issueLoginCode(): { readonly code: string; readonly expiresInMs: number } {
    return { code: this.#codes.issue(), expiresInMs: this.#codes.lifetimeMs };
  }

  /** Open a session for a code. Errors: E_UNAUTHORIZED, E_TOO_MANY. */
  loginWithCode(code: string, address: string): OpenedSession {
    this.#mayTry(address);
    if (!this.#codes.take(code)) throw this.#refuse(address, "the login link was used already, has ended, or is wrong");
    return this.#admit(address);
  }

  /** Open a session for the password. Errors: E_UNAUTHORIZED, E_TOO_MANY. */
  async loginWithPassword(password: string, address: string): Promise<OpenedSession> {
    this.#mayTry(address);
    // Counted as a failure before the slow check: a crowd of parallel guesses must not all pass the gate first.
    this.#throttle.failed(address);
    const stored = await this.#passwords.passwordHash();
    if (stored === null || !(await this.#hasher.verify(password, stored))) {
      this.#refused.add();
      throw unauthorized("the password is wrong, or none was set");
    }
    return this.#admit(address);
  }

  logout(credential: Credential): void {
    if (credential.kind === "session") this.#sessions.close(credential.sessionId);
  }

  async hasPassword(): Promise<boolean> {
    return (await this.#passwords.passwordHash()) !== null;
  }

  /**
   * Set the administrator's password and end all other sessions. The token's bearer may always; a session must know
   * the current one. Errors: E_BAD_REQUEST (length), E_UNAUTHORIZED (current), E_TOO_MANY.
   */
  async setPassword(
    credential: Credential,
    password: string,
    current: string | undefined,
    address: string,
  ): Promise<void> {
    const stored = await this.#passwords.passwordHash();
    if (credential.kind === "session" && stored !== null) {
      this.#mayTry(address);
      this.#throttle.failed(address);
      if (!(await this.#hasher.verify(current ?? "", stored))) throw unauthorized("the current password is wrong");
      this.#throttle.succeeded(address);
    }
    await this.#passwords.setPasswordHash(await this.#hasher.hash(password));
    this.#sessions.closeAllBut(credential.kind === "session" ? credential.sessionId : null);
  }

  #checkBearer(authorization: string): boolean {
    const token = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
    return this.#tokenHash !== null && token !== undefined && timingSafeEqual(digest(token), this.#tokenHash);
  }

  #mayTry(address: string): void {
    const waitMs = this.#throttle.waitMs(address);
    if (waitMs === 0) return;
    this.#throttled.add();
    const seconds = Math.ceil(waitMs / 1000);
    throw new GatewayError("E_TOO_MANY", "too many logins failed", { fix: `wait ${seconds} s and try again` });
  }

  #refuse(address: string, why: string): GatewayError {
    this.#throttle.failed(address);
    this.#refused.add();
    return unauthorized(why);
  }

  #admit(address: string): OpenedSession {
    this.#throttle.succeeded(address);
    return this.#sessions.open();
  }
}

function unauthorized(why: string): GatewayError {
  return new GatewayError("E_UNAUTHORIZED", why, {
    fix: "open a fresh login link (`tidegate admin login`), or log in with the password",
  });
}
