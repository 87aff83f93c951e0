/** What a device tells its application. `device.on("online", ({ epoch }) => …)` */
import type { DeviceError } from "./errors.js";

/** What a device tells its application: event name and its arguments. */
export interface DeviceEvents {
  /** A session is up. `gatewayUnixMs` is the gateway's clock at that moment. */
  online: [{ readonly epoch: number; readonly gatewayUnixMs: number }];
  /** The session or the attempt ended; the next attempt comes in `retryInMs`. */
  offline: [{ readonly detail: string; readonly retryInMs: number }];
  /** The gateway does not want this device; it looks again in `retryInMs` (about an hour). */
  refused: [{ readonly detail: string; readonly retryInMs: number }];
  /** The outbox was full and the oldest went; the gateway lists it under gaps. */
  dropped: [{ readonly messages: number; readonly samples: number }];
  /** Everything up to `seq` of `epoch` is on disk at the gateway. */
  acked: [{ readonly epoch: number; readonly seq: number; readonly messages: number; readonly samples: number }];
  /** Something needs attention, and the device goes on. See `ERROR_CODES`. */
  error: [DeviceError];
}

/** Counters since construction, and how things stand. */
export interface DeviceStats {
  readonly state: DeviceState;
  readonly epoch: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly inFlight: number;
  readonly samplesReported: number;
  readonly messagesAcked: number;
  readonly samplesAcked: number;
  readonly messagesDropped: number;
  readonly samplesDropped: number;
  readonly messagesRepeated: number;
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly framesBad: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly sessions: number;
  readonly linkAttempts: number;
  readonly commandsIgnored: number;
  /** Transactions on the outbox file; 0 without one. */
  readonly outboxSaves: number;
}

/** Where a device stands: `waiting` is backoff, `refused` is a refusal that only an operator can end. */
export type DeviceState = "idle" | "connecting" | "greeting" | "online" | "waiting" | "refused" | "stopped";
