/**
 * Serial lines that come and go: a path whose last part holds a `*` stands for every line that fits it at the moment.
 *
 *   /dev/serial/by-id/usb-Arduino*      every board of a kind, as it is plugged in
 *   unix:/var/lib/tidegate/boards/*.sock   every emulated board
 *
 *   list the folder ─ new name ─▶ attach        name gone, line closed ─▶ detach        (once a second)
 */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../core/clock.js";
import type { Counter, Metrics } from "../core/metrics.js";
import { UNIX_PREFIX } from "./serial-open.js";

/** Names in a folder; rejects when it cannot be read. */
export type ListFolder = (folder: string) => Promise<readonly string[]>;

export const listFolder: ListFolder = (folder) => readdir(folder);

/** What the lines of a pattern are attached to. */
export interface PatternHost {
  readonly clock: Clock;
  readonly list: ListFolder;
  readonly metrics: Metrics;
  attach(path: string): void;
  /** Let go of a line whose name is gone. @returns false while it is still open: it is asked again */
  detach(path: string): boolean;
}

/** A person who plugs a board in looks at the screen about so long. */
const LOOK_EVERY_MS = 1_000;
/** Lines of one pattern: far more ports than a machine has, few enough for one thread. */
const LINES_MAX = 64;

/** Does a configured path stand for several lines? */
export function isSerialPattern(path: string): boolean {
  return basename(path).includes("*");
}

/** The names that fit, where `*` stands for any text; in order, hidden files never. Pure. */
export function fitting(pattern: string, names: readonly string[]): string[] {
  const parts = basename(pattern)
    .split("*")
    .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const form = new RegExp(`^${parts.join("[^]*")}$`);
  return names.filter((name) => !name.startsWith(".") && form.test(name)).sort();
}

/** One pattern of the configuration. Nothing happens before `start`. */
export class SerialPattern {
  readonly #folder: string;
  readonly #prefix: string;
  readonly #pattern: string;
  readonly #host: PatternHost;
  readonly #attached = new Set<string>();
  readonly #refusedCount: Counter;
  /** For which there was no room at the last look. */
  #refused = new Set<string>();
  #cancel: () => void = () => {};
  #isRunning = false;

  /** @param path with a `*` in its last part, perhaps with `unix:` before it */
  constructor(path: string, host: PatternHost) {
    this.#prefix = path.startsWith(UNIX_PREFIX) ? UNIX_PREFIX : "";
    this.#folder = dirname(path.slice(this.#prefix.length));
    this.#pattern = path;
    this.#host = host;
    this.#refusedCount = host.metrics.counter(
      "serial_lines_refused",
      "Serial lines not taken because their pattern has too many",
    );
  }

  start(): void {
    this.#isRunning = true;
    void this.#look();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel();
  }

  async #look(): Promise<void> {
    // A folder that is not there, or may not be read, has no lines yet.
    const names = await this.#host.list(this.#folder).catch((): string[] => []);
    if (!this.#isRunning) return;
    const paths = new Set(fitting(this.#pattern, names).map((name) => this.#prefix + join(this.#folder, name)));
    for (const path of this.#attached) {
      if (!paths.has(path) && this.#host.detach(path)) this.#attached.delete(path);
    }
    const refused = new Set([...paths].filter((path) => !this.#take(path)));
    this.#refusedCount.value += [...refused].filter((path) => !this.#refused.has(path)).length;
    this.#refused = refused;
    this.#cancel = this.#host.clock.after(LOOK_EVERY_MS, () => void this.#look());
  }

  /** @returns false when there is no room */
  #take(path: string): boolean {
    if (this.#attached.has(path)) return true;
    if (this.#attached.size >= LINES_MAX) return false;
    this.#attached.add(path);
    this.#host.attach(path);
    return true;
  }
}
