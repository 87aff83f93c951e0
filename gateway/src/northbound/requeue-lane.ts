/**
 * Sends records again that the sink had put aside and a person wants tried once more: the message of then, byte for
 * byte, one at a time, in its turn among the others.
 *
 *   store ──requeued──▶ [waiting] ──sendNext──▶ broker ──PUBACK──▶ store: delivered, or aside again with the new reason
 *
 * A broker that hangs up on one is given it three times; then the record is aside again.
 */
import type { Logger } from "../core/log.js";
import type { RequeuedRecord, Spool, SpoolReader } from "../model/spool.js";
import { ReasonCode, reasonText } from "./connack-failure.js";
import type { AckListener } from "./in-flight.js";
import type { Publisher } from "./mqtt-connection.js";
import { messageIdOf, publishBytes } from "./publish-size.js";

export interface RequeueOptions {
  readonly sink: string;
  /** `tidegate/<gw>/` */
  readonly topicHead: string;
}

export interface RequeueDeps {
  readonly reader: Pick<SpoolReader, "requeued">;
  readonly spool: Pick<Spool, "settleRequeued">;
  readonly log: Logger;
  /** There may be something to send. */
  readonly wake: () => void;
}

/** Messages held at once; more are fetched when these are gone. */
const WAITING_MAX = 16;

/** Sessions that may end under a requeued record before it is held to be the reason. */
const HANG_UPS_MAX = 3;

/** One per sink, attached to each session in turn. */
export class RequeueLane implements AckListener {
  #waiting: RequeuedRecord[] = [];
  #underWay: RequeuedRecord | null = null;
  #hangUps = 0;
  #isAttached = false;
  #isBusy = false;
  readonly #options: RequeueOptions;
  readonly #deps: RequeueDeps;

  constructor(options: RequeueOptions, deps: RequeueDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  attach(): void {
    this.#isAttached = true;
    this.look();
  }

  /** The session ended. @param byBroker the broker itself hung up. */
  detach(byBroker: boolean): void {
    this.#isAttached = false;
    this.#waiting = [];
    const lost = this.#underWay;
    this.#underWay = null;
    if (lost === null || !byBroker) return;
    this.#hangUps += 1;
    if (this.#hangUps < HANG_UPS_MAX) return;
    this.#hangUps = 0;
    this.#settle(lost, "the broker hangs up whenever it is sent");
  }

  /** Something may have been requeued. */
  look(): void {
    if (!this.#isAttached || this.#isBusy || this.#underWay !== null || this.#waiting.length > 0) return;
    this.#isBusy = true;
    this.#deps.reader.requeued(this.#options.sink, WAITING_MAX).then(
      (records) => {
        this.#isBusy = false;
        if (!this.#isAttached || records.length === 0) return;
        this.#waiting = [...records];
        this.#deps.wake();
      },
      (error: unknown) => {
        this.#isBusy = false; // asked again at the next requeue, or the next session
        this.#deps.log.error({ error: String(error) }, "requeued records could not be read");
      },
    );
  }

  /** Send one. @returns false when none waits, one is under way, or no slot is free. */
  sendNext(publisher: Publisher): boolean {
    const [record] = this.#waiting;
    if (record === undefined || this.#underWay !== null || this.#isBusy || publisher.freeSlots < 1) return false;
    this.#waiting.shift();
    this.#underWay = record;
    const topic = this.#options.topicHead + record.topic;
    const payload = Buffer.from(record.payload);
    const id = messageIdOf(payload);
    const bytes = publishBytes(Buffer.byteLength(topic), payload.length, id);
    const bytesMax = publisher.session.packetBytesMax;
    if (bytes > bytesMax) {
      this.#settle(record, `its message of ${bytes} bytes is above the broker's limit of ${bytesMax}`);
      return false;
    }
    publisher.publish({ topic, payload, retain: false, id }, this, record.recordId);
    return true;
  }

  acked(token: number, reasonCode: number): void {
    const record = this.#underWay;
    if (record === null || record.recordId !== token) return; // of a session that ended
    this.#hangUps = 0;
    const isTaken = reasonCode < ReasonCode.unspecified;
    this.#settle(record, isTaken ? null : `the broker refused it again: ${reasonText(reasonCode)}`);
  }

  /** Durable before the next one is sent: what was taken must not be sent again after a crash. */
  #settle(record: RequeuedRecord, refusal: string | null): void {
    this.#isBusy = true;
    const { recordId } = record;
    const end = (): void => {
      this.#underWay = null;
      this.#isBusy = false;
      this.#deps.wake();
      this.look();
    };
    this.#deps.log.info({ recordId, refusal }, "a requeued record was sent again");
    this.#deps.spool.settleRequeued(this.#options.sink, recordId, refusal).then(end, (error: unknown) => {
      this.#deps.log.error({ recordId, error: String(error) }, "what came of a requeued record could not be stored");
      this.#underWay = null;
      this.#isBusy = false; // it is still requeued: the next session sends it again, under the same id
    });
  }
}
