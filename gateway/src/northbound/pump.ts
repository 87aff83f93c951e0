/**
 * Moves records from the spool to the broker, and the cursor behind them.
 *
 *   spool ──slices──▶ SliceQueue ──sendNext──▶ Publisher ──▶ broker
 *                                DeliveryRing ◀──acked────────┘
 *   saveCursor ◀── everything up to here was taken, or is in quarantine
 *
 * Records leave in record order. After a reconnect, or a refusal that passes, everything after the cursor is rendered
 * and sent again, byte for byte the same. A refusal in the middle of a window cannot take back what was sent behind
 * it: those arrive before the refused one's repeat, and again after it. MQTT 3.1.1 cannot refuse a message: a broker
 * that drops one there (Mosquitto's access lists do) acks it all the same, and nobody can know.
 */
import { type BackoffLimits, fullJitterMs } from "../core/backoff.js";
import type { Clock } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import type { Counter } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import { RecordKind } from "../model/record.js";
import type { RenderedSlice, Spool, SpoolReader } from "../model/spool.js";
import { isResponseTopic } from "./command-request.js";
import { ReasonCode, reasonText } from "./connack-failure.js";
import { CursorSaver } from "./cursor-saver.js";
import { DeliveryRing } from "./delivery-ring.js";
import { refused, type SinkFailure } from "./failure.js";
import type { AckListener } from "./in-flight.js";
import type { OutgoingMessage, Publisher } from "./mqtt-connection.js";
import type { MqttLimits } from "./mqtt-options.js";
import { PoisonWatch } from "./poison-watch.js";
import { messageIdOf, publishBytes } from "./publish-size.js";
import { type AsideRecord, QuarantineDesk } from "./quarantine-desk.js";
import { Refusals } from "./refusals.js";
import { SentPlaces } from "./sent-places.js";
import { payloadOf, SliceTopics } from "./slice-messages.js";
import { SliceQueue } from "./slice-queue.js";

export interface PumpOptions {
  readonly sink: string;
  /** `tidegate/<gw>/` */
  readonly topicHead: string;
  /** Where the sink stands: the highest record it has taken. */
  readonly cursor: number;
  readonly limits: MqttLimits;
  /** Readings nobody subscribes to are not taken: they wait, however long. */
  readonly requiresSubscriber?: boolean;
}

export interface PumpDeps {
  readonly reader: Pick<SpoolReader, "rendered">;
  readonly spool: Pick<Spool, "saveCursor" | "quarantine">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: { readonly delivered: Counter; readonly retried: Counter; readonly quarantined: Counter };
  /** There may be something to send. */
  readonly wake: () => void;
  /** The session is of no use: end it with this failure. */
  readonly fail: (failure: SinkFailure) => void;
  /** The cursor passed the record at `index`; those sent nowhere are not told of. */
  readonly passed?: (slice: RenderedSlice, index: number) => void;
}

const REFUSED_BACKOFF = { baseMs: 500, capMs: 30_000 };
const STORE_RETRY_MS = 1_000;
/** While nobody reads, one message asks again so often: a consumer that comes back waits no longer. */
const UNHEARD_BACKOFF = { baseMs: 500, capMs: 5_000 };

