/**
 * Commands that arrive at the broker: checked, made durable, and only then acked to the broker.
 *
 *   PUBLISH ──commandOf──▶ submit (durable) ──▶ PUBACK, in the order of arrival
 *                └─refused──▶ counted, logged, answered on …/result
 *
 * The session is clean: what was not acked when a connection ended is gone at the broker, and its sender (who has an
 * ack from the broker) learns of it by the missing outcome. Outcomes of accepted commands come through the spool.
 */
import type { IPublishPacket } from "mqtt-packet";
import { asGatewayError, ERRORS } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { Counter } from "../core/metrics.js";
import type { AskedCommand } from "../model/command.js";
import {
  addressOf,
  type CommandAddress,
  type CommandRefusal,
  type CommandTopics,
  commandOf,
  isRefusal,
  isResponseTopic,
} from "./command-request.js";
import type { OutgoingMessage } from "./mqtt-connection.js";

export interface CommandSourceDeps {
  /** Resolves when the command is durable; rejects with a GatewayError. */
  readonly submit: (command: AskedCommand) => Promise<unknown>;
  /** Publishes an answer, when there is room for it. */
  readonly reply: (message: OutgoingMessage) => void;
  readonly log: Logger;
  /** Commands refused, of which `retained` carried the retain flag. */
  readonly refused: Counter;
  readonly retained: Counter;
}

interface Pending {
  readonly messageId: number;
  isDone: boolean;
}

/** One per sink; attached to each connection in turn. */
export class CommandSource {
  /** Acks the current connection; null between connections. */
  #ack: ((messageId: number) => void) | null = null;
  /** QoS 1 messages not acked yet, in the order of arrival: PUBACKs keep it (MQTT 5 §4.6). */
  #pending: Pending[] = [];
  #submitting = 0;
  readonly #topics: CommandTopics;
  readonly #pendingMax: number;
  readonly #deps: CommandSourceDeps;

  constructor(topics: CommandTopics, pendingMax: number, deps: CommandSourceDeps) {
    this.#topics = topics;
    this.#pendingMax = pendingMax;
    this.#deps = deps;
  }

  /** What to subscribe to. */
  get filter(): string {
    return `${this.#topics.topicHead}+/cmd/+`;
  }

  /** @param ack tells the broker that a message is taken care of. */
  attach(ack: (messageId: number) => void): void {
    this.#ack = ack;
    this.#pending = [];
  }

  detach(): void {
    this.#ack = null;
    this.#pending = [];
  }

  received(packet: IPublishPacket): void {
    const messageId = packet.qos === 0 ? 0 : (packet.messageId ?? 0);
    // A repeat within the session of a message we are still working on: one ack answers both.
    if (messageId !== 0 && this.#pending.some((pending) => pending.messageId === messageId)) return;
    // A broker that keeps sending far past what we ack is left unanswered; it has its own limits to run into.
    if (this.#pending.length >= 4 * this.#pendingMax) {
      this.#deps.refused.add();
      return;
    }
    const pending: Pending = { messageId, isDone: false };
    if (messageId !== 0) this.#pending.push(pending);
    const settle = () => this.#settle(pending);
    const address = addressOf(packet.topic, this.#topics.topicHead);
    if (address === null) {
      this.#deps.refused.add();
      this.#deps.log.warn({ topic: packet.topic.slice(0, 200) }, "a message at no command topic was refused");
      settle();
      return;
    }
    const outcome = this.#overload() ?? commandOf(packet, address, this.#topics);
    if (isRefusal(outcome)) {
      this.#refuse(packet, address, outcome);
      settle();
    } else this.#submit(packet, address, outcome, settle);
  }

  #overload(): CommandRefusal | null {
    if (this.#submitting < this.#pendingMax) return null;
    return { code: "E_TOO_MANY", why: `${this.#pendingMax} commands of this sink are being stored already` };
  }

  #submit(packet: IPublishPacket, address: CommandAddress, command: AskedCommand, settle: () => void): void {
    this.#submitting += 1;
    this.#deps
      .submit(command)
      .catch((thrown: unknown) => {
        const { code, why } = asGatewayError(thrown);
        this.#refuse(packet, address, { code, why });
      })
      .finally(() => {
        this.#submitting -= 1;
        settle();
      });
  }

  #settle(pending: Pending): void {
    pending.isDone = true;
    while (this.#pending[0]?.isDone === true) {
      const { messageId } = this.#pending[0];
      this.#pending.shift();
      this.#ack?.(messageId);
    }
  }

  #refuse(packet: IPublishPacket, { device, name }: CommandAddress, { code, why }: CommandRefusal): void {
    this.#deps.refused.add();
    if (packet.retain) this.#deps.retained.add();
    this.#deps.log.warn({ device, name, code, why }, "a command from the broker was refused");
    const error = `${ERRORS[code].what}: ${why}`;
    const payload = JSON.stringify({ commandId: null, device, name, state: "refused", result: null, error, code });
    this.#deps.reply({ topic: `${this.#topics.topicHead}${device}/cmd/${name}/result`, payload, retain: false });
    const { responseTopic, correlationData } = packet.properties ?? {};
    if (responseTopic === undefined || !isResponseTopic(responseTopic, this.#topics.topicHead)) return;
    const correlation = correlationData === undefined ? {} : { correlation: correlationData };
    this.#deps.reply({ topic: responseTopic, payload, retain: false, ...correlation });
  }
}
