/** What a broker's CONNACK, DISCONNECT and SUBACK codes mean to a person (MQTT 5 §2.4, MQTT 3.1.1 §3.2.2.3). */
import { type FailureContext, refused, type SinkFailure, unavailable } from "./failure.js";

/** Reason codes that more than one place needs by name. */
export const ReasonCode = {
  success: 0x00,
  noMatchingSubscribers: 0x10,
  unspecified: 0x80,
  implementationSpecific: 0x83,
  notAuthorized: 0x87,
  topicNameInvalid: 0x90,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  payloadFormatInvalid: 0x99,
} as const;

const MEANING: Readonly<Record<number, string>> = {
  128: "unspecified error",
  129: "malformed packet",
  130: "protocol error",
  131: "implementation specific error",
  132: "unsupported protocol version",
  133: "client id not valid",
  134: "bad user name or password",
  135: "not authorized",
  136: "server unavailable",
  137: "server busy",
  138: "banned",
  139: "server shutting down",
  140: "bad authentication method",
  141: "keep alive timeout",
  142: "session taken over",
  143: "topic filter invalid",
  144: "topic name invalid",
  147: "receive maximum exceeded",
  149: "packet too large",
  150: "message rate too high",
  151: "quota exceeded",
  152: "administrative action",
  153: "payload format invalid",
  154: "retain not supported",
  155: "QoS not supported",
  156: "use another server",
  157: "server moved",
  159: "connection rate exceeded",
  160: "maximum connect time",
};

/** `not authorized (0x87)` */
export function reasonText(code: number): string {
  const hex = `0x${code.toString(16).padStart(2, "0")}`;
  return `${MEANING[code] ?? "unknown reason"} (${hex})`;
}

const CREDENTIALS_FIX = "check the sink's username and passwordFile against the broker's users";
const ANONYMOUS_FIX =
  "set the sink's username and passwordFile; Mosquitto 2 takes nobody without, unless `allow_anonymous true` is set";

/** A refused MQTT 5 CONNACK. */
export function failureOfConnack5(code: number, context: FailureContext): SinkFailure {
  const said = `(CONNACK ${reasonText(code)})`;
  switch (code) {
    case 0x84:
      return {
        ...unavailable(`the broker knows no MQTT 5 ${said}`, "nothing: MQTT 3.1.1 is tried"),
        kind: "version",
      };
    case 0x86:
      return refused(`the broker refused the password ${said}`, CREDENTIALS_FIX);
    case 0x87:
      return refused(
        `the broker does not let this user in ${said}`,
        context.hasUsername ? CREDENTIALS_FIX : ANONYMOUS_FIX,
      );
    case 0x85:
      return refused(`the broker refused the client id ${said}`, "set the sink's clientId to one it takes");
    case 0x8a:
      return refused(`the broker has banned this client ${said}`, "lift the ban at the broker");
    case 0x8c:
      return refused(`the broker wants another way to authenticate ${said}`, "allow user name and password there");
    case 0x9a:
    case 0x9b:
      return refused(
        `the broker lacks what the status topic needs ${said}`,
        "use a broker with retained messages and QoS 1",
      );
    default:
      return unavailable(`the broker refused the connection ${said}`, "see the broker's log; it is tried again");
  }
}

/** A refused MQTT 3.1.1 CONNACK. */
export function failureOfConnack311(code: number, context: FailureContext): SinkFailure {
  const said = `(CONNACK ${code})`;
  switch (code) {
    case 1:
      return {
        ...unavailable(`the broker does not speak this version of MQTT ${said}`, "use a broker with MQTT 3.1.1 or 5"),
        kind: "version",
      };
    case 2:
      return refused(`the broker refused the client id ${said}`, "set the sink's clientId to one it takes");
    case 4:
      return refused(`the broker refused the password ${said}`, CREDENTIALS_FIX);
    case 5:
      return refused(
        `the broker does not let this user in ${said}`,
        context.hasUsername ? CREDENTIALS_FIX : ANONYMOUS_FIX,
      );
    default:
      return unavailable(`the broker refused the connection ${said}`, "see the broker's log; it is tried again");
  }
}

/** An MQTT 5 DISCONNECT of the broker. */
export function failureOfDisconnect(code: number): SinkFailure {
  if (code === 0x8e) {
    return unavailable(
      "another client with this client id took the session over",
      "give each gateway its own gateway.id, or each sink its own clientId",
    );
  }
  const failure = unavailable(
    `the broker ended the session: ${reasonText(code)}`,
    "see the broker's log; it is tried again",
  );
  return { ...failure, byBroker: true };
}
