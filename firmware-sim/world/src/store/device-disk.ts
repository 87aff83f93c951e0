/**
 * The card of a persistent device, in memory: what the SDK's outbox file keeps, and older images of it. A write is
 * durable when it returns (as with synchronous FULL); a power cut leaves the last write, a stale card an older one.
 */
import type { OpenOutbox, OutboxDisk } from "@tidegate/device-sdk";
import type { DeviceTraps } from "../command-traps.js";

type Changes = Parameters<OutboxDisk["write"]>[0];
type Saved = ReturnType<OpenOutbox>["saved"];
type Entry = Changes["insert"] extends ReadonlySet<infer E> ? E : never;

interface Row {
  readonly entry: Entry;
  readonly isWaiting: boolean;
}

/** What the card holds; changed in place, copied now and then. */
interface Image {
  readonly rows: Map<number, Row>;
  readonly commands: Set<number>;
  lastCommand: number;
  epoch: number;
  nextSeq: number;
  tailGap: number;
  ackedSeq: number;
  waitingNextSeq: number;
  waitingTailGap: number;
}

const emptyImage = (): Image => ({
  rows: new Map(),
  commands: new Set(),
  lastCommand: 0,
  epoch: 0,
  nextSeq: 1,
  tailGap: 0,
  ackedSeq: 0,
  waitingNextSeq: 1,
  waitingTailGap: 0,
});

const copyOf = (image: Image): Image => ({
  ...image,
  rows: new Map(image.rows),
  commands: new Set(image.commands),
});

/** Images of the past that are kept for a stale card. */
const IMAGES_KEPT = 24;
/** A copy costs as much as the card holds: one before every so many writes is enough of a past. */
const WRITES_PER_IMAGE = 5;

/** One per device; outlives its processes. */
export class DeviceDisk {
  #image = emptyImage();
  #past: Image[] = [];
  #writesUntilImage = 0;
  /** Writes fail while it says so. */
  isFailing: () => boolean = () => false;

  /** For `DeviceOptions.outbox.open`. `isAlive`: a process that is dead writes nothing. */
  opener(isAlive: () => boolean, traps: DeviceTraps): OpenOutbox {
    return () => ({ file: this.#file(isAlive, traps), saved: savedOf(this.#image), movedTo: null });
  }

  /** Bodies that are on the card. */
  bodies(): Uint8Array[] {
    return [...this.#image.rows.values()].map(({ entry }) => entry.body);
  }

  /** A second card with the same content: of a device that somebody cloned. */
  copy(): DeviceDisk {
    const other = new DeviceDisk();
    other.#image = copyOf(this.#image);
    return other;
  }

  /** Put an older image back. @param share 0 … 1, how far back. @returns whether there was another one. */
  goBack(share: number): boolean {
    const at = Math.floor(share * this.#past.length);
    const image = this.#past[at];
    if (image === undefined) return false;
    this.#image = image;
    this.#past = this.#past.slice(0, at);
    return true;
  }

  #file(isAlive: () => boolean, traps: DeviceTraps): OutboxDisk {
    return {
      write: (changes) => this.#change(isAlive, (image) => change(image, changes)),
      recordCommand: (id, lastCommand) => {
        traps("beforeRecord");
        this.#change(isAlive, (image) => {
          image.commands.add(id);
          image.lastCommand = lastCommand;
        });
        traps("afterRecord");
      },
      close: () => {},
    };
  }

  #change(isAlive: () => boolean, make: (image: Image) => void): void {
    if (!isAlive()) return;
    if (this.isFailing()) throw new Error("the card cannot be written");
    this.#writesUntilImage -= 1;
    if (this.#writesUntilImage < 0) {
      this.#writesUntilImage = WRITES_PER_IMAGE;
      this.#past.push(copyOf(this.#image));
      if (this.#past.length > IMAGES_KEPT) this.#past.shift();
    }
    make(this.#image);
  }
}

function change(image: Image, changes: Changes): void {
  const { current, next } = changes;
  const { rows, commands } = image;
  const waiting = new Set(next?.entries() ?? []);
  for (const ordinal of changes.remove) rows.delete(ordinal);
  for (const entry of changes.insert) rows.set(entry.ordinal, { entry: { ...entry }, isWaiting: waiting.has(entry) });
  for (const entry of changes.update) {
    if (rows.has(entry.ordinal)) rows.set(entry.ordinal, { entry: { ...entry }, isWaiting: waiting.has(entry) });
  }
  for (const id of changes.finishedCommands) commands.delete(id);
  image.lastCommand = changes.lastCommand;
  image.epoch = current.epoch;
  image.nextSeq = current.nextSeq;
  image.tailGap = current.tailGap;
  image.ackedSeq = current.ackedSeq;
  image.waitingNextSeq = next?.nextSeq ?? 1;
  image.waitingTailGap = next?.tailGap ?? 0;
}

function savedOf(image: Image): Saved {
  const entriesOf = (isWaiting: boolean): Entry[] =>
    [...image.rows.values()]
      .filter((row) => row.isWaiting === isWaiting)
      .map(({ entry }) => ({ ...entry }))
      .sort((a, b) => a.seq - b.seq);
  const { epoch, nextSeq, tailGap, ackedSeq, waitingNextSeq, waitingTailGap } = image;
  return {
    outbox: {
      current: { epoch, nextSeq, tailGap, ackedSeq, entries: entriesOf(false) },
      next: { epoch: 0, nextSeq: waitingNextSeq, tailGap: waitingTailGap, ackedSeq: 0, entries: entriesOf(true) },
    },
    lastCommand: image.lastCommand,
    interrupted: [...image.commands].sort((a, b) => a - b),
  };
}
