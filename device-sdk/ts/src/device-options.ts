/** What a device is told at its construction: types, defaults, and the checks that turn a typo into a clear error. */
import { HELLO_RETRY_MS, isName, LABEL_BYTES_MAX, MESSAGE_BYTES_MAX, SERIAL_MESSAGE_BYTES_MAX } from "@tidegate/proto";
import { CLIENT_LIMITS } from "./client-machine.js";
import type { ClientLimits } from "./client-state.js";
import type { Clock } from "./clock.js";
import { DeviceError } from "./errors.js";
import { HEAD_BYTES_MAX } from "./frame-head.js";
import type { Connect } from "./links/link.js";
import { isSerialUrl } from "./links/serial-link.js";
import { type OpenOutbox, openOutboxFile } from "./outbox-file.js";
import { OUTBOX_LIMITS, type OutboxLimits } from "./outbox-types.js";
import type { Random } from "./random.js";
import { utf8Bytes } from "./text.js";

/** Where unacked messages wait, and how many. */
export interface OutboxOptions {
  /** File in which unacked messages survive a power cut. Without it they live in memory. */
  readonly path?: string;
  /** Room for unacked messages, in bytes. Default 16 MiB. */
  readonly maxBytes?: number;
  /** Most unacked messages. Default 100,000. */
  readonly maxMessages?: number;
  /** How long a message may wait to be written to the file, in ms: what a power cut can cost. Default 1000. */
  readonly saveIntervalMs?: number;
  /** Opens the file; SQLite unless told. For simulators, which decide what a power cut leaves. */
  readonly open?: OpenOutbox;
}

/** What `new Device` takes. Only `url`, `id` and a credential are needed. */
export interface DeviceOptions {
  /**
   * `wss://host:8443/v1/device`. `ws://` only to this machine, or with `insecure`. `serial:/dev/ttyUSB0?baud=115200`
   * for a line, which needs the package `serialport`.
   */
  readonly url: string;
  /** The id the gateway knows the device by. */
  readonly id: string;
  /** What `tidegate device add` printed. */
  readonly token?: string;
  /** The gateway's CA certificate, PEM. Only it is trusted then, and only the gateway's constant name. */
  readonly ca?: string;
  /** Client certificate and key, PEM, instead of or beside the token. */
  readonly cert?: string;
  readonly key?: string;
  /** Allow `ws://` across a network: no secrecy, no authenticity. */
  readonly insecure?: boolean;
  readonly outbox?: OutboxOptions;
  /**
   * How readings are gathered, by what sending costs: see `BATCHING`. Default "wired". `flushIntervalMs` and
   * `maxBatchBytes` override it one by one.
   */
  readonly batching?: Batching;
  /** How long readings are gathered before they become a message, in ms. 0: each at once. */
  readonly flushIntervalMs?: number;
  /** Size at which a message is cut, in bytes, 256 … 60000; on a serial line at most 960, its default. */
  readonly maxBatchBytes?: number;
  /** Stamp readings with this machine's clock instead of its uptime. Only where NTP keeps it right. Default false. */
  readonly trustClock?: boolean;
  readonly firmware?: string;
  readonly model?: string;
  /** Expected time between contacts of a device that sleeps, in ms; 0: always on. */
  readonly sleepMs?: number;
  /** Times and bounds of the session; see `CLIENT_LIMITS`. */
  readonly limits?: Partial<ClientLimits>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Opens links; default: wss to `url`. For tests, simulators and other kinds of line. */
  readonly connect?: Connect;
}

/** The options with every default filled in. */
export interface Settings {
  readonly outbox: OutboxLimits;
  readonly path: string | undefined;
  readonly openOutbox: OpenOutbox;
  readonly saveIntervalMs: number;
  readonly flushIntervalMs: number;
  readonly maxBatchBytes: number;
  /** Largest message of the kind of link that `url` names, in bytes. */
  readonly messageBytesMax: number;
  readonly limits: ClientLimits;
  readonly firmware: string;
  readonly model: string;
  readonly sleepMs: number;
}

/** What sending costs the device. */
export type Batching = "wired" | "wifi" | "battery";

