/**
 * The serial link: one COBS frame with its CRC is one protocol message [P-37]. The SDK's only user of `serialport`.
 *
 *   serial:/dev/ttyUSB0?baud=115200 ─▶ port open ─▶ 0x00, opened ─▶ frames … ─▶ closed
 *
 * `serialport` is an optional peer: it is loaded at the first attempt, and a device that speaks wss never needs it. A
 * serial line has no connection: the gateway may be gone without a sign, and what is lost is repeated [P-11].
 */
import type { Duplex } from "node:stream";
import { encodeStreamFrame, HELLO_RETRY_MS, Reason, SERIAL_MESSAGE_BYTES_MAX, StreamDecoder } from "@tidegate/proto";
import type { Clock } from "../clock.js";
import { DeviceError } from "../errors.js";
import type { Connect, Link, LinkEvents, LinkTraits } from "./link.js";

/** An open port. `stream` emits `close` when the line is gone. */
export interface SerialPortHandle {
  readonly stream: Duplex;
  close(): void;
}

/** What a serial link is opened with. */
export interface SerialLinkOptions {
  /** `serial:/dev/ttyUSB0?baud=115200`; 115200 baud unless said. */
  readonly url: string;
  readonly clock: Clock;
  /** Opens the port; `serialport` unless told. For tests. */
  readonly open?: (path: string, baud: number) => Promise<SerialPortHandle>;
}

const BAUD_DEFAULT = 115_200;
const BAUD_MIN = 300;
const BAUD_MAX = 4_000_000;
/** Frames wait in our queue, where Nack and rewind still reach them, not in the driver's: little goes ahead. */
const QUEUED_BYTES_MAX = 2_048;
/** What may be under way before an ack can be expected: our queue, the driver's 4 KiB, one message. */
const UNDER_WAY_BYTES = QUEUED_BYTES_MAX + 4_096 + SERIAL_MESSAGE_BYTES_MAX;
/** Bits on the wire per byte: start and stop beside eight. */
const BITS_PER_BYTE = 10;
/** What the gateway takes to commit and answer. */
const ANSWER_MS = 1_000;
/** How long an orderly close waits for the last bytes. */
const CLOSE_TIMEOUT_MS = 500;
/** Ends whatever stood on the line before us [P-38]. */
const BORDER = new Uint8Array([0]);

/** Whether an url names a serial line. */
export function isSerialUrl(url: string): boolean {
  return url.startsWith("serial:");
}

/**
 * Links over a serial line. The returned function opens the port once per call.
 *
 * @throws DeviceError BAD_OPTION when the url has no path or no usable speed
 */
export function serialConnect(options: SerialLinkOptions): Connect {
  const { path, baud } = parse(options.url);
  const traits: LinkTraits = {
    messageBytesMax: SERIAL_MESSAGE_BYTES_MAX,
    helloRetryMs: HELLO_RETRY_MS,
    retransmitMs: ANSWER_MS + Math.ceil((UNDER_WAY_BYTES * BITS_PER_BYTE * 1_000) / baud),
    needsProof: true,
  };
  const open = options.open ?? openPort;
  return (events) => new SerialLink(() => open(path, baud), { traits, clock: options.clock, path }, events);
}

interface LinkParts {
  readonly traits: LinkTraits;
  readonly clock: Clock;
  readonly path: string;
}

class SerialLink implements Link {
  readonly traits: LinkTraits;
  readonly #parts: LinkParts;
  readonly #decoder = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
  #events: LinkEvents | null;
  #port: SerialPortHandle | null = null;
  #isFull = false;

  constructor(open: () => Promise<SerialPortHandle>, parts: LinkParts, events: LinkEvents) {
    this.traits = parts.traits;
    this.#parts = parts;
    this.#events = events;
    open().then(
      (port) => this.#opened(port),
      (error: unknown) => this.#end(openFailure(parts.path, error)),
    );
  }

  get writable(): boolean {
    if (this.#port === null || this.#events === null) return false;
    if (this.#port.stream.writableLength < QUEUED_BYTES_MAX) return true;
    this.#isFull = true;
    return false;
  }

  send(frame: Uint8Array): boolean {
    if (!this.writable || frame.length > SERIAL_MESSAGE_BYTES_MAX) return false;
    this.#port?.stream.write(encodeStreamFrame(frame), () => {
      if (!this.#isFull || !this.writable) return;
      this.#isFull = false;
      this.#events?.writable();
    });
    return true;
  }

  close(): void {
    this.#events = null;
    const port = this.#port;
    if (port === null) return;
    const cancel = this.#parts.clock.after(CLOSE_TIMEOUT_MS, () => port.close());
    // Not `end`: a port that was ended cannot tell when its driver is done.
    port.stream.write(BORDER, () => {
      cancel();
      port.close();
    });
  }

  abort(): void {
    this.#events = null;
    this.#port?.close();
  }

  #opened(port: SerialPortHandle): void {
    if (this.#events === null) {
      port.close();
      return;
    }
    this.#port = port;
    const { stream } = port;
    stream.on("data", (chunk: Uint8Array) => {
      for (const message of this.#decoder.push(chunk)) this.#events?.frame(message);
    });
    // The close follows; without a listener the error would end the process.
    stream.on("error", () => {});
    stream.on("close", () => this.#end(`${this.#parts.path} is gone`));
    stream.write(BORDER);
    this.#events.opened();
  }

  #end(detail: string): void {
    const events = this.#events;
    this.#events = null;
    events?.closed({ kind: "lost", reason: Reason.UNSPECIFIED, detail, retryAfterMs: 0 });
  }
}

function parse(text: string): { path: string; baud: number } {
  const match = /^serial:([^?]+)(?:\?baud=(\d{3,7}))?$/.exec(text);
  const path = match?.[1];
  const baud = Number(match?.[2] ?? BAUD_DEFAULT);
  if (path !== undefined && baud >= BAUD_MIN && baud <= BAUD_MAX) return { path, baud };
  throw new DeviceError(
    "BAD_OPTION",
    `url "${text}" names no serial line`,
    `Use serial:/dev/ttyUSB0?baud=115200, with ${BAUD_MIN} to ${BAUD_MAX} baud.`,
  );
}

async function openPort(path: string, baudRate: number): Promise<SerialPortHandle> {
  const { SerialPort } = await import("serialport");
  const port = new SerialPort({ path, baudRate, autoOpen: false, hupcl: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(error)));
  });
  const close = (): void => {
    if (port.isOpen && !port.closing) port.close(() => {});
  };
  // A read of no bytes is how some drivers say that the device is gone.
  port.on("end", close);
  return { stream: port, close };
}

function openFailure(path: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") {
    return "a serial line needs the package serialport: npm install serialport@13.0.0";
  }
  if (/permission denied/i.test(text)) return `${path}: ${text}; add the user to the group that owns it (dialout)`;
  return `${path}: ${text}`;
}
