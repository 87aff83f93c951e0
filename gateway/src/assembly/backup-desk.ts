/** Backups of a running gateway, one at a time: what the API, and by it the command line and the dashboard, ask for. */
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { BackupStream } from "../storage/backup-archive.js";
import { makeBackup, removeLeftCopies } from "../storage/backup-files.js";

export interface BackupParts {
  readonly dataDir: string;
  readonly configFile: string | null;
  readonly gatewayId: string;
  readonly version: string;
  readonly clock: Clock;
  /** Copies both databases in use into a folder. */
  readonly copyStores: (folder: string) => Promise<void>;
}

/** A reader that takes nothing for so long has left: its copies take room on the disk. */
const IDLE_MS_MAX = 60_000;

/** Makes backups while the gateway works. */
export class BackupDesk {
  readonly #parts: BackupParts;
  #isBusy = false;

  constructor(parts: BackupParts) {
    this.#parts = parts;
    removeLeftCopies(parts.dataDir);
  }

  /** Errors: E_TOO_MANY when one is being made, and those of `makeBackup`. */
  async create(): Promise<BackupStream> {
    if (this.#isBusy) throw new GatewayError("E_TOO_MANY", "another backup is being made");
    this.#isBusy = true;
    const { dataDir, configFile, gatewayId, version, clock, copyStores } = this.#parts;
    const origin = { gatewayId, version, createdUnixMs: clock.unixMs() };
    try {
      const stream = await makeBackup({ dataDir, configFile, origin, copyStores });
      return { ...stream, pieces: this.#watched(stream.pieces) };
    } catch (thrown) {
      this.#isBusy = false;
      throw thrown;
    }
  }

  /** The same pieces; the place is free again when they end, were given up, or nobody came for the next one. */
  #watched(pieces: AsyncIterable<Uint8Array>): AsyncIterableIterator<Uint8Array> {
    const inner = pieces[Symbol.asyncIterator]();
    let cancel = (): void => {};
    let isOver = false;
    const end = async (): Promise<void> => {
      if (isOver) return;
      isOver = true;
      cancel();
      await inner.return?.();
      this.#isBusy = false;
    };
    const wait = (): void => {
      cancel = this.#parts.clock.after(IDLE_MS_MAX, () => void end());
    };
    wait();
    return {
      [Symbol.asyncIterator]() {
        return this;
      },
      next: async () => {
        cancel();
        if (isOver) throw new GatewayError("E_TOO_MANY", "nobody took the backup in time");
        try {
          const result = await inner.next();
          if (result.done === true) await end();
          else wait();
          return result;
        } catch (thrown) {
          await end();
          throw thrown;
        }
      },
      return: async () => {
        await end();
        return { done: true, value: undefined };
      },
    };
  }
}
