/**
 * The card of a persistent device, in memory: what the SDK's outbox file keeps, and older images of it. A write is
 * durable when it returns (as with synchronous FULL); a power cut leaves the last write, a stale card an older one.
 */
import type { OpenOutbox, OutboxDisk } from "@tidegate/device-sdk";

type Changes = Parameters<OutboxDisk["write"]>[0];
type Saved = ReturnType<OpenOutbox>["saved"];
type Entry = Changes["insert"] extends ReadonlySet<infer E> ? E : never;

interface Row {
  readonly entry: Entry;
  readonly isWaiting: boolean;
}

/** What the card holds at one instant; never changed, only replaced. */
interface Image {
  readonly rows: ReadonlyMap<number, Row>;
  readonly commands: ReadonlySet<number>;
  readonly lastCommand: number;
  readonly epoch: number;
  readonly nextSeq: number;
  readonly tailGap: number;
  readonly ackedSeq: number;
  readonly waitingNextSeq: number;
  readonly waitingTailGap: number;
}

const EMPTY: Image = {
  rows: new Map(),
  commands: new Set(),
  lastCommand: 0,
  epoch: 0,
  nextSeq: 1,
  tailGap: 0,
  ackedSeq: 0,
  waitingNextSeq: 1,
  waitingTailGap: 0,
};

/** Images of the past that are kept for a stale card. */
const IMAGES_KEPT = 40;

/** One per device; outlives its processes. */
export class DeviceDisk {
  #image = EMPTY;
  #past: Image[] = [];
  /** Writes fail while it says so. */
  isFailing: () => boolean = () => false;

  /** For `DeviceOptions.outbox.open`. `isAlive`: a process that is dead writes nothing. */
  opener(isAlive: () => boolean): OpenOutbox {
    return () => ({ file: this.#file(isAlive), saved: savedOf(this.#image), movedTo: null });
  }

  /** Bodies that are on the card. */
  bodies(): Uint8Array[] {
    return [...this.#image.rows.values()].map(({ entry }) => entry.body);
  }

  /** Put an older image back. @param share 0 … 1, how far back. @returns whether there was another one. */
  goBack(share: number): boolean {
    const image = this.#past[Math.floor(share * this.#past.length)];
    if (image === undefined) return false;
    this.#image = image;
    this.#past = this.#past.slice(0, this.#past.indexOf(image));
    return true;
  }

  #file(isAlive: () => boolean): OutboxDisk {
    return {
      write: (changes) => this.#replace(isAlive, () => changed(this.#image, changes)),
      recordCommand: (id, lastCommand) =>
        this.#replace(isAlive, () => {
          return { ...this.#image, commands: new Set(this.#image.commands).add(id), lastCommand };
        }),
      close: () => {},
    };
  }

  #replace(isAlive: () => boolean, make: () => Image): void {
    if (!isAlive()) return;
    if (this.isFailing()) throw new Error("the card cannot be written");
    this.#past.push(this.#image);
    if (this.#past.length > IMAGES_KEPT) this.#past.shift();
    this.#image = make();
  }
}

function changed(image: Image, changes: Changes): Image {
  const { current, next } = changes;
  const waiting = new Set(next?.entries() ?? []);
  const rows = new Map(image.rows);
  for (const ordinal of changes.remove) rows.delete(ordinal);
  for (const entry of changes.insert) rows.set(entry.ordinal, { entry: { ...entry }, isWaiting: waiting.has(entry) });
  for (const entry of changes.update) {
    if (rows.has(entry.ordinal)) rows.set(entry.ordinal, { entry: { ...entry }, isWaiting: waiting.has(entry) });
  }
  const commands = new Set(image.commands);
  for (const id of changes.finishedCommands) commands.delete(id);
  return {
    rows,
    commands,
    lastCommand: changes.lastCommand,
    epoch: current.epoch,
    nextSeq: current.nextSeq,
    tailGap: current.tailGap,
    ackedSeq: current.ackedSeq,
    waitingNextSeq: next?.nextSeq ?? 1,
    waitingTailGap: next?.tailGap ?? 0,
  };
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
