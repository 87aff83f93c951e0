/**
 * What changed beside the records since the last batch: presence and commands, the newest of each, bounded.
 */
import type { CommandView } from "./api-schemas.js";
import { frameOf, type LiveFrame } from "./live-frame.js";
import type { PresenceChange } from "./live-messages.js";

/** Changes kept for one batch; more than this many at once are told by the next status. */
const CHANGES_MAX = 20_000;

/** Collects changes until they are taken as frames. */
export class LiveChanges {
  readonly #presence = new Map<string, PresenceChange>();
  readonly #commands = new Map<string, CommandView>();

  get isEmpty(): boolean {
    return this.#presence.size === 0 && this.#commands.size === 0;
  }

  presence(change: PresenceChange): void {
    put(this.#presence, change.device, change);
  }

  command(command: CommandView): void {
    put(this.#commands, command.commandId, command);
  }

  /** Everything collected, as frames at that offset; then nothing is left. */
  take(recordId: number): LiveFrame[] {
    const frames: LiveFrame[] = [];
    if (this.#presence.size > 0) {
      frames.push(frameOf(recordId, { type: "presence", devices: [...this.#presence.values()] }));
    }
    if (this.#commands.size > 0) {
      frames.push(frameOf(recordId, { type: "commands", commands: [...this.#commands.values()] }));
    }
    this.clear();
    return frames;
  }

  clear(): void {
    this.#presence.clear();
    this.#commands.clear();
  }
}

/** Keep the newest change of each key; the oldest key gives way when too many come. */
function put<T>(changes: Map<string, T>, key: string, value: T): void {
  const oldest = changes.keys().next().value;
  if (changes.size >= CHANGES_MAX && oldest !== undefined && !changes.has(key)) changes.delete(oldest);
  changes.set(key, value);
}
