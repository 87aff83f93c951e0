/**
 * One direction of a relayed connection: bytes in order, at most so many per second, or none for a while.
 *
 *   from ─data─▶ queue (bounded: `from` is paused when it is full) ─▶ to
 *                  frozen: nothing leaves, and the end of `from` is not passed on either
 */
import type { Socket } from "node:net";
import type { Clock } from "@tidegate/device-sdk";

/** Bytes held before the sender is made to wait; about what a line and two kernels would hold. */
const QUEUE_BYTES_MAX = 64 * 1024;
/** A slow line passes its bytes in slices of this length. */
const SLICE_MS = 50;

/** One direction, from the two sockets on; it owns no socket and closes only the one it writes to. */
export class RelayPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #clock: Clock;
  readonly #sliceBytes: number;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #isFrozen = false;
  #isWaiting = false;
  #end: "none" | "fin" | "lost" = "none";
  #cancel: () => void = () => {};

  /** @param bytesPerS speed of the line; null: as fast as it goes */
  constructor(from: Socket, to: Socket, clock: Clock, bytesPerS: number | null) {
    this.#from = from;
    this.#to = to;
    this.#clock = clock;
    this.#sliceBytes =
      bytesPerS === null ? Number.POSITIVE_INFINITY : Math.max(1, Math.round((bytesPerS * SLICE_MS) / 1000));
    from.on("data", (bytes) => this.#take(bytes));
    from.on("end", () => this.#finish("fin"));
    from.on("close", () => this.#finish("lost"));
    to.on("drain", () => {
      if (this.#sliceBytes === Number.POSITIVE_INFINITY) this.#go();
    });
  }

  /** From now on nothing passes, and nobody is told. */
  freeze(): void {
    this.#isFrozen = true;
    this.#cancel();
    this.#isWaiting = false;
  }

  /** Pass on what was held, late. */
  thaw(): void {
    this.#isFrozen = false;
    this.#go();
  }

  /** Leave no timer behind. */
  stop(): void {
    this.freeze();
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #take(bytes: Buffer): void {
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes >= QUEUE_BYTES_MAX) this.#from.pause();
    this.#go();
  }

  #finish(how: "fin" | "lost"): void {
    if (this.#end === "none") this.#end = how;
    this.#go();
  }

  #go(): void {
    if (this.#isFrozen || this.#isWaiting || this.#to.destroyed) return;
    const bytes = this.#cut();
    if (bytes !== null) {
      const hasRoom = this.#to.write(bytes);
      if (this.#sliceBytes !== Number.POSITIVE_INFINITY) this.#waitForSlice();
      else if (hasRoom) this.#go();
      return;
    }
    if (this.#end === "fin") this.#to.end();
    if (this.#end === "lost") this.#to.destroy();
  }

  #waitForSlice(): void {
    this.#isWaiting = true;
    this.#cancel = this.#clock.after(SLICE_MS, () => {
      this.#isWaiting = false;
      this.#go();
    });
  }

  #cut(): Buffer | null {
    const first = this.#queue.shift();
    if (first === undefined) return null;
    const bytes = first.subarray(0, this.#sliceBytes);
    if (bytes.length < first.length) this.#queue.unshift(first.subarray(bytes.length));
    this.#queuedBytes -= bytes.length;
    if (this.#queuedBytes < QUEUE_BYTES_MAX) this.#from.resume();
    return bytes;
  }
}
