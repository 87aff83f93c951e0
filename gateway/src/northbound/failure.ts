/**
 * Why a sink is not up, in words a person can act on, and in a kind the sink's machine can act on.
 *
 *   kind         what the machine does
 *   network      back off, try again          (also: the broker is busy, closing, overloaded)
 *   refused      slow retries: only a person can help (credentials, certificate, rights)
 *   version      try MQTT 3.1.1 at once, and stay with it
 *   silentClose  the broker hung up before it answered: it may be one that knows no MQTT 5
 */
import type { ErrorCode } from "../core/errors.js";

export type FailureKind = "network" | "refused" | "version" | "silentClose";

export interface SinkFailure {
  readonly kind: FailureKind;
  readonly code: ErrorCode;
  /** One sentence with the facts; never a secret. */
  readonly why: string;
  readonly fix: string;
  /** The broker itself ended an established session (FIN, RST or DISCONNECT): see poison-watch.ts. */
  readonly byBroker?: boolean;
}

/** What a failure text may mention of the configuration. */
export interface FailureContext {
  readonly host: string;
  readonly port: number;
  readonly hasUsername: boolean;
  readonly secure: boolean;
}

/** A failure that may pass by itself: back off and try again. */
export function unavailable(why: string, fix: string): SinkFailure {
  return { kind: "network", code: "E_SINK_UNAVAILABLE", why, fix };
}

/** A failure only a person can end: try again slowly. */
export function refused(why: string, fix: string): SinkFailure {
  return { kind: "refused", code: "E_SINK_REFUSED", why, fix };
}

const LOOPBACK = /^(localhost|127\.|::1$|\[::1\]$)/;

/** Mosquitto 2 without a `listener` line answers on loopback only; the most common reason for a refused connection. */
const MOSQUITTO_LOCAL_ONLY =
  "start the broker or correct the port; Mosquitto 2 listens on its own machine only until its configuration has a " +
  "`listener 1883` line";

/** A socket's or TLS's error as a failure. */
export function failureOfError(error: unknown, context: FailureContext): SinkFailure {
  const code = errorCode(error);
  const at = `${context.host}:${context.port}`;
  const tls = tlsFailure(code, context);
  if (tls !== null) return tls;
  switch (code) {
    case "ECONNREFUSED": {
      const isLocal = LOOPBACK.test(context.host);
      return unavailable(
        `connection refused by ${at}`,
        isLocal ? "start the broker, or correct the port in the sink's url" : MOSQUITTO_LOCAL_ONLY,
      );
    }
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return unavailable(`the name ${context.host} cannot be resolved`, "check the host in the sink's url and the DNS");
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return unavailable(`${at} cannot be reached (${code})`, "check the network, the address and the firewall");
    case "ECONNRESET":
    case "EPIPE":
      return {
        ...unavailable(`the broker at ${at} cut the connection (${code})`, "see the broker's log"),
        byBroker: true,
      };
    default:
      return unavailable(`the connection to ${at} failed: ${messageOf(error)}`, "see the broker's log");
  }
}

function tlsFailure(code: string, { host, port, secure }: FailureContext): SinkFailure | null {
  switch (code) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return refused(`the broker's certificate does not name ${host}`, "use a name of the certificate in the url");
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "CERT_SIGNATURE_FAILURE":
      return refused(
        `the certificate of ${host} was not issued by a CA this gateway trusts (${code})`,
        "set ca to the CA that issued it",
      );
    case "CERT_HAS_EXPIRED":
      return refused(`the certificate of ${host} has expired`, "renew it, and check this machine's clock");
    case "CERT_NOT_YET_VALID":
      return refused(`the certificate of ${host} is not valid yet`, "check this machine's clock");
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return refused(
        `no TLS is spoken at ${host}:${port} (${code})`,
        "use the TLS port, or mqtt:// instead of mqtts://",
      );
    default:
      if (!secure || !/CERTIFICATE|ALERT|ERR_SSL|ERR_OSSL|HANDSHAKE/.test(code)) return null;
      return refused(`TLS with ${host} failed (${code})`, "check cert and key, and the broker's TLS settings");
  }
}

/** Node tries every address of a name and reports all failures as one; the first one speaks for them. */
function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
