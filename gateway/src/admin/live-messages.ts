/**
 * The messages of the live feed, one JSON object per WebSocket message or SSE `data:` line, gateway to viewer only.
 *
 *   hello ─▶ events (replay) ─▶ events · presence · commands · status · beat …      in step
 *                            └▶ latest (conflated:true) ─▶ events …                 after falling behind
 *
 * The offset of the feed is the record id, valid for one `store`. docs/live-feed.md says the same for users.
 */
import type { LiveEvent, LiveReading } from "../model/spool.js";
import type { CommandView, StatusView } from "./api-schemas.js";

export type LiveMessage =
  | HelloMessage
  | EventsMessage
  | LatestMessage
  | PresenceMessage
  | CommandsMessage
  | StatusMessage
  | BeatMessage;

/** The first message of every connection. */
export interface HelloMessage {
  readonly type: "hello";
  readonly gateway: string;
  readonly version: string;
  /** Name of this incarnation of the store: send it back as `store=` when you reconnect. */
  readonly store: string;
  /** Newest record the feed has looked at; `events` after this message go on behind it, or behind `after`. */
  readonly id: number;
  /** True: everything after `after` follows, nothing is missing. False: fetch what you need from the API. */
  readonly recovered: boolean;
}

/** What was stored, in order of record id. */
export interface EventsMessage {
  readonly type: "events";
  /** Everything up to this record was looked at: the offset to resume from. */
  readonly id: number;
  readonly events: readonly LiveEvent[];
  /** Records before these were left out because the feed could not keep up with the intake. */
  readonly conflated?: true;
}

/** For a viewer that fell behind: the newest value of every signal that changed meanwhile. */
export interface LatestMessage {
  readonly type: "latest";
  readonly id: number;
  readonly conflated: true;
  readonly devices: readonly { readonly device: string; readonly readings: readonly LiveReading[] }[];
}

export interface PresenceMessage {
  readonly type: "presence";
  readonly devices: readonly PresenceChange[];
}

export interface PresenceChange {
  readonly device: string;
  readonly online: boolean;
  readonly presence: "online" | "offline" | "sleeping";
  /** ISO 8601, or null. */
  readonly lastSeen: string | null;
  readonly connectedSince: string | null;
  readonly remote: string | null;
}

/** Commands whose state changed, newest state only. */
export interface CommandsMessage {
  readonly type: "commands";
  readonly commands: readonly CommandView[];
}

/** The status page, every two seconds while somebody looks. */
export interface StatusMessage {
  readonly type: "status";
  readonly status: StatusView;
}

/** A sign of life, so that a dead connection is noticed. */
export interface BeatMessage {
  readonly type: "beat";
  readonly id: number;
  readonly unixMs: number;
}
