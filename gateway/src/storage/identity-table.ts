/**
 * The tables of identity.db. Each change is one transaction of its own; secrets arrive hashed.
 */
import type { Database, Statement } from "better-sqlite3";
import { GatewayError } from "../core/errors.js";
import type { DeviceIdentity } from "../model/identity.js";

/** Newest audit rows kept. */
export const AUDIT_KEPT = 10_000;

/** Bounds what one audit row can take. */
const AUDIT_TEXT_CHARS_MAX = 256;

export interface AuditLine {
  readonly atUnixMs: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
}

const COLUMNS = `device, name, token_hash AS tokenHash, created_ms AS createdUnixMs, revoked_ms AS revokedUnixMs`;

/** A device to be added: its id, its name, the hash of its token. */
export type NewIdentity = readonly [device: string, name: string, tokenHash: string];

/** Queries on identities, settings and the audit; each call is durable when it returns. */
export class IdentityTable {
  readonly #all: Statement<[], DeviceIdentity>;
  readonly #get: Statement<[string], DeviceIdentity>;
  readonly #add: Statement<[string, string, string, number]>;
  readonly #setToken: Statement<[string | null, number | null, string]>;
  readonly #rename: Statement<[string, string]>;
  readonly #forget: Statement<[string]>;
  readonly #getSetting: Statement<[string], { value: string }>;
  readonly #putSetting: Statement<[string, string]>;
  readonly #addAudit: Statement<[number, string, string, string]>;
  readonly #pruneAudit: Statement<[number]>;
  readonly #together: <T>(work: () => T) => T;

  constructor(db: Database) {
    const transaction = db.transaction((work: () => unknown) => work());
    this.#together = <T>(work: () => T) => transaction(work) as T; // it answers what the work answers
    this.#all = db.prepare(`SELECT ${COLUMNS} FROM devices ORDER BY device`);
    this.#get = db.prepare(`SELECT ${COLUMNS} FROM devices WHERE device = ?`);
    this.#add = db.prepare("INSERT INTO devices (device, name, token_hash, created_ms) VALUES (?, ?, ?, ?)");
    this.#setToken = db.prepare("UPDATE devices SET token_hash = ?, revoked_ms = ? WHERE device = ?");
    this.#rename = db.prepare("UPDATE devices SET name = ? WHERE device = ?");
    this.#forget = db.prepare("DELETE FROM devices WHERE device = ?");
    this.#getSetting = db.prepare("SELECT value FROM settings WHERE key = ?");
    this.#putSetting = db.prepare("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)");
    this.#addAudit = db.prepare("INSERT INTO audit (at_ms, actor, action, subject) VALUES (?, ?, ?, ?)");
    this.#pruneAudit = db.prepare("DELETE FROM audit WHERE id <= ?");
  }

  all(): DeviceIdentity[] {
    return this.#all.all();
  }

  /** Errors: E_DEVICE_EXISTS. */
  add(device: string, name: string, tokenHash: string, atUnixMs: number): DeviceIdentity {
    if (this.#get.get(device) !== undefined) throw new GatewayError("E_DEVICE_EXISTS", `${device} is known already`);
    this.#add.run(device, name, tokenHash, atUnixMs);
    return this.#one(device);
  }

  /** Many at once for the price of one commit; each gets its own answer. Errors of one, as a value: E_DEVICE_EXISTS. */
  addAll(identities: readonly NewIdentity[], atUnixMs: number): (DeviceIdentity | GatewayError)[] {
    return this.#together(() =>
      identities.map(([device, name, tokenHash]) => {
        try {
          return this.add(device, name, tokenHash, atUnixMs);
        } catch (thrown) {
          if (thrown instanceof GatewayError) return thrown;
          throw thrown;
        }
      }),
    );
  }

  /** Errors: E_DEVICE_UNKNOWN. */
  replaceToken(device: string, tokenHash: string): DeviceIdentity {
    this.#setToken.run(tokenHash, null, device);
    return this.#one(device);
  }

  /** Errors: E_DEVICE_UNKNOWN. */
  revoke(device: string, atUnixMs: number): DeviceIdentity {
    this.#setToken.run(null, this.#one(device).revokedUnixMs ?? atUnixMs, device);
    return this.#one(device);
  }

  /** Errors: E_DEVICE_UNKNOWN. */
  rename(device: string, name: string): DeviceIdentity {
    this.#rename.run(name, device);
    return this.#one(device);
  }

  /** Errors: E_DEVICE_UNKNOWN. */
  forget(device: string): void {
    this.#one(device);
    this.#forget.run(device);
  }

  setting(key: string): string | null {
    return this.#getSetting.get(key)?.value ?? null;
  }

  putSetting(key: string, value: string): void {
    this.#putSetting.run(key, value);
  }

  /** All of them in one commit. */
  addAudits(lines: readonly AuditLine[]): void {
    this.#together(() => {
      let newest = 0;
      for (const { atUnixMs, actor, action, subject } of lines) {
        newest = Number(this.#addAudit.run(atUnixMs, cut(actor), cut(action), cut(subject)).lastInsertRowid);
      }
      this.#pruneAudit.run(newest - AUDIT_KEPT);
    });
  }

  #one(device: string): DeviceIdentity {
    const row = this.#get.get(device);
    if (row === undefined) throw new GatewayError("E_DEVICE_UNKNOWN", `no device has the id ${device}`);
    return row;
  }
}

function cut(text: string): string {
  return text.slice(0, AUDIT_TEXT_CHARS_MAX);
}
