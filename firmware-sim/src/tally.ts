/** What became of a device's messages, over all its boots. Pure sums. */
import type { DeviceStats } from "@tidegate/device-sdk";

/** Counts in messages: a message is what has an id (device, epoch, seq). */
export interface Tally {
  /** Readings taken. */
  readonly readings: number;
  /** Different ids that went out at least once. */
  readonly sent: number;
  /** Sent once more under an id they had. */
  readonly repeated: number;
  readonly acked: number;
  /** Waiting in an outbox now. */
  readonly buffered: number;
  /** Evicted from a full outbox; the gateway lists them under gaps. */
  readonly dropped: number;
  /** Gone with the memory of a device that rebooted; the gateway lists them as open ends. */
  readonly lostByReboot: number;
  readonly sessions: number;
  /** Sessions after the first of each device. */
  readonly reconnects: number;
  readonly reboots: number;
  readonly commands: number;
}

/** Nothing happened yet; the neutral element of `addTally`. */
export const NO_TALLY: Tally = {
  readings: 0,
  sent: 0,
  repeated: 0,
  acked: 0,
  buffered: 0,
  dropped: 0,
  lostByReboot: 0,
  sessions: 0,
  reconnects: 0,
  reboots: 0,
  commands: 0,
};

/** Two tallies together. */
export function addTally(a: Tally, b: Tally): Tally {
  return {
    readings: a.readings + b.readings,
    sent: a.sent + b.sent,
    repeated: a.repeated + b.repeated,
    acked: a.acked + b.acked,
    buffered: a.buffered + b.buffered,
    dropped: a.dropped + b.dropped,
    lostByReboot: a.lostByReboot + b.lostByReboot,
    sessions: a.sessions + b.sessions,
    reconnects: a.reconnects + b.reconnects,
    reboots: a.reboots + b.reboots,
    commands: a.commands + b.commands,
  };
}

/** What one boot counted. `sent`, `lostByReboot`, `reconnects`, `reboots` and `commands` belong to its owner. */
export function tallyOfBoot(stats: DeviceStats): Tally {
  return {
    ...NO_TALLY,
    readings: stats.samplesReported,
    repeated: stats.messagesRepeated,
    acked: stats.messagesAcked,
    buffered: stats.queuedMessages,
    dropped: stats.messagesDropped,
    sessions: stats.sessions,
  };
}
