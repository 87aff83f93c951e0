/**
 * The sessions on one serial line, one at a time: a line stays, boards come and go.
 *
 *   line ──Hello──────────────────▶ session (a new one, or the one that is)
 *        ──Hello of another id────▶ the older session ends without a word, a new one begins
 *        ──frame of a session─────▶ session
 *        ──frame without session──▶ SayHello, once a second [P-11]
 */
import {
  decodeBody,
  Envelope,
  encodeDownlink,
  HELLO_RETRY_MS,
  type Hello,
  type Reason,
  readEnvelope,
  SERIAL_MESSAGE_BYTES_MAX,
  UplinkTag,
} from "@tidegate/proto";
import type { Clock } from "../core/clock.js";
import type { Counter, Metrics } from "../core/metrics.js";
import { TokenBucket } from "../core/token-bucket.js";
import type { SerialLineListener } from "./serial-line.js";

/** What a session needs of a serial link; its `DeviceLink`. */
export interface SerialLink {
  readonly remote: string;
  /** The line proves nothing: every Hello is verified. */
  readonly identity: null;
  readonly messageBytesMax: number;
  readonly sendBytesMax: number;
  readonly repeatAfterMs: number;
  readonly nackEveryMs: number;
  verify(hello: Hello): boolean;
  send(message: Uint8Array): void;
  close(reason: Reason, detail: string): void;
}

/** The session behind a link. */
export interface SerialSession {
  message(bytes: Uint8Array): void;
  linkLost(): void;
}

export interface SerialSlotHost {
  readonly clock: Clock;
  readonly counters: SlotCounters;
  /** A command that was not received for so long is sent again: the device knows its id [P-17]. In ms. */
  readonly repeatAfterMs: number;
  /** The same Nack may be said again after so long: it, or the answer to it, was lost. In ms. */
  readonly nackEveryMs: number;
  /** Put one message on the line. */
  send(message: Uint8Array): void;
  /** Does the Hello prove the device id it names? */
  verify(hello: Hello): boolean;
  open(link: SerialLink): SerialSession;
}

export interface SlotCounters {
  readonly withoutSession: Counter;
  readonly tooManyHellos: Counter;
}

/** The counters of all lines together, made at first use. */
export function slotCounters(metrics: Metrics): SlotCounters {
  return {
    withoutSession: metrics.counter("serial_without_session", "Messages on serial lines without a session"),
    tooManyHellos: metrics.counter("serial_hellos_ignored", "Hellos on serial lines that came too fast"),
  };
}

/** A device says Hello every second [P-11]; several boards in quick succession are a person at work. */
const HELLOS_PER_SECOND = 2;
const HELLO_BURST = 10;

const SAY_HELLO = encodeDownlink({ kind: "sayHello" });
const envelope = new Envelope();

interface Current {
  readonly device: string;
  readonly session: SerialSession;
}

/** One per line. */
export class SerialSlot implements SerialLineListener {
  readonly #path: string;
  readonly #host: SerialSlotHost;
  readonly #hellos: TokenBucket;
  #current: Current | null = null;
  #saidHelloMonoMs = Number.NEGATIVE_INFINITY;

  /** @param path of the line, shown as where the device is. */
  constructor(path: string, host: SerialSlotHost) {
    this.#path = path;
    this.#host = host;
    this.#hellos = new TokenBucket(HELLOS_PER_SECOND, HELLO_BURST, host.clock.monoMs());
  }

  /** The device that spoke last under a session; null without one. */
  get device(): string | null {
    return this.#current?.device ?? null;
  }

  message(bytes: Uint8Array): void {
    const hello = helloIn(bytes);
    if (hello === null) {
      if (this.#current === null) this.#askForHello();
      else this.#current.session.message(bytes);
      return;
    }
    if (!this.#hellos.tryTake(this.#host.clock.monoMs())) {
      this.#host.counters.tooManyHellos.value += 1;
      return;
    }
    // Another board was plugged in: a Bye to the older one would reach the new one.
    if (this.#current !== null && this.#current.device !== hello.deviceId) this.lost();
    this.#current ??= this.#begin(hello.deviceId);
    this.#current.session.message(bytes);
  }

  lost(): void {
    const current = this.#current;
    this.#current = null;
    current?.session.linkLost();
  }

  #begin(device: string): Current {
    let isOpen = true;
    const link: SerialLink = {
      remote: this.#path,
      identity: null,
      messageBytesMax: SERIAL_MESSAGE_BYTES_MAX,
      sendBytesMax: SERIAL_MESSAGE_BYTES_MAX,
      repeatAfterMs: this.#host.repeatAfterMs,
      nackEveryMs: this.#host.nackEveryMs,
      verify: (hello) => this.#host.verify(hello),
      // A session that was left must not speak into the next one [P-5].
      send: (message) => {
        if (isOpen && this.#current === current) this.#host.send(message);
      },
      close: () => {
        isOpen = false;
        if (this.#current === current) this.#current = null;
      },
    };
    const current: Current = { device, session: this.#host.open(link) };
    return current;
  }

  #askForHello(): void {
    const { clock, counters } = this.#host;
    counters.withoutSession.value += 1;
    const now = clock.monoMs();
    if (now - this.#saidHelloMonoMs < HELLO_RETRY_MS) return;
    this.#saidHelloMonoMs = now;
    this.#host.send(SAY_HELLO);
  }
}

function helloIn(bytes: Uint8Array): Hello | null {
  if (readEnvelope(bytes, envelope) !== null || envelope.body !== UplinkTag.hello) return null;
  const decoded = decodeBody(UplinkTag.hello, bytes.subarray(envelope.bodyStart, envelope.bodyEnd));
  return decoded.ok && decoded.value.kind === "hello" ? decoded.value.hello : null;
}
