/**
 * The tables `devices` and `boots`: what the spool knows of a device, and how each of its boots maps to Unix time.
 */
import type { Database, Statement } from "better-sqlite3";
import type { DeviceRow } from "../spool/tables.js";

/** Boots remembered per device: an outbox may hold readings of older ones [P-23]. */
const BOOTS_KEPT = 8;

export interface BootOffset {
  readonly bootNonce: number;
  readonly offsetUnixMs: number;
}

const COLUMNS = `key, device, firmware, model, sleep_ms AS sleepMs, last_seen_ms AS lastSeenUnixMs, epoch, catalog,
                 last_wire_id AS lastWireId`;

/** Queries on devices and their boots; inside a transaction of the caller. */
export class DevicesTable {
  readonly #byName: Statement<[string], DeviceRow>;
  readonly #byKey: Statement<[number], DeviceRow>;
  readonly #add: Statement<[string, number]>;
  readonly #put: Statement<[string, string, number, number, number, number, number, number]>;
  readonly #setCatalog: Statement<[number, number]>;
  readonly #raiseWireId: Statement<[number, number, number]>;
  readonly #boots: Statement<[number, number], BootOffset>;
  readonly #putBoot: Statement<[number, number, number, number]>;
  readonly #pruneBoots: Statement<[number, number, number]>;

  constructor(db: Database) {
    this.#byName = db.prepare(`SELECT ${COLUMNS} FROM devices WHERE device = ?`);
    this.#byKey = db.prepare(`SELECT ${COLUMNS} FROM devices WHERE key = ?`);
    this.#add = db.prepare("INSERT INTO devices (device, last_seen_ms) VALUES (?, ?)");
    this.#put = db.prepare(
      `UPDATE devices SET firmware = ?, model = ?, sleep_ms = ?, last_seen_ms = ?, epoch = ?, catalog = ?,
         last_wire_id = ? WHERE key = ?`,
    );
    this.#setCatalog = db.prepare("UPDATE devices SET catalog = ? WHERE key = ?");
    this.#raiseWireId = db.prepare("UPDATE devices SET last_wire_id = ? WHERE key = ? AND last_wire_id < ?");
    this.#boots = db.prepare(
      `SELECT boot_nonce AS bootNonce, offset_ms AS offsetUnixMs FROM boots WHERE device_key = ?
       ORDER BY at_ms DESC LIMIT ?`,
    );
    this.#putBoot = db.prepare(
      `INSERT INTO boots (device_key, boot_nonce, offset_ms, at_ms) VALUES (?, ?, ?, ?)
       ON CONFLICT (device_key, boot_nonce) DO UPDATE SET offset_ms = excluded.offset_ms, at_ms = excluded.at_ms`,
    );
    this.#pruneBoots = db.prepare(
      `DELETE FROM boots WHERE device_key = ? AND boot_nonce IN
         (SELECT boot_nonce FROM boots WHERE device_key = ? ORDER BY at_ms DESC LIMIT -1 OFFSET ?)`,
    );
  }

  byName(device: string): DeviceRow | null {
    return this.#byName.get(device) ?? null;
  }

  byKey(key: number): DeviceRow | null {
    return this.#byKey.get(key) ?? null;
  }

  add(device: string, atUnixMs: number): DeviceRow {
    const key = Number(this.#add.run(device, atUnixMs).lastInsertRowid);
    return {
      key,
      device,
      firmware: "",
      model: "",
      sleepMs: 0,
      lastSeenUnixMs: atUnixMs,
      epoch: 0,
      catalog: 0,
      lastWireId: 0,
    };
  }

  put(row: DeviceRow): void {
    const { firmware, model, sleepMs, lastSeenUnixMs, epoch, catalog, lastWireId, key } = row;
    this.#put.run(firmware, model, sleepMs, lastSeenUnixMs, epoch, catalog, lastWireId, key);
  }

  setCatalog(key: number, catalog: number): void {
    this.#setCatalog.run(catalog, key);
  }

  raiseWireId(key: number, wireId: number): void {
    this.#raiseWireId.run(wireId, key, wireId);
  }

  /** Newest first, at most eight. */
  boots(deviceKey: number): BootOffset[] {
    return this.#boots.all(deviceKey, BOOTS_KEPT);
  }

  putBoot(deviceKey: number, boot: BootOffset, atUnixMs: number): void {
    this.#putBoot.run(deviceKey, boot.bootNonce, boot.offsetUnixMs, atUnixMs);
    this.#pruneBoots.run(deviceKey, deviceKey, BOOTS_KEPT);
  }
}
