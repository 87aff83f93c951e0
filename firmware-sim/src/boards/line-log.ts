/**
 * What was said on a board's line, told from its frames: messages sent and acked, sessions, commands. The board's side:
 * what it said before the line hurt it, what it heard after.
 */
import {
  decodeDownlink,
  decodeUplink,
  Envelope,
  readEnvelope,
  SERIAL_MESSAGE_BYTES_MAX,
  type SeriesValues,
  StreamDecoder,
  UplinkTag,
} from "@tidegate/proto";
import { NO_TALLY, type Tally } from "../tally.js";

/** Reads along; changes nothing. */
export class LineLog {
  readonly #up = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
  readonly #down = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
  readonly #envelope = new Envelope();
  readonly #onOnline: () => void;
  #epoch = 0;
  #sentSeq = 0;
  #ackedSeq = 0;
  /** Up to here evictions are counted. */
  #gapSeq = 0;
  #isOnline = false;
  #counts = {
    readings: 0,
    sent: 0,
    repeated: 0,
    acked: 0,
    dropped: 0,
    lostByReboot: 0,
    sessions: 0,
    commands: 0,
    reboots: 0,
  };

  /** @param onOnline told at every Welcome */
  constructor(onOnline: () => void = () => {}) {
    this.#onOnline = onOnline;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Counts since the line is there. */
  get tally(): Tally {
    const { sessions, acked, dropped } = this.#counts;
    return {
      ...NO_TALLY,
      ...this.#counts,
      // The ack covers what was announced as evicted, too.
      acked: Math.max(0, acked - dropped),
      buffered: this.#sentSeq - this.#ackedSeq,
      reconnects: Math.max(0, sessions - 1),
    };
  }

  /** Bytes that the board sent. */
  said(chunk: Uint8Array): void {
    for (const message of this.#up.push(chunk)) this.#onUplink(message);
  }

  /** Bytes that reached the board. */
  heard(chunk: Uint8Array): void {
    for (const message of this.#down.push(chunk)) this.#onDownlink(message);
  }

  /** The gateway, or the wire, is gone. */
  unplugged(): void {
    this.#isOnline = false;
    this.#down.reset();
  }

  /** The board lost its memory. */
  rebooted(): void {
    this.unplugged();
    this.#up.reset();
    this.#counts.reboots += 1;
    this.#counts.lostByReboot += this.#sentSeq - this.#ackedSeq;
    this.#begin(0, 0);
  }

  #onUplink(message: Uint8Array): void {
    const envelope = this.#envelope;
    if (readEnvelope(message, envelope) !== null || envelope.seq === 0) return;
    const gapFrom = Math.max(envelope.seq - envelope.gap, this.#gapSeq + 1);
    if (gapFrom < envelope.seq) {
      this.#counts.dropped += envelope.seq - gapFrom;
      this.#gapSeq = envelope.seq - 1;
    }
    if (envelope.seq <= this.#sentSeq) {
      this.#counts.repeated += 1;
      return;
    }
    this.#counts.sent += 1;
    if (envelope.body === UplinkTag.telemetry) this.#counts.readings += readingsIn(message);
    this.#sentSeq = envelope.seq;
  }

  #onDownlink(message: Uint8Array): void {
    const decoded = decodeDownlink(message);
    if (!decoded.ok || decoded.value === null) return;
    const body = decoded.value;
    if (body.kind === "welcome") this.#onWelcome(body.welcome.epoch, body.welcome.ackedSeq);
    else if (body.kind === "ack") this.#onAck(body.ack.seq);
    else if (body.kind === "command") this.#counts.commands += 1;
    else if (body.kind === "sayHello" || body.kind === "bye") this.#isOnline = false;
  }

  #onWelcome(epoch: number, ackedSeq: number): void {
    this.#counts.sessions += 1;
    this.#isOnline = true;
    if (epoch !== this.#epoch) this.#begin(epoch, ackedSeq);
    this.#onAck(ackedSeq);
    this.#onOnline();
  }

  #begin(epoch: number, seq: number): void {
    this.#epoch = epoch;
    this.#sentSeq = seq;
    this.#ackedSeq = seq;
    this.#gapSeq = seq;
  }

  #onAck(seq: number): void {
    if (seq <= this.#ackedSeq || seq > this.#sentSeq) return;
    this.#counts.acked += seq - this.#ackedSeq;
    this.#ackedSeq = seq;
  }
}

function readingsIn(message: Uint8Array): number {
  const decoded = decodeUplink(message);
  if (!decoded.ok || decoded.value.body?.kind !== "telemetry") return 0;
  return decoded.value.body.telemetry.series.reduce((sum, { values }) => sum + valueCount(values), 0);
}

function valueCount(values: SeriesValues): number {
  if (values.kind === "none") return 0;
  const { kind, ...lists } = values;
  return Object.values(lists).reduce((sum, list) => sum + list.length, 0);
}
