/**
 * The commands of one device on their way, and whose turn it is.
 *
 *   steps: [reconcile] ─▶ [dispatch] ─▶ …      one after another: the order of a device's commands is that of its steps
 */
import type { CommandRecord } from "../model/command.js";
import { isFinal } from "./command-machine.js";

/** A live session as the dispatcher needs it. */
export interface DispatchChannel {
  readonly device: string;
  readonly epoch: number;
  readonly lastCommand: number;
  readonly lastWireId: number;
  /** On a link that loses messages: transmit again what was not received after so long, in ms. 0 elsewhere. */
  readonly repeatAfterMs: number;
  /** Can the device receive it? */
  fits(command: { name: string; args: Uint8Array }): boolean;
  deadlineUptime(deadlineMonoMs: number): number | null;
  sendCommand(command: {
    id: number;
    name: string;
    args: Uint8Array;
    deadlineUptimeMs: number;
    atMostOnce: boolean;
  }): void;
}

/** Owned by the dispatcher, which changes it. */
export interface Lane {
  readonly device: string;
  /** Unfinished commands of one device, oldest first. */
  commands: CommandRecord[];
  channel: DispatchChannel | null;
  nextWireId: number;
  /** When the last command went out. */
  transmittedMonoMs: number;
  /** Commands that are being made to wait here: nothing newer may overtake them. */
  makingCount: number;
  /** What last ended every command here; one that was being made then must not outlive it. */
  ended: { readonly why: string } | null;
  tail: Promise<void>;
  stepCount: number;
}

/** A lane without anything in it. */
export function emptyLane(device: string): Lane {
  return {
    device,
    commands: [],
    channel: null,
    nextWireId: 1,
    transmittedMonoMs: 0,
    makingCount: 0,
    ended: null,
    tail: DONE,
    stepCount: 0,
  };
}

/** Where every lane's steps begin. */
const DONE: Promise<void> = Promise.resolve();

/** Nothing is here, nor will be by itself. */
export function isAbandoned(lane: Lane): boolean {
  return lane.commands.length + lane.makingCount + lane.stepCount === 0 && lane.channel === null;
}

/** Would a command that is made now be the next to go out, and at once [P-19]? */
export function isFree(lane: Lane): boolean {
  const isWaiting = lane.commands.some(({ state }) => state === "queued" || state === "sent");
  return !isWaiting && lane.makingCount + lane.stepCount === 0;
}

/** Nothing is left to do here: final, or unknown, which only a late result of the device can change. */
export function isSettled(record: CommandRecord): boolean {
  return isFinal(record.state) || record.state === "unknown";
}
