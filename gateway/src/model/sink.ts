/**
 * A northbound destination, as the pump and the rest of the gateway see it.
 *
 *   spool ──rendered slices──▶ pump ──offer──▶ sink ──▶ broker
 *                               ▲                │
 *                               └──taken(upTo)───┘  cursor moves, never before the broker's ack
 */
export type SinkState = "connecting" | "up" | "backingOff" | "blocked" | "paused" | "stopped";

/** One sink right now; counts are since the gateway started. */
export interface SinkStatus {
  readonly name: string;
  readonly type: "mqtt";
  readonly state: SinkState;
  /** Where it sends to, without credentials. */
  readonly target: string;
  /** The last failure in plain words; null when none since it came up. */
  readonly lastError: { readonly code: string; readonly why: string; readonly fix: string } | null;
  /** Until it tries again by itself, in ms; null unless it waits for that. */
  readonly retryInMs: number | null;
  readonly connectedSinceUnixMs: number | null;
  readonly deliveredCount: number;
  readonly inFlightCount: number;
  readonly quarantinedCount: number;
  readonly reconnectCount: number;
  /** What was negotiated, e.g. `MQTT 5`, `MQTT 3.1.1`. */
  readonly protocol: string | null;
}