/** One per sink, attached to each session in turn. The cursor passes only what was taken or put aside. */
export class Pump implements AckListener {
  #publisher: Publisher | null = null;
  #cursor: number;
  #highestSentId = 0;
  #deliveredCount = 0;
  /** The second message of a record that has a response topic; goes before the next record. */
  #response: { readonly message: OutgoingMessage; readonly token: number } | null = null;
  /** Set while a refusal's backoff runs. */
  #cancelRetry: (() => void) | null = null;
  #cancelPoll: () => void = () => {};
  readonly #ring: DeliveryRing;
  readonly #slices: SliceQueue;
  readonly #saver: CursorSaver;
  readonly #refusals: Refusals;
  readonly #poison = new PoisonWatch();
  readonly #desk: QuarantineDesk;
  readonly #topics: SliceTopics;
  readonly #places: SentPlaces;
  readonly #options: PumpOptions;
  readonly #deps: PumpDeps;
  /** A response is a courtesy: whatever the broker says to it, the record itself has gone where it belongs. */
  readonly #responseAcks: AckListener = { acked: (token) => this.#done(token) };
  /** Gaps, logs and outcomes: a consumer of readings need not subscribe to them. */
  readonly #unreadAcks: AckListener = {
    acked: (token, reasonCode) =>
      this.acked(token, reasonCode === ReasonCode.noMatchingSubscribers ? ReasonCode.success : reasonCode),
  };

  constructor(options: PumpOptions, deps: PumpDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#cursor = options.cursor;
    this.#topics = new SliceTopics(options.topicHead);
    const capacity = Math.max(options.limits.window, options.limits.window311);
    this.#ring = new DeliveryRing(capacity);
    this.#places = new SentPlaces(capacity, deps.passed ?? (() => {}));
    this.#refusals = new Refusals(options.requiresSubscriber);
    const { spool, log, counters } = deps;
    this.#desk = new QuarantineDesk(options.sink, { spool, log, quarantined: counters.quarantined });
    this.#saver = new CursorSaver(deps.clock, options.limits, (id) => deps.spool.saveCursor(options.sink, id));
    this.#slices = new SliceQueue({
      reader: deps.reader,
      rowsMax: options.limits.sliceRows,
      bytesMax: options.limits.prefetchBytes,
      onSlice: () => this.#sliceArrived(),
      onError: (error) => this.#readerFailed(error),
    });
  }

  /** Every record up to this id was taken or is in quarantine. */
  get cursor(): number {
    return this.#cursor;
  }

  /** Records sent and not answered. */
  get inFlightCount(): number {
    return this.#ring.count;
  }

  get deliveredCount(): number {
    return this.#deliveredCount;
  }

  /** The broker hangs up on what it is sent: one message at a time, until it is known which. */
  get isSuspicious(): boolean {
    return this.#poison.windowMax === 1;
  }

  /** The broker says that nobody reads, and the sink waits for somebody. */
  get isUnheard(): boolean {
    return this.#refusals.isUnheard;
  }

  get quarantinedCount(): number {
    return this.#desk.count;
  }

  /** A session is up: begin after the cursor. */
  attach(publisher: Publisher): void {
    this.#publisher = publisher;
    this.#refusals.newSession();
    this.#restart();
    this.#poll();
  }

  /** The session ended. @param byBroker the broker itself hung up: see poison-watch.ts. */
  detach(byBroker: boolean): void {
    if (this.#publisher === null) return;
    this.#publisher = null;
    const first = this.#ring.firstOpenToken;
    const suspect = first === null ? null : this.#aside(first);
    const isPoison = byBroker && this.#poison.hungUp(this.#ring.openCount);
    this.#cancelPoll();
    this.#forget();
    this.#slices.clear();
    this.#saver.flush();
    if (isPoison && suspect !== null) this.#convict(suspect);
  }

  /** Records up to this id are in the spool. */
  committed(lastRecordId: number): void {
    if (this.#publisher === null || lastRecordId <= this.#slices.scannedToId) return;
    this.#slices.expectMore();
    this.#slices.fetch();
  }

  /** Send one message. @returns false when there is none, or none may be sent now. */
  sendNext(): boolean {
    const publisher = this.#publisher;
    if (publisher === null || publisher.freeSlots < 1) return false;
    if (this.#response !== null) {
      const { message, token } = this.#response;
      this.#response = null;
      publisher.publish(message, this.#responseAcks, token);
      return true;
    }
    const isHeld = this.#refusals.isDeciding || this.#cancelRetry !== null;
    const windowMax = this.#refusals.isUnheard ? 1 : this.#poison.windowMax;
    if (isHeld || this.#ring.isFull || this.#ring.count >= windowMax) return false;
    const slice = this.#slices.current;
    if (slice === null) return false;
    const { index } = this.#slices;
    // First: what the cursor passes meanwhile may ask for the next one, before this returns.
    this.#slices.advance();
    this.#send(slice, index, publisher);
    this.#slices.fetch();
    return true;
  }

  acked(token: number, reasonCode: number): void {
    if (!this.#ring.isOpen(token)) return; // from before a restart
    const recordId = this.#ring.recordId(token);
    switch (this.#refusals.verdict(recordId, token, reasonCode)) {
      case "taken":
        this.#done(token);
        break;
      case "unheard":
        this.#retryLater(recordId, reasonCode, UNHEARD_BACKOFF);
        break;
      case "retry":
        this.#retryLater(recordId, reasonCode, REFUSED_BACKOFF);
        break;
      case "quarantine":
        this.#quarantine(token, `the broker refused it: ${reasonText(reasonCode)}`);
        break;
      case "denied":
        break;
    }
    this.#decideDenied();
  }

  #send(slice: RenderedSlice, index: number, publisher: Publisher): void {
    const recordId = slice.ids[index] ?? 0;
    const topic = this.#topics.of(slice, index);
    const payload = payloadOf(slice, index);
    const id = messageIdOf(payload);
    // The last record of a slice also stands for the ones behind it that are sent nowhere.
    const coversTo = index === slice.count - 1 ? Math.max(recordId, slice.scannedToId) : recordId;
    const onlyFor = slice.onlyFor.size === 0 ? undefined : slice.onlyFor.get(index);
    const isOthers = onlyFor !== undefined && onlyFor !== this.#options.sink;
    if (isOthers || this.#desk.has(recordId)) {
      this.#places.putNone(this.#ring.push(recordId, coversTo, 0));
      this.#settle();
      return;
    }
    if (recordId <= this.#highestSentId) this.#deps.counters.retried.add();
    else this.#highestSentId = recordId;
    const bytes = publishBytes(topic.length, payload.length, id);
    const bytesMax = publisher.session.packetBytesMax;
    if (bytes > bytesMax) {
      const token = this.#ring.push(recordId, coversTo, 1);
      this.#places.put(token, slice, index);
      this.#quarantine(token, `its message of ${bytes} bytes is above the broker's limit of ${bytesMax}`);
      return;
    }
    const response = this.#responseOf(slice, index);
    const token = this.#ring.push(recordId, coversTo, response === undefined ? 1 : 2);
    this.#places.put(token, slice, index);
    const acks = slice.kinds[index] === RecordKind.telemetry ? this : this.#unreadAcks;
    publisher.publish({ topic, payload, retain: false, id }, acks, token);
    if (response === undefined) return;
    const correlation =
      response.correlation === null ? {} : { correlation: Buffer.from(response.correlation, "base64") };
    this.#response = { message: { topic: response.topic, payload, retain: false, id, ...correlation }, token };
  }

  /** A stored topic that no broker takes would end every session it is sent in. */
  #responseOf(slice: RenderedSlice, index: number): { topic: string; correlation: string | null } | undefined {
    const response = slice.responses.size === 0 ? undefined : slice.responses.get(index);
    if (response === undefined || !isResponseTopic(response.topic, this.#options.topicHead)) return undefined;
    return response;
  }

  #done(token: number): void {
    if (!this.#ring.ack(token)) return;
    this.#deliveredCount += 1;
    this.#deps.counters.delivered.add();
    this.#poison.progressed();
    this.#settle();
  }

  #settle(): void {
    const covered = this.#ring.settle(this.#places.drop);
    if (covered !== null) this.#moveTo(covered);
  }

  #moveTo(recordId: number): void {
    if (recordId <= this.#cursor) return;
    this.#cursor = recordId;
    this.#desk.passed(recordId);
    this.#saver.moved(recordId);
  }

  #sliceArrived(): void {
    // Records that are sent nowhere leave no entry: the newest entry, or the cursor itself, covers them.
    if (this.#slices.current === null && !this.#ring.extend(this.#slices.scannedToId)) {
      this.#moveTo(this.#slices.scannedToId);
    }
    this.#slices.fetch();
    this.#deps.wake();
  }

  /** What is in flight stays so; the idle poll asks again. */
  #readerFailed(error: unknown): void {
    this.#deps.log.error({ error: String(error) }, "the spool could not be read for the sink");
  }

  /** Begin again after the cursor, with the same bytes. */
  #restart(): void {
    this.#forget();
    this.#slices.startAfter(this.#cursor);
    this.#slices.fetch();
  }

  #forget(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#response = null;
    this.#refusals.restarted();
    this.#ring.reset();
  }

  #retryLater(recordId: number, reasonCode: number, backoff: BackoffLimits): void {
    const attempt = this.#refusals.isUnheard ? this.#refusals.unheardCount - 1 : this.#refusals.attempt;
    const delayMs = fullJitterMs(attempt, this.#deps.random.unit(), backoff);
    const isNews = !this.#refusals.isUnheard || attempt === 0;
    const facts = { recordId, reason: reasonText(reasonCode), delayMs };
    if (isNews) this.#deps.log.warn(facts, "the broker refused a record for now");
    this.#forget();
    this.#slices.clear(); // what would be fetched now lies behind the refused record
    this.#startOver(delayMs);
  }

  /** After a while, begin again after the cursor; nothing is sent until then. */
  #startOver(delayMs: number): void {
    if (this.#publisher === null) return;
    this.#cancelRetry?.();
    this.#cancelRetry = this.#deps.clock.after(delayMs, () => {
      this.#cancelRetry = null;
      if (this.#publisher === null) return;
      this.#restart();
      this.#deps.wake();
    });
  }

  #decideDenied(): void {
    if (!this.#refusals.isDeciding || this.#ring.openCount > this.#refusals.deniedCount) return;
    const denied = this.#refusals.decide();
    const why = `the broker does not allow this user to publish below ${this.#options.topicHead}`;
    if (denied === null) {
      this.#deps.fail(
        refused(`${why} (PUBACK ${reasonText(ReasonCode.notAuthorized)})`, "allow it in the broker's ACL"),
      );
      return;
    }
    for (const token of denied)
      this.#quarantine(token, `the broker refused it: ${reasonText(ReasonCode.notAuthorized)}`);
  }

  /** Put a record aside; the cursor passes it once that is durable. */
  #quarantine(token: number, reason: string): void {
    const then = () => {
      if (this.#ring.finish(token)) this.#settle();
      this.#decideDenied();
      this.#deps.wake();
    };
    this.#desk.put(this.#aside(token), reason, then, () => this.#startOver(STORE_RETRY_MS));
  }

  /** The session is gone: the record first in line is put aside, and passed over when the next one begins. */
  #convict(suspect: AsideRecord): void {
    const then = () => {
      this.#poison.progressed();
      this.#startOver(0);
    };
    this.#desk.put(suspect, "the broker hangs up whenever it is sent", then, () => {});
  }

  #aside(token: number): AsideRecord {
    return { recordId: this.#ring.recordId(token), message: this.#places.message(token) };
  }

  /** A commit nobody told of must not wait for the next one. */
  #poll(): void {
    this.#cancelPoll();
    this.#cancelPoll = this.#deps.clock.after(this.#options.limits.idlePollMs, () => {
      this.#slices.expectMore();
      this.#slices.fetch();
      this.#poll();
    });
  }
}
