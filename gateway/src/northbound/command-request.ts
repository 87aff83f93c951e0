/**
 * A message at `<prefix>/<gw>/<device>/cmd/<name>` as a command, or why it is none. Pure; the message is hostile.
 *
 *   payload                    JSON arguments, at most 32 KiB; empty means null
 *   Message Expiry Interval    the command's ttl; without it the gateway's default
 *   Correlation Data           its idempotency key, and returned with the outcome
 *   Response Topic             also gets the outcome
 *   user property `delivery`   atMostOnce or atLeastOnce; without it as the device's catalog declares the command
 */
import { createHash } from "node:crypto";
import { isName } from "@tidegate/proto";
import type { IPublishPacket } from "mqtt-packet";
import type { ErrorCode } from "../core/errors.js";
import { ARGS_BYTES_MAX, type AskedCommand, type Delivery, IDEMPOTENCY_KEY_CHARS_MAX } from "../model/command.js";

export interface CommandTopics {
  /** `tidegate/<gw>/` */
  readonly topicHead: string;
  /** `mqtt:<sink>` */
  readonly source: string;
}

export interface CommandAddress {
  readonly device: string;
  readonly name: string;
}

export interface CommandRefusal {
  readonly code: ErrorCode;
  readonly why: string;
}

const RESPONSE_TOPIC_BYTES_MAX = 512;
const CORRELATION_BYTES_MAX = 256;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** Device and command of a topic, or null when it names none. */
export function addressOf(topic: string, topicHead: string): CommandAddress | null {
  if (!topic.startsWith(topicHead)) return null;
  const [device = "", cmd, name = "", ...more] = topic.slice(topicHead.length).split("/");
  return cmd === "cmd" && more.length === 0 && isName(device) && isName(name) ? { device, name } : null;
}

/** The command a message asks for, or why it is refused. */
export function commandOf(
  packet: IPublishPacket,
  { device, name }: CommandAddress,
  topics: CommandTopics,
): AskedCommand | CommandRefusal {
  const why = (sentence: string): CommandRefusal => ({ code: "E_COMMAND_ARGS", why: sentence });
  if (packet.retain) {
    return { code: "E_FORBIDDEN", why: "it carries the retain flag and would run again at every reconnect" };
  }
  const args = argsOf(packet.payload);
  if (args === null) return why(`the payload is not JSON of at most ${ARGS_BYTES_MAX} bytes`);
  const { responseTopic, correlationData, messageExpiryInterval } = packet.properties ?? {};
  if (responseTopic !== undefined && !isResponseTopic(responseTopic, topics.topicHead)) {
    return why("the Response Topic has wildcards, is too long, or lies in the gateway's own topics");
  }
  if (correlationData !== undefined && correlationData.length > CORRELATION_BYTES_MAX) {
    return why(`the Correlation Data is longer than ${CORRELATION_BYTES_MAX} bytes`);
  }
  const delivery = packet.properties?.userProperties?.["delivery"] ?? null;
  if (delivery !== null && !isDelivery(delivery))
    return why("the user property delivery is neither atMostOnce nor atLeastOnce");
  // A broker never hands out what has expired, but may round the rest of its time down to 0 s.
  const ttlMs = messageExpiryInterval === undefined ? null : Math.max(1, messageExpiryInterval * 1000);
  return {
    ...{ device, name, args, delivery, ttlMs, source: topics.source },
    idempotencyKey: correlationData === undefined ? null : keyOf(correlationData),
    responseTopic: responseTopic ?? null,
    correlation: correlationData?.toString("base64") ?? null,
  };
}

/** Tells the two outcomes of `commandOf` apart. */
export function isRefusal(outcome: AskedCommand | CommandRefusal): outcome is CommandRefusal {
  return "why" in outcome;
}

/**
 * May the gateway publish there with its own rights? Not into its own topics: a Response Topic that is a command topic
 * would let anybody who may send one command send every command.
 */
export function isResponseTopic(topic: string, topicHead: string): boolean {
  const isPlain = topic !== "" && Buffer.byteLength(topic) <= RESPONSE_TOPIC_BYTES_MAX && !/[#+\0]/.test(topic);
  return isPlain && !topic.startsWith("$") && !`${topic}/`.startsWith(topicHead);
}

/** JSON text as it was sent, or null. */
function argsOf(payload: string | Buffer): string | null {
  const bytes = typeof payload === "string" ? Buffer.from(payload) : payload;
  if (bytes.length === 0) return "null";
  if (bytes.length > ARGS_BYTES_MAX) return null;
  try {
    const text = strictUtf8.decode(bytes);
    JSON.parse(text);
    return text;
  } catch {
    return null;
  }
}

const isDelivery = (word: unknown): word is Delivery => word === "atMostOnce" || word === "atLeastOnce";

/** Base64, or a digest of it where that is too long for a key. */
function keyOf(correlation: Buffer): string {
  const text = correlation.toString("base64");
  return text.length <= IDEMPOTENCY_KEY_CHARS_MAX ? text : createHash("sha256").update(correlation).digest("base64");
}
