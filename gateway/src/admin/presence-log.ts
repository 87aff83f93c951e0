/**
 * When devices came and went, since the gateway started: the session log of a device's page, and the bands behind its
 * charts. Bounded per device and in devices; the oldest change of a device, or the device silent longest, goes first.
 */
import type { DevicePresence } from "./admin-host.js";

const CHANGES_MAX = 200;
const DEVICES_MAX = 20_000;

export interface PresenceEntry {
  readonly atUnixMs: number;
  readonly presence: DevicePresence["presence"];
  /** Peer address or serial path; null when offline. */
  readonly remote: string | null;
}

const NONE: readonly PresenceEntry[] = [];

/** The last changes of presence of every device. */
export class PresenceLog {
  readonly #changesMax: number;
  readonly #devicesMax: number;
  /** In order of the latest change. */
  readonly #byDevice = new Map<string, readonly PresenceEntry[]>();

  constructor(changesMax = CHANGES_MAX, devicesMax = DEVICES_MAX) {
    this.#changesMax = changesMax;
    this.#devicesMax = devicesMax;
  }

  note(device: string, entry: PresenceEntry): void {
    const changes = this.#byDevice.get(device) ?? NONE;
    const last = changes.at(-1);
    if (last !== undefined && last.presence === entry.presence && last.remote === entry.remote) return;
    const kept = changes.length < this.#changesMax ? changes : changes.slice(1);
    this.#byDevice.delete(device);
    // Not a push, which makes room for sixteen more: most devices come once and stay.
    this.#byDevice.set(device, kept.concat(entry));
    const oldest = this.#byDevice.keys().next().value;
    if (this.#byDevice.size > this.#devicesMax && oldest !== undefined) this.#byDevice.delete(oldest);
  }

  /** Oldest first. */
  of(device: string): readonly PresenceEntry[] {
    return this.#byDevice.get(device) ?? NONE;
  }
}