/**
 * How readings are gathered: a radio that wakes costs as much as the bytes it then sends.
 *
 * - `wired`: a second; what a dashboard shows is never older.
 * - `wifi`: five seconds; the radio of a mains-powered board sleeps between beacons most of the time.
 * - `battery`: a minute and larger messages; the radio is off in between.
 */
export const BATCHING: Readonly<
  Record<Batching, { readonly flushIntervalMs: number; readonly maxBatchBytes: number }>
> = {
  wired: { flushIntervalMs: 1_000, maxBatchBytes: 4_096 },
  wifi: { flushIntervalMs: 5_000, maxBatchBytes: 4_096 },
  battery: { flushIntervalMs: 60_000, maxBatchBytes: 16_384 },
};

const SAVE_INTERVAL_MS = 1_000;
const BATCH_BYTES_MIN = 256;
/** A batch and its envelope fit one message. */
const BATCH_BYTES_MAX = MESSAGE_BYTES_MAX - HEAD_BYTES_MAX - 1_024;
/** The same within the 1 KiB of a serial line. */
const SERIAL_BATCH_BYTES_MAX = 960;
const TIME_MS_MAX = 0xffff_ffff;
const COUNT_MAX = 2 ** 31;

/** @throws DeviceError BAD_OPTION naming the option, why it is wrong and what is allowed */
export function checkOptions(options: DeviceOptions): Settings {
  const { id, outbox = {}, firmware = "", model = "" } = options;
  if (typeof id !== "string" || !isName(id)) {
    const todo = "Use letters, digits, - and _, at most 63, beginning with a letter or digit.";
    throw new DeviceError("BAD_OPTION", `id ${JSON.stringify(id)} is no device id`, todo);
  }
  for (const [name, text] of Object.entries({ firmware, model })) label(name, text);
  const isSerial = isSerialUrl(options.url);
  const batchBytesMax = isSerial ? SERIAL_BATCH_BYTES_MAX : BATCH_BYTES_MAX;
  const batching = batchingOf(options.batching ?? "wired");
  return {
    outbox: {
      ...OUTBOX_LIMITS,
      bytesMax: whole("outbox.maxBytes", outbox.maxBytes ?? OUTBOX_LIMITS.bytesMax, 1_024, COUNT_MAX),
      messagesMax: whole("outbox.maxMessages", outbox.maxMessages ?? OUTBOX_LIMITS.messagesMax, 1, COUNT_MAX),
    },
    path: outbox.path,
    openOutbox: outbox.open ?? openOutboxFile,
    saveIntervalMs: whole("outbox.saveIntervalMs", outbox.saveIntervalMs ?? SAVE_INTERVAL_MS, 0, TIME_MS_MAX),
    flushIntervalMs: whole("flushIntervalMs", options.flushIntervalMs ?? batching.flushIntervalMs, 0, TIME_MS_MAX),
    maxBatchBytes: whole(
      "maxBatchBytes",
      options.maxBatchBytes ?? Math.min(batching.maxBatchBytes, batchBytesMax),
      BATCH_BYTES_MIN,
      batchBytesMax,
    ),
    messageBytesMax: isSerial ? SERIAL_MESSAGE_BYTES_MAX : MESSAGE_BYTES_MAX,
    // On a line that loses Hellos every second counts [P-11]; elsewhere a late Welcome means a busy gateway.
    limits: { ...CLIENT_LIMITS, ...(isSerial ? { helloRetryMsMax: HELLO_RETRY_MS } : {}), ...options.limits },
    firmware,
    model,
    sleepMs: whole("sleepMs", options.sleepMs ?? 0, 0, TIME_MS_MAX),
  };
}

function batchingOf(name: string): (typeof BATCHING)[Batching] {
  const found = Object.entries(BATCHING).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  throw new DeviceError("BAD_OPTION", `batching is ${JSON.stringify(name)}`, "Use wired, wifi or battery.");
}

/** A whole number in its range, or the reason why not. */
export function whole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new DeviceError("BAD_OPTION", `${name} is ${String(value)}`, `Use a whole number from ${min} to ${max}.`);
}

/** A short text for displays, or the reason why not. */
export function label(name: string, text: string): string {
  if (typeof text === "string" && utf8Bytes(text) <= LABEL_BYTES_MAX) return text;
  throw new DeviceError("BAD_OPTION", `${name} is no text of ${LABEL_BYTES_MAX} bytes`, "Use a shorter text.");
}
