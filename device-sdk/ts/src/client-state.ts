/**
 * The words of the client machine: its states, what happens to it, and what it asks for. The rules are in
 * `client-machine.ts`; the C edition has the same states in the same order.
 *
 *   idle ─start─▶ connecting ─opened─▶ greeting ─welcome─▶ online
 *                   ▲   │closed           │closed, no answer  │closed, bye, silent
 *                   │   ▼                 ▼                   ▼
 *                   └─ waiting ◀──────────┴───────────────────┘
 *                   └─ refused (advice `never`; looks again after an hour)          any ─stop─▶ stopped
 */
import type { Command, DownlinkBody, Reason } from "@tidegate/proto";
import type { LinkClosed } from "./links/link.js";
import type { OutboxMarks } from "./outbox-types.js";

/** Where a client stands on its way to a session; all times are of the monotonic clock, in ms. */
export type Phase =
  | { readonly name: "idle" }
  | { readonly name: "connecting"; readonly sinceMs: number }
  /** Hello is out. `hellos`: how many on this link; the next one at `retryAtMs`. */
  | { readonly name: "greeting"; readonly sinceMs: number; readonly hellos: number; readonly retryAtMs: number }
  | OnlinePhase
  | { readonly name: "waiting"; readonly untilMs: number }
  | { readonly name: "refused"; readonly untilMs: number }
  | { readonly name: "stopped" };

/** A session: Welcome has come. Times in ms of the monotonic clock. */
export interface OnlinePhase {
  readonly name: "online";
  readonly sinceMs: number;
  readonly keepaliveMs: number;
  /** Unacked messages allowed in flight; 0: paused. */
  readonly window: number;
  readonly messageBytesMax: number;
  /** Nothing reliable goes out before this instant, after a Nack. */
  readonly holdUntilMs: number;
  /** The last Nack that was obeyed: for a while, more of the same are its echoes. */
  readonly nacked: { readonly expected: number; readonly atMs: number };
  /** When the unacked tail was last sent again (links that lose frames). */
  readonly repeatedAtMs: number;
}

/** Everything the client machine remembers; a value, never changed in place. */
export interface ClientState {
  readonly phase: Phase;
  /** Hellos of this boot; only the answer to the latest counts [P-5]. */
  readonly attempt: number;
  /** Failed sessions in a row; back to 0 once one stayed up [P-21]. */
  readonly failures: number;
}

/** What can happen to a client. */
export type ClientEvent =
  | { readonly type: "start" }
  | { readonly type: "stop" }
  | { readonly type: "linkOpened" }
  | { readonly type: "linkClosed"; readonly closed: LinkClosed }
  | { readonly type: "downlink"; readonly body: DownlinkBody }
  /** The gateway sent something that is no message: what it means cannot be guessed [P-29]. */
  | { readonly type: "badFrame"; readonly detail: string }
  /** The store could not put the new epoch on disk: without it nothing may be sent under it [P-9]. */
  | { readonly type: "epochNotSaved"; readonly detail: string }
  /** Time passed, or the outbox changed. */
  | { readonly type: "tick" };

/** What the shell is to do, in this order. */
export type ClientEffect =
  | { readonly do: "openLink" }
  /** In order (`reason`), or at once (`abort`) when the peer no longer answers. */
  | { readonly do: "closeLink"; readonly reason: Reason }
  | { readonly do: "abortLink" }
  | { readonly do: "hello"; readonly attempt: number }
  | { readonly do: "heartbeat"; readonly ping: number }
  | { readonly do: "bye"; readonly reason: Reason }
  | { readonly do: "adopt"; readonly epoch: number; readonly ackedSeq: number }
  | { readonly do: "release"; readonly seq: number }
  | { readonly do: "rewind"; readonly seq: number }
  | { readonly do: "repeatUnacked" }
  | { readonly do: "rotate" }
  | { readonly do: "leaveEpoch" }
  | { readonly do: "offerCatalog" }
  | { readonly do: "command"; readonly command: Command }
  | { readonly do: "announce"; readonly news: News };

/** What the application is told. */
export type News =
  | { readonly kind: "online"; readonly epoch: number; readonly gatewayUnixMs: number }
  | { readonly kind: "offline"; readonly detail: string; readonly retryInMs: number }
  | { readonly kind: "refused"; readonly detail: string; readonly retryInMs: number }
  | { readonly kind: "untrusted"; readonly detail: string };

/** Everything `step` may look at beside state and event. */
export interface Surroundings {
  readonly nowMs: number;
  readonly bootNonce: number;
  /** Chance in [0, 1), fresh for this step. */
  readonly unit: number;
  readonly marks: OutboxMarks;
  readonly traffic: Traffic;
  readonly limits: ClientLimits;
  readonly link: LinkLimits;
}

/** When something last went over the link; numbers the shell keeps, so that no state is made per message. */
export interface Traffic {
  readonly heardAtMs: number;
  readonly sentAtMs: number;
  /** The last ack that freed something, or the last time the window was empty. */
  readonly progressAtMs: number;
}

/** What the link of the moment asks for; see `LinkTraits`. */
export interface LinkLimits {
  readonly messageBytesMax: number;
  readonly helloRetryMs: number;
  readonly retransmitMs: number;
}

/** Times and bounds of a session; all in ms unless the name says otherwise. */
export interface ClientLimits {
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** A session that lasted so long resets the backoff, in ms. */
  readonly stableAfterMs: number;
  readonly openTimeoutMs: number;
  readonly greetingTimeoutMs: number;
  readonly helloRetryMsMax: number;
  readonly recheckMs: number;
  readonly keepaliveMsMin: number;
  readonly keepaliveMsMax: number;
  readonly keepaliveMsDefault: number;
  readonly windowMax: number;
  /** How long repetitions of an obeyed Nack are taken for echoes of frames that were under way, in ms. */
  readonly nackEchoMs: number;
}

/** What one event leads to. */
export interface Step {
  readonly state: ClientState;
  readonly effects: readonly ClientEffect[];
}
