/**
 * From the plain messages of messages.ts to bytes, with a range check of every field first.
 *
 * protobufjs would cut an integer to its low 32 bits and write half a surrogate pair; both would change a value
 * without a word. Here such a value throws a RangeError that names the field: it is a mistake in the program, not
 * in what a peer sent. What this module writes, the walk accepts.
 */
import { CommandState, Kind, Reason, Type } from "./codes.js";
import { MESSAGE_BYTES_MAX, SAMPLES_PER_MESSAGE_MAX } from "./limits.js";
import type * as plain from "./messages.js";
import { pb, toLongValue } from "./pb.js";
import { Message, Op, REPEATS_MAX, SCHEMA } from "./schema.js";

const U32_MAX = 0xffff_ffff;
const I32_MAX = 0x7fff_ffff;
const I32_MIN = -0x8000_0000;

/** The highest value of each enum field, by the field's path. */
const ENUM_MAX: Readonly<Record<string, number>> = {
  "Nack.reason": highest(Reason),
  "Bye.reason": highest(Reason),
  "Signal.type": highest(Type),
  "Signal.kind": highest(Kind),
  "CommandUpdate.state": highest(CommandState),
};

function highest(codes: Readonly<Record<string, number>>): number {
  return Math.max(...Object.values(codes));
}

export function uplinkBytes({ seq, gap, body }: plain.Uplink): Uint8Array {
  checkInteger("Uplink.seq", seq, 0, U32_MAX);
  checkInteger("Uplink.gap", gap, 0, U32_MAX);
  return checkSize("Uplink", pb.Uplink.encode({ seq, gap, ...uplinkField(body) }).finish());
}

function uplinkField(body: plain.UplinkBody | null): NonNullable<Parameters<typeof pb.Uplink.encode>[0]> {
  switch (body?.kind) {
    case undefined:
      return {};
    case "hello":
      return { hello: checked(Message.HELLO, body.hello) };
    case "heartbeat":
      return { heartbeat: checked(Message.HEARTBEAT, body.heartbeat) };
    case "telemetry":
      return { telemetry: telemetryFields(body.telemetry) };
    case "commandUpdate":
      return { commandUpdate: checked(Message.COMMAND_UPDATE, body.commandUpdate) };
    case "catalog":
      return { catalog: checkedCatalog(body.catalog) };
    case "bye":
      return { bye: checked(Message.BYE, body.bye) };
    case "log":
      return { log: checked(Message.LOG, body.log) };
  }
}

export function downlinkBytes(body: plain.DownlinkBody): Uint8Array {
  return checkSize("Downlink", pb.Downlink.encode(downlinkField(body)).finish());
}

function downlinkField(body: plain.DownlinkBody): Parameters<typeof pb.Downlink.encode>[0] {
  switch (body.kind) {
    case "welcome":
      return { welcome: checked(Message.WELCOME, body.welcome) };
    case "ack":
      return { ack: checked(Message.ACK, body.ack) };
    case "nack":
      return { nack: checked(Message.NACK, body.nack) };
    case "heartbeat":
      return { heartbeat: checked(Message.HEARTBEAT, body.heartbeat) };
    case "command":
      return { command: checked(Message.COMMAND, body.command) };
    case "flow":
      return { flow: checked(Message.FLOW, body.flow) };
    case "bye":
      return { bye: checked(Message.BYE, body.bye) };
    case "sayHello":
      return { sayHello: {} };
  }
}

export function telemetryBytes(telemetry: plain.Telemetry): Uint8Array {
  return checkSize("Telemetry", pb.Telemetry.encode(telemetryFields(telemetry)).finish());
}

export function catalogBytes(catalog: plain.Catalog): Uint8Array {
  return checkSize("Catalog", pb.Catalog.encode(checkedCatalog(catalog)).finish());
}

function checkSize(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    throw new RangeError(`${name} is ${bytes.length} bytes long; at most ${MESSAGE_BYTES_MAX} fit a message`);
  }
  return bytes;
}

function telemetryFields({ base, series, bootNonce }: plain.Telemetry): Parameters<typeof pb.Telemetry.encode>[0] {
  checkInteger("Telemetry.bootNonce", bootNonce, 0, U32_MAX);
  checkCount("Telemetry.series", series.length, REPEATS_MAX[Op.SERIES] ?? 0);
  let samples = 0;
  for (const one of series) samples += checkSeries(one);
  checkCount("Telemetry samples", samples, SAMPLES_PER_MESSAGE_MAX);
  const columns = { series: series.map(seriesFields), bootNonce };
  if (base.kind === "uptime") {
    checkInteger("Telemetry.uptimeMs", base.uptimeMs, 0, U32_MAX);
    return { ...columns, uptimeMs: base.uptimeMs };
  }
  if (base.kind === "none") return columns;
  checkInteger("Telemetry.unixMs", base.unixMs, 0, Number.MAX_SAFE_INTEGER);
  return { ...columns, unixMs: base.unixMs };
}

function seriesFields({ signal, dtMs, periodUs, quality, values }: plain.Series) {
  const head = { signal, dtMs, periodUs, quality };
  switch (values.kind) {
    case "none":
      return head;
    case "longs":
      // The Writer takes low and high halves, which the generated type does not say.
      return { ...head, longs: values.longs.map(toLongValue) as unknown as number[] };
    default:
      return { ...head, ...values, kind: undefined };
  }
}

