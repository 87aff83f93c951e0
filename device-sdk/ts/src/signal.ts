/**
 * Typed signals: what may be reported, and how a value looks on the wire.
 *
 *   type     report()            wire field   note
 *   float    number              floats       32 bits: about 7 digits
 *   double   number              doubles
 *   int      whole number        ints         32 bits; with `scale` any number, sent as value / 10^scale, rounded
 *   long     bigint or number    longs        64 bits
 *   bool     boolean             ints         0, 1
 *   enum     one of `options`    ints         index of the option
 *   text     string              texts
 *   blob     Uint8Array          blobs        copied
 */
import { Kind, MESSAGE_BYTES_MAX, type Signal as SignalSpec, TEXT_VALUE_BYTES_MAX, Type } from "@tidegate/proto";
import { valueError } from "./errors.js";
import { varintBytes } from "./frame-head.js";
import { isWellFormed, utf8Bytes } from "./text.js";

/** What `report` takes, per signal type. */
export interface ValueTypes {
  float: number;
  double: number;
  int: number;
  long: bigint | number;
  bool: boolean;
  text: string;
  enum: string;
  blob: Uint8Array;
}

/** What the values of a signal are; decides how they travel. */
export type SignalType = keyof ValueTypes;

/** What a signal means to dashboards. */
export type SignalKind = "measurement" | "total" | "totalIncreasing" | "state" | "event" | "setpoint";

/** How far a reading can be trusted. */
export type Quality = "good" | "uncertain" | "bad";

/** How a signal is declared. */
export interface SignalOptions<T extends SignalType = SignalType, O extends string = string> {
  /** Default "float"; "int" when `scale` is given. */
  readonly type?: T;
  /** As it is displayed: "°C", "%", "hPa". */
  readonly unit?: string;
  /** Home Assistant's word for what it is: "temperature", "humidity", "battery". */
  readonly deviceClass?: string;
  /** Display name; the key when absent. */
  readonly name?: string;
  readonly kind?: SignalKind;
  /** For "int": values are kept in steps of 10^scale. −2 keeps hundredths and costs 2 bytes for 0 … ±81.91. */
  readonly scale?: number;
  /** Expected range, for displays. */
  readonly min?: number;
  readonly max?: number;
  /** For "enum": the allowed values, in an order that stays. */
  readonly options?: readonly O[];
  /** How often it is reported, in ms. Lets regular readings travel without a time each (see `jitterMs`). */
  readonly intervalMs?: number;
  /** How far a reading may lie beside the raster of `intervalMs` and still count as regular, in ms. Default 1 %. */
  readonly jitterMs?: number;
}

/** The encoded kind of values of one series. */
export type ValueField = "ints" | "floats" | "doubles" | "longs" | "texts" | "blobs";

/** One value as it goes into a column, and what it costs there in bytes at most. */
export interface WireValue {
  readonly value: number | bigint | string | Uint8Array;
  readonly bytes: number;
}

/** A signal as the batch needs it. */
export interface SignalCodec {
  readonly id: number;
  readonly key: string;
  readonly field: ValueField;
  /** Raster of regular readings in ms, and the tolerance around it; 0: only exact regularity counts. */
  readonly jitterMs: number;
  encode(value: unknown): WireValue;
}

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const LONG_MIN = -(2n ** 63n);
const LONG_MAX = 2n ** 63n - 1n;

/** Largest blob in bytes: it has to fit one message with everything around it. */
export const BLOB_BYTES_MAX = MESSAGE_BYTES_MAX - 1_024;

/** A tenth of this in ms is the default tolerance: 1 % of the interval, at most 50 ms. */
const JITTER_SHARE = 0.01;
const JITTER_MS_MAX = 50;

const TYPES: Readonly<Record<SignalType, { readonly type: Type; readonly field: ValueField }>> = {
  float: { type: Type.FLOAT, field: "floats" },
  double: { type: Type.DOUBLE, field: "doubles" },
  int: { type: Type.INT, field: "ints" },
  long: { type: Type.LONG, field: "longs" },
  bool: { type: Type.BOOL, field: "ints" },
  text: { type: Type.TEXT, field: "texts" },
  enum: { type: Type.ENUM, field: "ints" },
  blob: { type: Type.BLOB, field: "blobs" },
};

const KINDS: Readonly<Record<SignalKind, Kind>> = {
  measurement: Kind.MEASUREMENT,
  total: Kind.TOTAL,
  totalIncreasing: Kind.TOTAL_INCREASING,
  state: Kind.STATE,
  event: Kind.EVENT,
  setpoint: Kind.SETPOINT,
};

/** How a reading is to be trusted, by its number on the wire. */
export const QUALITIES: Readonly<Record<Quality, number>> = { good: 0, uncertain: 1, bad: 2 };

/** The type a declaration means. */
export function typeOf(options: SignalOptions): SignalType {
  return options.type ?? (options.scale === undefined ? "float" : "int");
}

