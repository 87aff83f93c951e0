/**
 * Everything that sends through a sink's connection, taking turns.
 *
 *   own status (first) ─┐
 *   device statuses ────┤
 *   answers ────────────┼──▶ one window of unacked messages ──▶ broker
 *   records (the pump) ─┤
 *   requeued ones ──────┤
 *   watermarks ─────────┤
 *   states (QoS 0) ─────┘
 *
 * One message each in turn, so that neither a backlog nor a flapping device keeps the others from sending. Records,
 * also requeued ones, leave no faster than the sink's rate. While the pump looks for the record that a broker hangs up
 * on, that record goes alone: no other message may be the reason.
 */

import type { SinkPump } from "./live-first.js";
import type { OutgoingMessage, Publisher } from "./mqtt-connection.js";
import type { RecordRate } from "./record-rate.js";
import type { ReplyQueue } from "./reply-queue.js";
import type { RequeueLane } from "./requeue-lane.js";
import type { StateTopics } from "./state-topic.js";
import type { StatusTopics } from "./status-topics.js";
import type { WatermarkTopics } from "./watermark-topics.js";

/** A connection, as the lanes need it. */
export interface LanePublisher extends Publisher {
  flush(): void;
}

interface Lanes {
  readonly statuses: StatusTopics;
  readonly replies: ReplyQueue;
  readonly pump: SinkPump;
  readonly states: StateTopics;
  readonly watermarks: WatermarkTopics;
  readonly requeued: RequeueLane;
  readonly rate: RecordRate;
}

/** One per sink, attached to each session in turn. */
export class SinkLanes {
  #connection: LanePublisher | null = null;
  /** The farewell is under way: nothing new is sent. */
  #isEnding = false;
  #isFilling = false;
  #isWoken = false;
  #urgent: { readonly message: OutgoingMessage; readonly resolve: () => void } | null = null;
  readonly #lanes: Lanes;

  constructor(lanes: Lanes) {
    this.#lanes = lanes;
  }

  attach(connection: LanePublisher): void {
    this.#connection = connection;
    this.#isEnding = false;
    this.#lanes.statuses.attach();
    this.#lanes.states.attach();
    this.#lanes.watermarks.attach();
    this.#lanes.requeued.attach();
    this.#lanes.pump.attach(connection);
  }

  /** @param byBroker the broker itself hung up. Waits of `sendFirst` are over. */
  detach(byBroker: boolean): void {
    this.#connection = null;
    this.#urgent?.resolve();
    this.#urgent = null;
    this.#lanes.pump.detach(byBroker);
    this.#lanes.states.detach();
    this.#lanes.watermarks.detach();
    this.#lanes.requeued.detach(byBroker);
    this.#lanes.rate.detach();
  }

  /** Send what may be sent now. A call from inside, by a lane that was woken, is remembered. */
  fill(): void {
    this.#isWoken = true;
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      while (this.#isWoken && this.#connection !== null) {
        this.#isWoken = false;
        this.#fillOnce(this.#connection);
      }
    } finally {
      this.#isFilling = false;
    }
  }

  #fillOnce(connection: LanePublisher): void {
    this.#sendUrgent(connection);
    for (let isSent = !this.#isEnding; isSent && connection.isWritable; ) {
      isSent = this.#lanes.pump.isSuspicious ? this.#sendAlone(connection) : this.#sendTurn(connection);
    }
    connection.flush();
  }

  /** One of each lane. @returns whether any had one. */
  #sendTurn(connection: LanePublisher): boolean {
    const { statuses, replies, states, watermarks } = this.#lanes;
    let isSent = statuses.sendNext(connection);
    isSent = replies.sendNext(connection) || isSent;
    isSent = this.#sendPumped() || isSent;
    isSent = this.#sendRequeued(connection) || isSent;
    isSent = watermarks.sendNext(connection) || isSent;
    return (connection.isWritable && states.sendNext(connection)) || isSent;
  }

  /** A record when nothing is unanswered; the other lanes only when there is none. */
  #sendAlone(connection: LanePublisher): boolean {
    if (connection.freeSlots < connection.session.window) return false;
    return this.#sendPumped() || this.#sendTurn(connection);
  }

  #sendPumped(): boolean {
    const { pump, rate } = this.#lanes;
    if (!rate.isOpen || !pump.sendNext()) return false;
    rate.sent();
    return true;
  }

  #sendRequeued(connection: LanePublisher): boolean {
    const { requeued, rate } = this.#lanes;
    if (!rate.isOpen || !requeued.sendNext(connection)) return false;
    rate.sent();
    return true;
  }

  /** Send before everything else, as soon as a slot is free. Resolves when the broker has answered, or is gone. */
  sendFirst(message: OutgoingMessage): Promise<void> {
    return new Promise((resolve) => {
      this.#urgent = { message, resolve };
      this.fill();
    });
  }

  /** As `sendFirst`, and nothing is sent behind it. */
  sendLast(message: OutgoingMessage): Promise<void> {
    this.#isEnding = true;
    return this.sendFirst(message);
  }

  #sendUrgent(connection: LanePublisher): void {
    if (this.#urgent === null || connection.freeSlots < 1) return;
    const { message, resolve } = this.#urgent;
    this.#urgent = null;
    connection.publish(message, { acked: () => resolve() }, 0);
  }
}
