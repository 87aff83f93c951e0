/**
 * A listening post on a device's link, and the switch that takes its power away.
 *
 *   Device ─send─▶ tap ─▶ wss          every frame is seen before it leaves
 *          ◀frame─     ◀─
 *   cut(): both directions end silently, as in a device that lost its power; later links of this tap never open
 */
import type { Connect, Link, LinkEvents, LinkTraits } from "@tidegate/device-sdk";

/** Sees a frame that is about to be handed to the link. Only reads the bytes. */
export type FrameWatcher = (frame: Uint8Array) => void;

/** One tap per boot of a device; pass `connect` to it. */
export class LinkTap {
  readonly connect: Connect;
  #current: TappedLink | null = null;
  #isCut = false;

  constructor(inner: Connect, onSend: FrameWatcher) {
    this.connect = (events) => {
      if (this.#isCut) return new TappedLink(null, onSend);
      this.#current = TappedLink.open(inner, events, onSend);
      return this.#current;
    };
  }

  /** Take the power away. The device object hears nothing of it, and nothing it still does reaches the line. */
  cut(): void {
    this.#isCut = true;
    this.#current?.cut();
    this.#current = null;
  }
}

const NO_TRAITS: LinkTraits = { messageBytesMax: 1_024, helloRetryMs: 60_000, retransmitMs: 0, needsProof: false };

class TappedLink implements Link {
  readonly #onSend: FrameWatcher;
  readonly #post: { listener: LinkEvents | null };
  readonly traits: LinkTraits;
  #inner: Link | null;

  constructor(inner: Link | null, onSend: FrameWatcher, post: { listener: LinkEvents | null } = { listener: null }) {
    this.#inner = inner;
    this.#onSend = onSend;
    this.#post = post;
    this.traits = inner?.traits ?? NO_TRAITS;
  }

  static open(connect: Connect, events: LinkEvents, onSend: FrameWatcher): TappedLink {
    // A link calls no event before `connect` has returned, so the listener is there in time.
    const post: { listener: LinkEvents | null } = { listener: events };
    const inner = connect({
      opened: () => post.listener?.opened(),
      frame: (bytes) => post.listener?.frame(bytes),
      writable: () => post.listener?.writable(),
      closed: (closed) => post.listener?.closed(closed),
    });
    return new TappedLink(inner, onSend, post);
  }

  get writable(): boolean {
    return this.#inner?.writable ?? false;
  }

  send(frame: Uint8Array): boolean {
    if (this.#inner?.writable !== true) return false;
    // Before, not after: what a crash lets out must have been written down as attempted.
    this.#onSend(frame);
    return this.#inner.send(frame);
  }

  close(code: number): void {
    this.#inner?.close(code);
  }

  abort(): void {
    this.#inner?.abort();
  }

  cut(): void {
    this.#post.listener = null;
    this.#inner?.abort();
    this.#inner = null;
  }
}
