/**
 * A serial line between one board and the gateway: bytes with a speed, and noise that changes, drops or invents some.
 * The wire outlives both ends; whoever is not plugged in hears nothing, and what was under way then is gone.
 *
 *   board ══ toGateway ══▶ noise ══▶ gateway        a chunk arrives whole or in two pieces, never out of order
 *         ◀══ toBoard ════ noise ═══
 */
import type { Connect } from "@tidegate/device-sdk";
import { encodeStreamFrame, HELLO_RETRY_MS, Reason, SERIAL_MESSAGE_BYTES_MAX, StreamDecoder } from "@tidegate/proto";
import type { Seeded } from "./seeded.js";
import type { Timeline } from "./timeline.js";

/** 115,200 baud: ten bits on the wire per byte. */
const BYTES_PER_MS = 11.52;
/** The unacked tail is repeated after this long: what the SDK's own serial link reckons for this speed, in ms. */
const RETRANSMIT_MS = 1_200;
const BORDER = new Uint8Array([0]);

type Hears = (bytes: Uint8Array) => void;
type LinkEvents = Parameters<Connect>[0];

/** One per board with a serial line; lives as long as the world. */
export class SerialWire {
  readonly #timeline: Timeline;
  readonly #random: Seeded;
  /** Chance that a byte is hit, from day to day. */
  readonly #noise: number;
  #burst = 0;
  #burstUntilMs = 0;
  #unpluggedUntilMs = 0;
  #gateway: Hears | null = null;
  #board: Hears | null = null;
  #freeAtMs = { up: 0, down: 0 };
  readonly #tap: (message: Uint8Array) => boolean;
  readonly #tapped = new StreamDecoder();
  isCalm = false;

  /**
   * @param parts noise: chance that a byte is hit; tap: sees every message of the board, before the noise, and answers
   *   whether it gets out.
   */
  constructor(
    timeline: Timeline,
    random: Seeded,
    parts: { readonly noise: number; readonly tap: (message: Uint8Array) => boolean },
  ) {
    this.#timeline = timeline;
    this.#random = random;
    this.#noise = parts.noise;
    this.#tap = parts.tap;
  }

  /** null: nobody listens at that end. */
  plugGateway(hears: Hears | null): void {
    this.#gateway = hears;
  }

  plugBoard(hears: Hears | null): void {
    this.#board = hears;
  }

  toGateway(bytes: Uint8Array): void {
    for (const message of this.#tapped.push(bytes)) if (!this.#tap(message)) return;
    this.#carry(bytes, "up", (arrived) => this.#gateway?.(arrived));
  }

  toBoard(bytes: Uint8Array): void {
    this.#carry(bytes, "down", (arrived) => this.#board?.(arrived));
  }

  /** Much noise for a while. @param share chance that a byte is hit. */
  disturb(forMs: number, share: number): void {
    this.#burst = share;
    this.#burstUntilMs = this.#timeline.nowMs + forMs;
  }

  unplug(forMs: number): void {
    this.#unpluggedUntilMs = this.#timeline.nowMs + forMs;
  }

  get isPluggedIn(): boolean {
    return this.#timeline.nowMs >= this.#unpluggedUntilMs;
  }

  calm(): void {
    this.isCalm = true;
    this.#unpluggedUntilMs = 0;
  }

  /** The board's end as the SDK opens it. */
  connector(isAlive: () => boolean): Connect {
    return (events) => this.#openBoard(events, isAlive);
  }

  #openBoard(events: LinkEvents, isAlive: () => boolean) {
    const decoder = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
    let isOpen = false;
    const hears: Hears = (bytes) => {
      for (const message of decoder.push(bytes)) if (isOpen && isAlive()) events.frame(message);
    };
    const leave = (): void => {
      if (this.#board === hears) this.#board = null;
      isOpen = false;
    };
    this.#timeline.after(1, () => {
      if (!isAlive()) return;
      isOpen = true;
      this.plugBoard(hears);
      this.toGateway(BORDER);
      events.opened();
    });
    const closed = { kind: "lost", reason: Reason.UNSPECIFIED, detail: "the line was left", retryAfterMs: 0 } as const;
    return {
      traits: {
        messageBytesMax: SERIAL_MESSAGE_BYTES_MAX,
        helloRetryMs: HELLO_RETRY_MS,
        retransmitMs: RETRANSMIT_MS,
        needsProof: true,
      },
      get writable() {
        return isOpen;
      },
      send: (frame: Uint8Array) => {
        if (isOpen) this.toGateway(encodeStreamFrame(frame));
        return isOpen;
      },
      close: () => {
        leave();
        this.#timeline.after(0, () => isAlive() && events.closed(closed));
      },
      abort: leave,
    };
  }

  #carry(bytes: Uint8Array, way: "up" | "down", deliver: Hears): void {
    if (!this.isPluggedIn) return;
    const startMs = Math.max(this.#timeline.nowMs, this.#freeAtMs[way]);
    this.#freeAtMs[way] = startMs + bytes.length / BYTES_PER_MS;
    const arriving = this.#disturbed(bytes);
    this.#timeline.after(this.#freeAtMs[way] - this.#timeline.nowMs, () => {
      if (this.isPluggedIn) deliver(arriving);
    });
  }

  /** @returns a copy, with what the noise made of it. */
  #disturbed(bytes: Uint8Array): Uint8Array {
    const random = this.#random;
    const isBurst = this.#timeline.nowMs < this.#burstUntilMs;
    const share = this.isCalm ? 0 : Math.max(this.#noise, isBurst ? this.#burst : 0);
    if (share === 0 || !random.chance(1 - (1 - share) ** bytes.length)) return bytes.slice();
    const noisy = [...bytes];
    for (let hits = random.between(1, 1 + Math.round(share * bytes.length)); hits > 0; hits--) {
      const at = random.between(0, noisy.length - 1);
      const kind = random.between(0, 2);
      if (kind === 0) noisy[at] = random.u32() & 0xff;
      else if (kind === 1) noisy.splice(at, 1);
      else noisy.splice(at, 0, random.u32() & 0xff);
    }
    return Uint8Array.from(noisy);
  }
}
