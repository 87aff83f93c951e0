/**
 * Stored records as sinks and viewers get them. Runs in the reader worker; pure, and the same record gives the same
 * bytes for ever, which is what makes a repeat recognisable.
 *
 *   telemetry       <device>/data               {"id":"<gw>/<device>/<epoch>/<seq>","device":…,"readings":[…]}
 *   log             <device>/log                {"id":…,"device":…,"t":…,"level":…,"text":…}
 *   gap             <device>/gap                {"id":…,"device":…,"epoch":…,"fromSeq":…,"toSeq":…,"reason":…,…}
 *   commandOutcome  <device>/cmd/<name>/result  {"id":…,"device":…,"commandId":…,"name":…,"state":…,…}
 *   service         <device>/service            {"id":…,"device":…,"carries":"catalog"}   a number without a reading
 *   unknown         <device>/service            {"id":…,"device":…,"carries":"unknown"}   of a later protocol version
 *
 * So each number a device has used has a message here: who gets all of them has everything. See docs/guarantees.md.
 *
 * The JSON of readings is put together by hand: it is several times faster than building objects for JSON.stringify.
 */
import { type Catalog, decodeBody, isName, UplinkTag } from "@tidegate/proto";
import {
  type CommandOutcomeBody,
  type GapBody,
  RecordKind,
  type ServiceBody,
  type StoredRecord,
} from "../model/record.js";
import type { LiveEvent } from "../model/spool.js";
import { liveReadingsOf, type ReadingVisitor, visitReadings } from "./readings.js";
import { blobValue, valueJson } from "./value.js";

export interface Rendered {
  /** Below `tidegate/<gw>/`. */
  readonly topic: string;
  /** JSON text. */
  readonly payload: string;
  /** Where a command's sender asked to have the outcome; correlation is base64. */
  readonly response?: { readonly topic: string; readonly correlation: string | null };
  /** The one sink it concerns: what only it skipped or refused. */
  readonly onlyFor?: string;
}

/** Stands in a topic where a name would, when the stored name is none: no name begins with an underscore. */
const NO_NAME = "_";

/** One per reader; keeps nothing but the gateway's id and what it is writing. */
export class Renderer {
  readonly #gatewayId: string;
  readonly #readings = new ReadingsJson();

  /** @param gatewayId the configured gateway id; first level of every message id. */
  constructor(gatewayId: string) {
    this.#gatewayId = gatewayId;
  }

  /**
   * A record as one message for a sink.
   *
   * @param catalog the catalog in force at intake, decoded, or null. Pass the same object for the same catalog: what
   *   is derived from it is remembered by object.
   * @returns null when the record's kind goes nowhere.
   */
  render(record: StoredRecord, catalog: Catalog | null): Rendered | null {
    switch (record.kind) {
      case RecordKind.telemetry:
        return this.#data(record, catalog);
      case RecordKind.log:
        return this.#log(record);
      case RecordKind.gap:
        return this.#gap(record);
      case RecordKind.commandOutcome:
        return this.#outcome(record);
      case RecordKind.service:
        return this.#service(record, bodyJson<ServiceBody>(record).carries);
      case RecordKind.unknown:
        return this.#service(record, "unknown");
    }
  }

  /** A record as one event of the live feed; null when the record's kind is not shown. */
  live(record: StoredRecord, catalog: Catalog | null): LiveEvent | null {
    const head = { id: record.id, device: record.device, receivedUnixMs: record.receivedUnixMs };
    switch (record.kind) {
      case RecordKind.telemetry:
        return { ...head, kind: "data", readings: liveReadingsOf(record, catalog) ?? [] };
      case RecordKind.log:
        return { ...head, kind: "log", detail: logOf(record) };
      case RecordKind.gap:
        return { ...head, kind: "gap", detail: { epoch: record.epoch, ...bodyJson<GapBody>(record) } };
      case RecordKind.commandOutcome:
        return { ...head, kind: "command", detail: bodyJson<CommandOutcomeBody>(record) };
      default:
        return null;
    }
  }

  /** `live`'s event of a record as JSON text: what JSON.stringify would write. */
  liveJson(event: LiveEvent, record: StoredRecord, catalog: Catalog | null): string {
    if (event.kind !== "data") return JSON.stringify(event);
    const readings = this.#readings.of(record, catalog, true) ?? "";
    const head = `{"id":${event.id},"device":"${event.device}","receivedUnixMs":${event.receivedUnixMs}`;
    return `${head},"kind":"data","readings":[${readings}]}`;
  }

