/**
 * Who may open a WebSocket, decided before the upgrade, as a pure function over the request's facts.
 *
 *   path → lock-out → capacity → origin → subprotocol → credential → upgrade
 *
 * A refusal is an HTTP answer with a sentence that a firmware developer can act on. With an `upgrade` listener Node
 * answers nothing by itself, so every refusal here must be written and the socket ended.
 */
import { DEVICE_PATH, ECHO_SUBPROTOCOL, SUBPROTOCOL } from "@tidegate/proto";

export interface UpgradeFacts {
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
  /** The Sec-WebSocket-Protocol header. */
  readonly protocols: string | undefined;
}

export interface GateState {
  readonly testEcho: boolean;
  /** null: there is room. Else ms after which to come back, already spread so that a crowd does not return at once. */
  readonly comeBackInMs: number | null;
  /** This address has failed too often lately. */
  readonly lockedOut: boolean;
  /** The device of a bearer token; null when nobody has it. */
  readonly authenticate: (token: string) => string | null;
}

export type GateVerdict =
  | { readonly let: "device"; readonly device: string }
  | { readonly let: "echo" }
  | {
      readonly let: "none";
      readonly status: 400 | 401 | 403 | 404 | 429 | 503;
      readonly why: string;
      readonly retryAfterS?: number;
      /** A wrong credential: counts against the address. */
      readonly badCredential?: true;
    };

const LOCKED_OUT_RETRY_AFTER_S = 60;
/** Longer than any token we mint; hashing unbounded input for strangers would be a gift. */
const AUTHORIZATION_CHARS_MAX = 512;

/** Places free up slowly: come back after 5 to 15 s. */
const FULL_COME_BACK_MS = 10_000;

export interface AdmissionLimits {
  readonly linkCountMax: number;
  /** Links that have not said Hello yet. */
  readonly greetingCountMax: number;
  /** New connections let in per second (waiting-room.ts). */
  readonly perSecond: number;
}

/**
 * The waiting room counts before TLS; those who were in TLS meanwhile are counted here.
 *
 * @param unit uniform in [0, 1), for the spread.
 * @returns null: there is a place. Else ms after which to come back.
 */
export function comeBackMs(
  counts: { readonly links: number; readonly greeting: number },
  limits: AdmissionLimits,
  unit: number,
): number | null {
  const isFull = counts.links >= limits.linkCountMax || counts.greeting >= limits.greetingCountMax;
  return isFull ? FULL_COME_BACK_MS * (0.5 + unit) : null;
}

/** The verdict on one upgrade request. Hashes at most one token of bounded length. */
export function judgeUpgrade(facts: UpgradeFacts, gate: GateState): GateVerdict {
  if (facts.path !== DEVICE_PATH) {
    return { let: "none", status: 404, why: `devices connect to ${DEVICE_PATH}` };
  }
  if (gate.lockedOut) {
    const why = "too many wrong credentials from this address";
    return { let: "none", status: 429, why, retryAfterS: LOCKED_OUT_RETRY_AFTER_S };
  }
  if (gate.comeBackInMs !== null) {
    const retryAfterS = Math.max(1, Math.ceil(gate.comeBackInMs / 1000));
    return { let: "none", status: 503, why: "too many devices connect at once", retryAfterS };
  }
  if (!originAllowed(facts.origin, facts.host)) {
    return { let: "none", status: 403, why: "pages of other sites may not connect as a device" };
  }
  const offered = (facts.protocols ?? "").split(",").map((name) => name.trim());
  if (gate.testEcho && offered.includes(ECHO_SUBPROTOCOL)) return { let: "echo" };
  if (!offered.includes(SUBPROTOCOL)) {
    return { let: "none", status: 400, why: `ask for the subprotocol ${SUBPROTOCOL}` };
  }
  const token = bearer(facts.authorization);
  if (token === null) return { let: "none", status: 401, why: "send Authorization: Bearer <the device's token>" };
  const device = gate.authenticate(token);
  if (device !== null) return { let: "device", device };
  const why = "no device has this token; see tidegate device ls";
  return { let: "none", status: 401, why, badCredential: true };
}

/**
 * Devices send no Origin; a widespread Arduino client sends `file://`. A browser page of the gateway's own host is
 * fine, any other is somebody's web page using the visitor's network (PROTOCOL.md, Frames).
 */
function originAllowed(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || origin === "null" || origin === "file://") return true;
  try {
    return host !== undefined && new URL(origin).host === host.toLowerCase();
  } catch {
    return false;
  }
}

function bearer(header: string | undefined): string | null {
  if (header === undefined || header.length > AUTHORIZATION_CHARS_MAX) return null;
  const match = /^Bearer +([\x21-\x7e]+)$/i.exec(header);
  return match?.[1] ?? null;
}
