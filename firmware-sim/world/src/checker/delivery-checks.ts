/**
 * The delivery invariants, checked from outside: what applications reported, what they were told is safe, what is
 * durable on the gateway's disk, and what the broker took. Knows nothing of how the product does it.
 */
import { UplinkTag } from "@tidegate/proto";
import { RecordKind } from "tidegate/dist/model/record.js";
import { StreamState } from "tidegate/dist/spool/tables.js";
import type { HitRecord } from "../store/bit-rot.js";
import type { DurableRecord, DurableTables } from "../store/world-store.js";
import type { Findings } from "./findings.js";
import type { WireLog } from "./wire-log.js";
import { POLICY, type WorldRules } from "./world-rules.js";

interface DeviceBook {
  reportedCount: number;
  /** Readings that may be gone for good: the process that held them died, and they were on no card. */
  readonly mayBeLost: Set<number>;
  /** Evicted for want of room, as the application was told. */
  evictedCount: number;
  /** Highest ack the application saw, per epoch. */
  readonly acked: Map<number, number>;
  /** Readings the broker took. */
  readonly delivered: Set<number>;
  readonly stored: Set<number>;
  /** Acked before the store was restored, per epoch. */
  readonly unproven: Map<number, number>;
  /** Highest number first delivered, per epoch. */
  readonly order: Map<number, number>;
}

interface DataPayload {
  readonly id: string;
  readonly readings?: readonly { readonly v: number }[];
}

const AT = /"at":[\d.]+/;

/** One per world; told of every report, ack, durable transaction and delivery. */
export class DeliveryChecks {
  readonly #findings: Findings;
  readonly #wire: WireLog;
  /** The tables of the moment; a restored store has others. */
  readonly #tables: () => DurableTables;
  readonly #forgiven: ReadonlySet<string>;
  readonly #rules: WorldRules;
  readonly #devices = new Map<string, DeviceBook>();
  /** Durable marks, by deviceKey · 2^32 + epoch. */
  readonly #marks = new Map<number, number>();
  /** The highest mark of `device/epoch` that any incarnation of the store had. */
  readonly #everDurable = new Map<string, number>();
  /** Payload by id: a repeat must be the same. */
  readonly #payloads = new Map<string, string>();
  /** Every id that the broker ever took, also before the store was restored. */
  readonly #taken = new Set<string>();
  #seenRecordCount = 0;
  #isRestored = false;
  /** The records of a restored store are looked at again, and were judged before. */
  #isSilent = false;
  /** Damaged on disk, as `deviceKey/epoch/seq`. */
  readonly #rotted = new Set<string>();
  readonly #ids = new Set<string>();
  /** Devices with a clone beside them, at any time. */
  readonly #sharing = new Set<string>();
  readonly counts = { stored: 0, delivered: 0, repeats: 0, acked: 0 };

  constructor(parts: {
    findings: Findings;
    wire: WireLog;
    tables: () => DurableTables;
    forgiven: ReadonlySet<string>;
    rules: WorldRules;
  }) {
    this.#findings = parts.findings;
    this.#wire = parts.wire;
    this.#tables = parts.tables;
    this.#forgiven = parts.forgiven;
    this.#rules = parts.rules;
  }

  reported(device: string, reading: number): void {
    this.#book(device).reportedCount = reading;
  }

  /** The process died; `kept` is what its card holds. */
  died(device: string, kept: ReadonlySet<number>): void {
    const book = this.#book(device);
    for (let reading = 1; reading <= book.reportedCount; reading++) {
      if (!kept.has(reading)) book.mayBeLost.add(reading);
    }
  }

  cloned(device: string): void {
    this.#sharing.add(device);
  }

  evicted(device: string, count: number): void {
    this.#book(device).evictedCount += count;
  }

