/**
 * From the plain messages of messages.ts to bytes, with a range check of every field first.
 *
 * protobufjs would cut an integer to its low 32 bits and write half a surrogate pair; both would change a value
 * without a word. Here such a value throws a RangeError that names the field: it is a mistake in the program, not
 * in what a peer sent. What this module writes, the walk accepts.
 */
import { MESSAGE_BYTES_MAX, SAMPLES_PER_MESSAGE_MAX } from "./limits.js";
import type * as plain from "./messages.js";
import { pb, toLongValue } from "./pb.js";
import {
  checkBytes,
  checkCount,
  checked,
  checkFloat,
  checkInteger,
  checkLong,
  checkNumber,
  checkText,
  I32_MAX,
  I32_MIN,
  limitOf,
  U32_MAX,
} from "./range-check.js";
import { Message, Op, REPEATS_MAX } from "./schema.js";

/** Bytes of an Uplink; throws RangeError naming the field that does not fit. */
export function uplinkBytes({ seq, gap, body }: plain.Uplink): Uint8Array {
  checkInteger("Uplink.seq", seq, 0, U32_MAX);
  checkInteger("Uplink.gap", gap, 0, U32_MAX);
  return checkMessage("Uplink", pb.Uplink.encode({ seq, gap, ...uplinkField(body) }).finish());
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

/** Bytes of a Downlink; throws RangeError naming the field that does not fit. */
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

/** Bytes of a bare Telemetry; throws RangeError naming the field that does not fit. */
export function telemetryBytes(telemetry: plain.Telemetry): Uint8Array {
  return checkSize("Telemetry", pb.Telemetry.encode(telemetryFields(telemetry)).finish());
}

/** Bytes of a bare Catalog; throws RangeError naming the field that does not fit. */
export function catalogBytes(catalog: plain.Catalog): Uint8Array {
  return checkSize("Catalog", pb.Catalog.encode(checkedCatalog(catalog)).finish());
}

function checkMessage(name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) throw new RangeError(`${name} says nothing: it has neither a number nor a body`);
  return checkSize(name, bytes);
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
