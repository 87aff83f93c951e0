/**
 * What the SDK needs from a way to the gateway: whole messages in both directions, and an honest end.
 *
 *   connect() ──▶ opened ──▶ frame · writable … ──▶ closed      at most one `opened`, exactly one `closed`
 *       └──────────────────────────────────────────▶ closed
 *
 * A link never calls its events from inside `connect`, `send`, `close` or `abort`. After `abort` it calls none.
 * `ws-link.ts` is the one for wss; a serial link implements the same.
 */

import type { Reason } from "@tidegate/proto";

/** Why a link ended, as the client machine needs to know it. */
export interface LinkClosed {
  /**
   * `lost` the link broke or could not be opened · `refused` the gateway rejects the credential (401, 403) ·
   * `busy` the gateway asks to come back later (503) · `untrusted` the peer could not prove that it is the gateway.
   */
  readonly kind: "lost" | "refused" | "busy" | "untrusted";
  /** What the close code stood for, for a gateway whose Bye did not arrive; UNSPECIFIED otherwise [P-31]. */
  readonly reason: Reason;
  /** One line for people. */
  readonly detail: string;
  /** What the gateway asked for, in ms; 0: nothing. */
  readonly retryAfterMs: number;
}

/** What a link reports. */
export interface LinkEvents {
  opened(): void;
  /** One whole message. The bytes belong to the receiver from here on. */
  frame(bytes: Uint8Array): void;
  /** There is room again after `writable` was false. */
  writable(): void;
  closed(closed: LinkClosed): void;
}

/** One transport lifetime, as the connection uses it. */
export interface Link {
  /** Properties that shape the session on this kind of link. */
  readonly traits: LinkTraits;
  /** Whether there is room for another frame. When it turns true again, `writable` is called. */
  readonly writable: boolean;
  /** Hand over one message. Refused (false) when the link is not open or its buffer is full. */
  send(frame: Uint8Array): boolean;
  /** End in order: what was sent still goes out. `code` is a WebSocket close code, ignored elsewhere. */
  close(code: number): void;
  /** End at once, for a peer that no longer answers. No event follows. */
  abort(): void;
}

/** What a kind of link needs of the protocol. */
export interface LinkTraits {
  /** Largest message in bytes, either way. */
  readonly messageBytesMax: number;
  /** Wait before the first repetition of an unanswered Hello, in ms; it doubles [P-11]. */
  readonly helloRetryMs: number;
  /** Repeat the unacked tail when no ack came for so long, in ms; 0 on links that lose nothing (TCP) [P-11]. */
  readonly retransmitMs: number;
  /** The link itself does not authenticate: Hello carries the token [P-11]. */
  readonly needsProof: boolean;
}

/** Opens a link. Called once per attempt. */
export type Connect = (events: LinkEvents) => Link;
