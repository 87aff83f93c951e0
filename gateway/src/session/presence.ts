/**
 * Online, offline, sleeping: derived from sessions, with hysteresis, so that a link that flaps for a second does not
 * ring alarms.
 *
 *   online ──session ends──▶ (grace) ──▶ offline        sleeping devices are offline only after 1.5 × sleepMs
 */
export type Presence = "online" | "offline" | "sleeping";

/** A device came, went, or said that it sleeps. */
export interface PresenceChange {
  readonly device: string;
  readonly presence: Presence;
}

/** A reconnect takes a second or two; a device that is back within this was never gone. */
const GRACE_MS = 3000;
const SLEEP_FACTOR = 1.5;

interface Entry {
  presence: Presence;
  sleepMs: number;
  /** When the session ended; null while one is open. */
  goneMonoMs: number | null;
}

/** Presence of every device seen since the start; `sweep` must be called about once a second. */
export class PresenceBook {
  readonly #entries = new Map<string, Entry>();
  readonly #changed: (change: PresenceChange) => void;

  constructor(changed: (change: PresenceChange) => void) {
    this.#changed = changed;
  }

  online(device: string, sleepMs: number): void {
    const entry = this.#entries.get(device);
    if (entry === undefined) this.#entries.set(device, { presence: "online", sleepMs, goneMonoMs: null });
    else {
      entry.sleepMs = sleepMs;
      entry.goneMonoMs = null;
    }
    if (entry === undefined) this.#changed({ device, presence: "online" });
    else this.#set(device, entry, "online");
  }

  /** Its session ended. */
  gone(device: string, nowMonoMs: number): void {
    const entry = this.#entries.get(device);
    if (entry !== undefined) entry.goneMonoMs = nowMonoMs;
  }

  /** Forget a device that was removed. */
  forget(device: string): void {
    this.#entries.delete(device);
  }

  of(device: string): Presence {
    return this.#entries.get(device)?.presence ?? "offline";
  }

  sweep(nowMonoMs: number): void {
    for (const [device, entry] of this.#entries) {
      if (entry.goneMonoMs === null || entry.presence === "offline") continue;
      const goneForMs = nowMonoMs - entry.goneMonoMs;
      if (goneForMs < GRACE_MS) continue;
      const asleep = entry.sleepMs > 0 && goneForMs < entry.sleepMs * SLEEP_FACTOR;
      this.#set(device, entry, asleep ? "sleeping" : "offline");
    }
  }

  #set(device: string, entry: Entry, presence: Presence): void {
    if (entry.presence === presence) return;
    entry.presence = presence;
    this.#changed({ device, presence });
  }
}
