/**
 * One viewer's place in the feed: what it has, and whether it keeps up.
 *
 *            resume granted           all sent
 *   join ──▶ replaying ───────────────▶ live ◀──────────┐
 *               │ too old meanwhile      │ buffer full   │ drained, newest values sent
 *               └───────▶ behind ◀───────┘───────────────┘
 *
 * A seat never holds frames of its own: what a viewer has not taken lies in its socket, bounded, or is left out.
 */
import type { LiveFrame } from "./live-frame.js";

/** A connection, as the feed sees it. */
export interface Viewer {
  /** Bytes handed over and not yet taken by the network. */
  bufferedBytes(): number;
  /** Must not throw; a dead connection swallows it. The frame's bytes are shared. */
  send(frame: LiveFrame): void;
  /** Does the credential that opened it still hold? */
  allowed(): boolean;
  close(why: CloseReason): void;
}

/** `stopping`: the gateway ends. `ended`: the session ended. `stuck`: it took nothing for too long. */
export type CloseReason = "stopping" | "ended" | "stuck";

export type SeatState = "replaying" | "live" | "behind";

/** One viewer's state in the feed; changed by the feed alone. */
export class LiveSeat {
  readonly viewer: Viewer;
  readonly #bufferBytesMax: number;
  state: SeatState = "live";
  /** Every record up to here was shown, or deliberately left out. */
  reachedId: number;
  /** Monotonic ms since when it is behind; meaningful in that state only. */
  behindSinceMs = 0;

  constructor(viewer: Viewer, reachedId: number, bufferBytesMax: number) {
    this.viewer = viewer;
    this.reachedId = reachedId;
    this.#bufferBytesMax = bufferBytesMax;
  }

  /** Is there room for another frame? */
  get hasRoom(): boolean {
    return this.viewer.bufferedBytes() <= this.#bufferBytesMax;
  }

  /** Has it taken nearly everything it was given? */
  get drained(): boolean {
    return this.viewer.bufferedBytes() <= this.#bufferBytesMax / 4;
  }

  /** Frames that move the offset, in order, as many as there is room for. True when all of them went out. */
  advance(frames: readonly LiveFrame[]): boolean {
    for (const frame of frames) {
      if (frame.recordId <= this.reachedId) continue;
      if (!this.hasRoom) return false;
      this.viewer.send(frame);
      this.reachedId = frame.recordId;
    }
    return true;
  }

  /** A frame without an offset of its own (presence, status, beat): shown when there is room, else left out. */
  offer(frame: LiveFrame): boolean {
    if (!this.hasRoom) return false;
    this.viewer.send(frame);
    return true;
  }

  fallBehind(nowMs: number): void {
    this.state = "behind";
    this.behindSinceMs = nowMs;
  }
}