  /** I6: what the application is told is safe must be on disk at that instant. */
  acked(device: string, epoch: number, seq: number): void {
    this.counts.acked += 1;
    const key = this.#tables().device(device)?.key ?? 0;
    const mark = this.#marks.get(key * 2 ** 32 + epoch) ?? 0;
    const { acked, unproven } = this.#book(device);
    if (mark < seq) {
      // An ack that was on its way when the store was put back: true when it was sent, and unproven now.
      if (this.#isRestored && (this.#everDurable.get(`${device}/${epoch}`) ?? 0) >= seq) unproven.set(epoch, seq);
      else this.#findings.add("I6", `${device}/${epoch}: acked ${seq}, durable is ${mark}`);
    }
    acked.set(epoch, Math.max(seq, acked.get(epoch) ?? 0));
  }

  /** A transaction of the gateway is durable. */
  durable(): void {
    const tables = this.#tables();
    for (const key of tables.touched.streams) {
      const row = tables.streams.get(key);
      if (row === undefined) continue;
      if (row.mark < (this.#marks.get(key) ?? 0))
        this.#findings.add("I6", `the mark of ${key} went back to ${row.mark}`);
      this.#marks.set(key, row.mark);
      const stream = `${this.deviceOf(row.deviceKey)}/${row.epoch}`;
      this.#everDurable.set(stream, Math.max(row.mark, this.#everDurable.get(stream) ?? 0));
    }
    for (; this.#seenRecordCount < tables.durableRecordCount; this.#seenRecordCount++) {
      const record = tables.records[this.#seenRecordCount];
      if (record !== undefined) this.#stored(record);
    }
    this.#isSilent = false;
  }

  /** The store went back: what it holds is what was durable when it was copied; the rest is unproven. */
  storeRestored(): void {
    this.#isRestored = true;
    this.#marks.clear();
    this.#payloads.clear();
    this.#ids.clear();
    this.#seenRecordCount = 0;
    this.#isSilent = true;
    for (const book of this.#devices.values()) {
      for (const [epoch, seq] of book.acked) book.unproven.set(epoch, seq);
      for (let reading = 1; reading <= book.reportedCount; reading++) book.mayBeLost.add(reading);
      book.stored.clear();
      book.order.clear();
    }
  }

  /** @returns whether the broker ever took the message of that id. */
  wasTaken(id: string): boolean {
    return this.#taken.has(id);
  }

  get isRestored(): boolean {
    return this.#isRestored;
  }

  /** The broker took a message of a record. */
  taken(topic: string, payload: string): void {
    const { id, readings } = JSON.parse(payload) as DataPayload; // rendered by the gateway; a broken one throws here
    const before = this.#payloads.get(id);
    if (before !== undefined) {
      this.counts.repeats += 1;
      // A gap's id is its content: the same fact may be told at another time, by another record.
      const isSameFact = topic.endsWith("/gap") && before.replace(AT, "") === payload.replace(AT, "");
      if (before !== payload && !isSameFact) this.#findings.add("I4", `${id} was repeated with other bytes`);
      return;
    }
    this.#payloads.set(id, payload);
    this.#taken.add(id);
    if (!topic.endsWith("/data")) return;
    this.counts.delivered += 1;
    this.#delivered(id, readings?.[0]?.v ?? 0);
  }

  /** A stored record is damaged. */
  rotted({ deviceKey, epoch, seq }: HitRecord): void {
    this.#rotted.add(`${deviceKey}/${epoch}/${seq}`);
  }

  deviceOf(deviceKey: number): string {
    return this.#tables().deviceByKey(deviceKey)?.device ?? "";
  }

  /** I1 and I9, once everything has come to rest. */
  atRest(): void {
    this.#onlyWhatWasHit();
    for (const [device, book] of this.#devices) {
      this.#accounting(device, book);
      for (const epoch of this.#wire.epochsOf(device)) this.#epochAtRest(device, epoch, book);
    }
  }

  /** A damaged block takes the record that was hit with it, and none beside it. */
  #onlyWhatWasHit(): void {
    for (const { deviceKey, epoch, fromSeq, toSeq, reason, sink } of this.#tables().gaps) {
      if (reason !== "quarantined" || sink !== null) continue;
      for (let seq = fromSeq; seq <= (toSeq ?? fromSeq); seq++) {
        const place = `${deviceKey}/${epoch}/${seq}`;
        if (!this.#rotted.has(place)) this.#findings.add("I1", `${place} is listed as damaged and was not`);
      }
    }
  }

  /** I2, I5: what arrives was sent like that, and first arrivals keep the order. */
  #delivered(id: string, reading: number): void {
    const [, device = "", epochText = "", seqText = ""] = id.split("/");
    const [epoch, seq] = [Number(epochText), Number(seqText)];
    const book = this.#book(device);
    const sent = this.#wire.of(device, epoch).get(seq);
    if (!this.#forgiven.has(device) && sent?.reading !== reading) {
      this.#findings.add("I2", `${id} brought ${reading}; sent was ${sent?.reading ?? "nothing"}`);
    }
    book.delivered.add(reading);
    // What was refused comes when it is taken at last.
    if (!this.#rules.isInOrder || this.#rules.wasRefused(id)) return;
    const last = book.order.get(epoch) ?? 0;
    if (seq <= last) this.#findings.add("I5", `${id} came after ${last}`);
    book.order.set(epoch, Math.max(last, seq));
  }

  /** I3: stored once, by number and by content. */
  #stored(record: DurableRecord): void {
    if (record.kind !== RecordKind.telemetry) return;
    this.counts.stored += 1;
    const device = this.#tables().deviceByKey(record.deviceKey)?.device ?? "";
    const id = `${device}/${record.epoch}/${record.seq}`;
    if (this.#ids.has(id)) this.#findings.add("I3", `${id} was stored twice`);
    this.#ids.add(id);
    if (!this.#isSilent && this.#wire.isBehindWelcome(device, record.epoch, record.seq)) {
      this.#findings.add("P-4", `${id} was stored behind the Welcome that did not know it`);
    }
    const sent = this.#wire.of(device, record.epoch).get(record.seq);
    if (this.#forgiven.has(device) || this.#isSilent) return;
    if (sent === undefined || sent.bodyCrc !== record.bodyCrc) {
      this.#findings.add("I2", `${id} was stored with bytes that were not sent so`);
      return;
    }
    const { stored } = this.#book(device);
    if (sent.reading === null) return;
    // Two that share an identity retire each other's epochs: what they hold is sent again, and said to be [P-7].
    if (stored.has(sent.reading) && !this.#sharing.has(device))
      this.#findings.add("I3", `reading ${sent.reading} of ${device} was stored again as ${id}`);
    stored.add(sent.reading);
  }

  /** I9: a reading that did not arrive was evicted, or died with its process. */
  #accounting(device: string, book: DeviceBook): void {
    let missingCount = 0;
    let example = 0;
    const listed = this.#listedReadings(device);
    for (let reading = 1; reading <= book.reportedCount; reading++) {
      if (book.delivered.has(reading) || book.mayBeLost.has(reading) || listed.has(reading)) continue;
      missingCount += 1;
      if (example === 0) example = reading;
    }
    if (missingCount <= book.evictedCount) return;
    const said = `${book.evictedCount} were evicted`;
    this.#findings.add("I9", `${device}: ${missingCount} readings are nowhere, ${said}; the first is ${example}`);
  }

  /** Readings that the gateway had to drop, or a sink had to skip: they are on the list, each by its number. */
  #listedReadings(device: string): Set<number> {
    const listed = new Set<number>();
    const tables = this.#tables();
    const key = tables.device(device)?.key ?? 0;
    for (const gap of tables.gaps) {
      if (gap.deviceKey !== key || !POLICY.has(gap.reason)) continue;
      const sent = this.#wire.of(device, gap.epoch);
      for (let seq = gap.fromSeq; seq <= (gap.toSeq ?? gap.fromSeq); seq++) {
        const reading = sent.get(seq)?.reading ?? null;
        if (reading !== null) listed.add(reading);
      }
    }
    return listed;
  }

  /**
   * I1: every number up to the last ack was stored, or is on the list; in a used and left epoch, every number that the
   * gateway ever heard of.
   */
  #epochAtRest(device: string, epoch: number, book: DeviceBook): void {
    const tables = this.#tables();
    const key = tables.device(device)?.key ?? 0;
    const sent = this.#wire.of(device, epoch);
    const row = tables.streams.get(key * 2 ** 32 + epoch);
    const acked = book.acked.get(epoch) ?? 0;
    const isLeft = row?.state === StreamState.retired && (row.mark > 0 || row.announced > 0);
    const last = isLeft ? Math.max(acked, row.announced) : acked;
    const gaps = tables.gaps.filter((gap) => gap.deviceKey === key && gap.epoch === epoch);
    const isListed = (seq: number): boolean =>
      gaps.some(({ fromSeq, toSeq }) => seq >= fromSeq && (toSeq === null || seq <= toSeq));
    const unproven = this.#isRestored && this.#saysUnproven(key) ? (book.unproven.get(epoch) ?? 0) : 0;
    for (let seq = unproven + 1; seq <= last; seq++) {
      const what = sent.get(seq);
      const isApplied = what !== undefined && what.tag !== UplinkTag.telemetry && what.tag !== UplinkTag.log;
      if (this.#taken.has(`gw/${device}/${epoch}/${seq}`) || (isApplied && seq <= (row?.mark ?? seq))) continue;
      if (isListed(seq)) {
        // Listed, but the device was told that this very message is safe: only a card from the past may do that.
        if (what === undefined || seq > acked || this.#forgiven.has(device)) continue;
        const isEvicted = gaps.some(
          (gap) =>
            (gap.reason === "evicted" || POLICY.has(gap.reason) || this.#isRestored) &&
            seq >= gap.fromSeq &&
            seq <= (gap.toSeq ?? seq),
        );
        if (isEvicted) continue;
      }
      this.#findings.add("I1", `${device}/${epoch}/${seq} (acked up to ${acked}) is neither delivered nor listed`);
    }
  }

  /** A restored store opens with an entry that nothing acked until then is proven [P-8]. */
  #saysUnproven(deviceKey: number): boolean {
    return this.#tables().gaps.some(
      (gap) => gap.deviceKey === deviceKey && gap.reason === "unproven" && gap.epoch === 0 && gap.toSeq === null,
    );
  }

  #book(device: string): DeviceBook {
    let book = this.#devices.get(device);
    if (book === undefined) {
      book = {
        reportedCount: 0,
        mayBeLost: new Set(),
        evictedCount: 0,
        acked: new Map(),
        delivered: new Set(),
        stored: new Set(),
        order: new Map(),
        unproven: new Map(),
      };
      this.#devices.set(device, book);
    }
    return book;
  }
}