/** A declaration as it stands in the catalog. */
export function signalSpec(id: number, key: string, options: SignalOptions): SignalSpec {
  const { name = "", unit = "", deviceClass = "", kind, scale = 0, intervalMs = 0, min = 0, max = 0 } = options;
  return {
    id,
    key,
    name,
    type: TYPES[typeOf(options)].type,
    unit,
    deviceClass,
    kind: kind === undefined ? Kind.UNSPECIFIED : KINDS[kind],
    scale,
    intervalMs,
    min,
    max,
    options: [...(options.options ?? [])],
  };
}

/** A declaration as the batch uses it. */
export function signalCodec(id: number, key: string, options: SignalOptions): SignalCodec {
  const { intervalMs = 0, jitterMs = Math.min(JITTER_MS_MAX, intervalMs * JITTER_SHARE) } = options;
  const type = typeOf(options);
  const encode = encoder(type, key, options);
  return { id, key, field: TYPES[type].field, jitterMs: intervalMs > 0 ? jitterMs : 0, encode };
}

function encoder(type: SignalType, key: string, options: SignalOptions): (value: unknown) => WireValue {
  switch (type) {
    case "float":
      return (value) => float(key, value);
    case "double":
      return (value) => ({ value: isNumber(key, value), bytes: 8 });
    case "int":
      return (value) => int(key, value, options.scale ?? 0);
    case "long":
      return (value) => long(key, value);
    case "bool":
      return (value) => bool(key, value);
    case "enum":
      return (value) => option(key, value, options.options ?? []);
    case "text":
      return (value) => text(key, value);
    case "blob":
      return (value) => blob(key, value);
  }
}

function isNumber(key: string, value: unknown): number {
  if (typeof value === "number") return value;
  throw wrong(key, `${show(value)} is no number`, "Report a number, or declare another type.");
}

function float(key: string, value: unknown): WireValue {
  const number = isNumber(key, value);
  if (Number.isFinite(number) && !Number.isFinite(Math.fround(number))) {
    throw wrong(key, `${number} does not fit 32 bits`, 'Declare the signal with type: "double".');
  }
  return { value: number, bytes: 4 };
}

function int(key: string, value: unknown, scale: number): WireValue {
  const number = isNumber(key, value);
  const steps = scale === 0 ? number : Math.round(scale < 0 ? number * 10 ** -scale : number / 10 ** scale);
  if (!Number.isInteger(steps)) {
    throw wrong(key, `${number} is no whole number`, "Round it, or declare a scale (−2 keeps hundredths) or a float.");
  }
  if (steps < INT_MIN || steps > INT_MAX) {
    throw wrong(key, `${number} needs more than 32 bits`, 'Declare the signal with type: "long" or a coarser scale.');
  }
  return { value: steps, bytes: varintBytes(steps < 0 ? -steps * 2 - 1 : steps * 2) };
}

function long(key: string, value: unknown): WireValue {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw wrong(key, `${value} is no whole number below 2^53`, "Report a bigint.");
  }
  if (typeof value !== "number" && typeof value !== "bigint") {
    throw wrong(key, `${show(value)} is neither bigint nor number`, "Report a bigint or a whole number.");
  }
  const exact = BigInt(value);
  if (exact < LONG_MIN || exact > LONG_MAX) throw wrong(key, `${exact} needs more than 64 bits`, "Report it as text.");
  return { value: exact, bytes: 10 };
}

function bool(key: string, value: unknown): WireValue {
  if (typeof value !== "boolean") throw wrong(key, `${show(value)} is no boolean`, "Report true or false.");
  return { value: value ? 1 : 0, bytes: 1 };
}

function option(key: string, value: unknown, options: readonly string[]): WireValue {
  const index = typeof value === "string" ? options.indexOf(value) : -1;
  if (index < 0) throw wrong(key, `${show(value)} is none of ${options.join(", ")}`, "Add it to the end of `options`.");
  return { value: index, bytes: varintBytes(index * 2) };
}

function text(key: string, value: unknown): WireValue {
  if (typeof value !== "string") throw wrong(key, `${show(value)} is no string`, "Report a string.");
  if (!isWellFormed(value))
    throw wrong(key, "the text has half a surrogate pair", "Use String.toWellFormed or a blob.");
  const bytes = utf8Bytes(value);
  if (bytes <= TEXT_VALUE_BYTES_MAX) return { value, bytes: bytes + 3 };
  throw wrong(key, `${bytes} bytes of text are over the limit of ${TEXT_VALUE_BYTES_MAX}`, "Report less, or a blob.");
}

function blob(key: string, value: unknown): WireValue {
  if (!(value instanceof Uint8Array)) throw wrong(key, `${show(value)} is no Uint8Array`, "Report a Uint8Array.");
  if (value.length <= BLOB_BYTES_MAX) return { value: Uint8Array.from(value), bytes: value.length + 4 };
  throw wrong(key, `${value.length} bytes are over the limit of ${BLOB_BYTES_MAX}`, "Report it in pieces.");
}

function wrong(key: string, why: string, todo: string): TypeError {
  return valueError(`signal "${key}" was not reported`, why, todo);
}

function show(value: unknown): string {
  const shown = typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : String(value);
  return shown.length > 40 ? `${shown.slice(0, 40)}…` : shown;
}