/** Checks one series; answers how many values it has. */
function checkSeries({ signal, dtMs, periodUs, quality, values }: plain.Series): number {
  checkInteger("Series.signal", signal, 0, U32_MAX);
  checkInteger("Series.periodUs", periodUs, 0, U32_MAX);
  checkInteger("Series.quality", quality, 0, U32_MAX);
  for (const dt of dtMs) checkInteger("Series.dtMs", dt, 0, U32_MAX);
  const samples = checkValues(values);
  checkCount("Series.dtMs", dtMs.length, samples);
  return samples;
}

function checkValues(values: plain.SeriesValues): number {
  switch (values.kind) {
    case "ints":
      for (const value of values.ints) checkInteger("Series.ints", value, I32_MIN, I32_MAX);
      return values.ints.length;
    case "floats":
      values.floats.forEach(checkFloat);
      return values.floats.length;
    case "doubles":
      for (const value of values.doubles) checkNumber("Series.doubles", value);
      return values.doubles.length;
    case "longs":
      values.longs.forEach(checkLong);
      return values.longs.length;
    case "texts":
      for (const text of values.texts) checkText("Series.texts", text, limitOf(Message.SERIES, "texts"));
      return values.texts.length;
    case "blobs":
      for (const blob of values.blobs) checkBytes("Series.blobs", blob, limitOf(Message.SERIES, "blobs"));
      return values.blobs.length;
    case "none":
      return 0;
  }
}

function limitOf(message: number, name: string): number {
  return SCHEMA[message]?.fields.find((field) => field[1] === name)?.[3] ?? 0;
}

function checkedCatalog(catalog: plain.Catalog): plain.Catalog {
  checked(Message.CATALOG, catalog);
  checkCount("Catalog.signals", catalog.signals.length, REPEATS_MAX[Op.SIGNAL] ?? 0);
  checkCount("Catalog.commands", catalog.commands.length, REPEATS_MAX[Op.COMMAND_SPEC] ?? 0);
  for (const signal of catalog.signals) {
    checked(Message.SIGNAL, signal);
    checkCount("Signal.options", signal.options.length, REPEATS_MAX[Op.OPTION] ?? 0);
    for (const option of signal.options) checkText("Signal.options", option, limitOf(Message.SIGNAL, "options"));
  }
  for (const command of catalog.commands) checked(Message.COMMAND_SPEC, command);
  return catalog;
}

/** Checks every plain field of a message against the schema table; answers the message. */
function checked<T extends object>(message: number, value: T): T {
  const spec = SCHEMA[message];
  const fields = value as Readonly<Record<string, unknown>>; // read by the names of the table, which a test compares
  for (const [, name, op, argument] of spec?.fields ?? []) {
    checkField(`${spec?.name}.${name}`, fields[name], op, argument ?? 0);
  }
  return value;
}

function checkField(path: string, value: unknown, op: number, argument: number): void {
  switch (op) {
    case Op.U32:
    case Op.FIXED32:
    case Op.LOG_UPTIME:
      return checkInteger(path, value, 0, U32_MAX);
    case Op.S32:
      return checkInteger(path, value, I32_MIN, I32_MAX);
    case Op.U53:
      return checkInteger(path, value, 0, Number.MAX_SAFE_INTEGER);
    case Op.ENUM:
      return checkInteger(path, value, 0, ENUM_MAX[path] ?? 0);
    case Op.DOUBLE:
      return checkNumber(path, value);
    case Op.TEXT:
      return checkText(path, value, argument);
    case Op.BYTES:
      return checkBytes(path, value, argument);
    case Op.BOOL:
      if (typeof value !== "boolean") throw new RangeError(`${path} must be true or false, not ${String(value)}`);
  }
}

function checkInteger(path: string, value: unknown, min: number, max: number): void {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${path} must be a whole number from ${min} to ${max}, not ${String(value)}`);
  }
}

function checkNumber(path: string, value: unknown): void {
  if (typeof value !== "number") throw new RangeError(`${path} must be a number, not ${String(value)}`);
}

/** Rounding to a float is what a float is; turning a finite value into Infinity is not. */
function checkFloat(value: number): void {
  checkNumber("Series.floats", value);
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw new RangeError(`Series.floats cannot hold ${value}; send it as a double`);
  }
}

function checkLong(value: bigint): void {
  if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) {
    throw new RangeError(`Series.longs must be a bigint that fits 64 bits, not ${String(value)}`);
  }
}

function checkText(path: string, value: unknown, bytesMax: number): void {
  if (typeof value !== "string") throw new RangeError(`${path} must be a text, not ${String(value)}`);
  if (/\p{Surrogate}/u.test(value)) throw new RangeError(`${path} has half a surrogate pair, which UTF-8 cannot carry`);
  checkLength(path, Buffer.byteLength(value, "utf8"), bytesMax);
}

function checkBytes(path: string, value: unknown, bytesMax: number): void {
  if (!(value instanceof Uint8Array)) throw new RangeError(`${path} must be a Uint8Array, not ${typeof value}`);
  checkLength(path, value.length, bytesMax);
}

function checkLength(path: string, bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw new RangeError(`${path} is ${bytes} bytes long; at most ${bytesMax} are allowed`);
}

function checkCount(path: string, count: number, max: number): void {
  if (count > max) throw new RangeError(`${path} are ${count}; at most ${max} are allowed`);
}
