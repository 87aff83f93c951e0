/** What a device says about itself: the bodies of Hello and Heartbeat. Pure. */
import { PROTOCOL_VERSION, type UplinkBody } from "@tidegate/proto";
import type { LinkTraits } from "./links/link.js";
import type { OutboxMarks } from "./outbox-types.js";

/** Who the device is, as Hello says it. */
export interface Identity {
  readonly deviceId: string;
  readonly bootNonce: number;
  readonly firmware: string;
  readonly model: string;
  readonly sleepMs: number;
  /** The token's bytes; sent in Hello only over links that do not authenticate themselves. */
  readonly proof: Uint8Array;
  readonly catalogHash: number;
  readonly catalogParts: readonly Uint8Array[];
}

/** What changes between two Hellos. */
export interface HelloNow {
  readonly attempt: number;
  readonly uptimeMs: number;
  /** Highest command id taken. */
  readonly lastCommand: number;
  readonly outboxFrames: number;
}

const NO_PROOF = new Uint8Array(0);

/** The first message of a link. `traits` are those of the link it is sent on. */
export function helloBody(
  identity: Identity,
  marks: OutboxMarks,
  now: HelloNow,
  traits: LinkTraits | undefined,
): UplinkBody {
  const { catalogParts: _, proof, ...self } = identity;
  const { epoch, nextSeq, oldest, ackedSeq, closing } = marks;
  const hello = {
    protocol: PROTOCOL_VERSION,
    ...self,
    ...now,
    ...{ epoch, nextSeq, oldest, ackedSeq, closing },
    maxRxBytes: traits?.messageBytesMax ?? 0,
    proof: traits?.needsProof ? proof : NO_PROOF,
  };
  return { kind: "hello", hello };
}

/** Life, time, and what exists [P-12]. `ping`: the number of the ping it answers; 0: none. */
export function heartbeatBody(ping: number, { nextSeq, oldest }: OutboxMarks, uptimeMs: number): UplinkBody {
  return { kind: "heartbeat", heartbeat: { uptimeMs, unixMs: 0, ping, nextSeq, oldest } };
}