  #head(record: StoredRecord, identity: string): string {
    return `{"id":"${this.#gatewayId}/${record.device}/${identity}","device":"${record.device}"`;
  }

  #data(record: StoredRecord, catalog: Catalog | null): Rendered {
    const head = this.#head(record, `${record.epoch}/${record.seq}`);
    const topic = `${record.device}/data`;
    const readings = this.#readings.of(record, catalog);
    // Never silent: bytes that cannot be read (a fault of ours, they were walked at intake) travel as they are.
    if (readings === null) return { topic, payload: `${head},"readings":[],"raw":"${blobValue(record.body)}"}` };
    return { topic, payload: `${head},"readings":[${readings}]}` };
  }

  #log(record: StoredRecord): Rendered {
    const { t, level, text } = logOf(record);
    const head = this.#head(record, `${record.epoch}/${record.seq}`);
    const payload = `${head},"t":${t},"level":${level},"text":${JSON.stringify(text)}}`;
    return { topic: `${record.device}/log`, payload };
  }

  /** A gap's id is its content, so that the same fact told twice (after a restored backup) is recognised as one. */
  #gap(record: StoredRecord): Rendered {
    const { fromSeq, toSeq, reason, sink } = bodyJson<GapBody>(record);
    const head = this.#head(record, `${record.epoch}/gap/${fromSeq}-${toSeq ?? "open"}-${reason}`);
    const facts = JSON.stringify({ epoch: record.epoch, fromSeq, toSeq, reason, sink, at: record.receivedUnixMs });
    const message = { topic: `${record.device}/gap`, payload: `${head},${facts.slice(1)}` };
    return sink === null ? message : { ...message, onlyFor: sink };
  }

  #service(record: StoredRecord, carries: string): Rendered {
    const head = this.#head(record, `${record.epoch}/${record.seq}`);
    return { topic: `${record.device}/service`, payload: `${head},"carries":"${carries}"}` };
  }

  #outcome(record: StoredRecord): Rendered {
    const { commandId, name, state, result, error, source, responseTopic, correlation } =
      bodyJson<CommandOutcomeBody>(record);
    const head = this.#head(record, `cmd/${commandId}/${state}`);
    const facts = JSON.stringify({ commandId, name, state, result, error, source, at: record.receivedUnixMs });
    const topic = `${record.device}/cmd/${isName(name) ? name : NO_NAME}/result`;
    const payload = `${head},${facts.slice(1)}`;
    return responseTopic === null
      ? { topic, payload }
      : { topic, payload, response: { topic: responseTopic, correlation } };
  }
}

/** The readings of one record after another as JSON. */
class ReadingsJson {
  #json = "";
  /** Readings taken together have one time: its digits are written once. */
  #t = 0;
  #digits = "0";

  #hasUnits = false;

  /**
   * @param hasUnits with each signal's unit, as viewers get it.
   * @returns the readings with commas between them; null when the body cannot be decoded.
   */
  of(record: StoredRecord, catalog: Catalog | null, hasUnits = false): string | null {
    this.#json = "";
    this.#hasUnits = hasUnits;
    return visitReadings(record, catalog, this.#write) ? this.#json : null;
  }

  readonly #write: ReadingVisitor = (signal, t, v, q) => {
    if (t !== this.#t) {
      this.#t = t;
      this.#digits = String(t);
    }
    if (this.#json !== "") this.#json += ",";
    const unit = this.#hasUnits ? signal.unitJson : "";
    this.#json += `${signal.jsonHead + this.#digits},"v":${valueJson(v)},"q":"${q}"${unit}}`;
  };
}

/** Severity as in RFC 5424, 0 … 7; text as the device wrote it; `t` in Unix ms. */
function logOf(record: StoredRecord): { t: number; level: number; text: string } {
  const decoded = decodeBody(UplinkTag.log, record.body);
  const t = Math.round(record.baseUnixMs);
  if (!decoded.ok || decoded.value.kind !== "log") return { t, level: 3, text: blobValue(record.body) };
  return { t, level: decoded.value.log.level, text: decoded.value.log.text };
}

const utf8 = new TextDecoder();

function bodyJson<T extends GapBody | CommandOutcomeBody | ServiceBody>(record: StoredRecord): T {
  return JSON.parse(utf8.decode(record.body)) as T; // written by the gateway itself, CRC-checked when read
}
