/**
 * What may become of a command, as a pure function. `model/command.ts` draws the states.
 *
 * States never move back, final is final, and `unknown` may still become final when a late result arrives [P-19].
 * `expired` is said only of a command that was never transmitted, or by the device itself [P-16].
 */
import type { CommandEvent, CommandRecord, CommandState } from "../model/command.js";

export interface MachineNow {
  /** Wall clock, for `updatedUnixMs` only: it never decides anything. */
  readonly unixMs: number;
}

export type StepResult =
  | {
      readonly ok: true;
      readonly record: CommandRecord;
      /** The state is one that the requester is told about: final, or unknown. */
      readonly becameFinal: boolean;
      readonly changed: boolean;
    }
  /** The event does not fit the state; `why` is for the person who asked. */
  | { readonly ok: false; readonly why: string };

/** How far along a command is; an update may only move it forward. */
const RANK: Readonly<Record<CommandState, number>> = {
  queued: 0,
  sent: 1,
  received: 2,
  started: 3,
  unknown: 4,
  succeeded: 5,
  failed: 5,
  expired: 5,
  cancelled: 5,
};

/** True for states that nothing changes any more; `unknown` is not one of them. */
export function isFinal(state: CommandState): boolean {
  return RANK[state] === 5;
}

/** The state of a device's update, as the gateway shows it. */
const UPDATE_STATE = {
  received: "received",
  started: "started",
  succeeded: "succeeded",
  failed: "failed",
  expired: "expired",
  unsupported: "failed",
  interrupted: "unknown",
} as const;

/** What `event` makes of `record`. Pure; the caller stores the result before anybody sees it. */
export function step(record: CommandRecord, event: CommandEvent, now: MachineNow): StepResult {
  if (isFinal(record.state)) return final(record, event);
  switch (event.type) {
    case "dispatch":
      return dispatch(record, event.wireId, event.epoch, now);
    case "update":
      return update(record, event, now);
    case "deadline":
      return record.state === "queued" && record.transmissions === 0
        ? move(record, "expired", now, { error: "the deadline passed before the device could be reached" })
        : move(record, "unknown", now, { error: "no result came before the deadline" });
    case "tooLate":
      return tooLate(record, now);
    case "cancel":
      return record.state === "queued" && record.transmissions === 0
        ? move(record, "cancelled", now, {})
        : { ok: false, why: `the command is ${record.state}: the device may already act on it` };
    case "deviceForgot":
      return deviceForgot(record, now);
    case "void":
      return record.state === "queued" && record.transmissions === 0
        ? move(record, "cancelled", now, { error: event.why })
        : move(record, "unknown", now, { error: event.why });
  }
}

function final(record: CommandRecord, event: CommandEvent): StepResult {
  if (event.type === "cancel") return { ok: false, why: `the command is ${record.state}` };
  if (event.type === "dispatch") return { ok: false, why: `the command is ${record.state}` };
  // Late updates and timers meet a command that is done: nothing to tell anybody.
  return { ok: true, record, becameFinal: false, changed: false };
}

function dispatch(record: CommandRecord, wireId: number, epoch: number, now: MachineNow): StepResult {
  if (record.state !== "queued" && record.state !== "sent") {
    return { ok: false, why: `the command is ${record.state}` };
  }
  return move(record, "sent", now, { wireId, wireEpoch: epoch, transmissions: record.transmissions + 1 });
}

/** Written as sent and then not transmitted: `expired` is certain when it never was before [P-16]. */
function tooLate(record: CommandRecord, now: MachineNow): StepResult {
  if (record.state !== "sent" || record.transmissions !== 1) {
    return { ok: true, record, becameFinal: false, changed: false };
  }
  return move(record, "expired", now, { error: "the deadline passed before it could be transmitted" });
}

function update(record: CommandRecord, event: Extract<CommandEvent, { type: "update" }>, now: MachineNow): StepResult {
  const state = UPDATE_STATE[event.state];
  // A repeat, or an earlier step that comes late, changes nothing [P-19].
  if (RANK[state] <= RANK[record.state]) return { ok: true, record, becameFinal: false, changed: false };
  const error =
    event.error ??
    (event.state === "unsupported"
      ? "the device does not know this command"
      : event.state === "interrupted"
        ? "the device restarted while it ran the command"
        : null);
  return move(record, state, now, { result: event.result, error });
}

/** The device lost the memory it had when the command was sent [P-18]. */
function deviceForgot(record: CommandRecord, now: MachineNow): StepResult {
  if (record.state === "queued" || record.state === "unknown") {
    return { ok: true, record, becameFinal: false, changed: false };
  }
  if (record.delivery === "atMostOnce") {
    return move(record, "unknown", now, { error: "the device restarted after the command was sent" });
  }
  // At least once: sent again under a fresh id. The only way back, and only because the command is idempotent.
  return {
    ok: true,
    record: { ...record, state: "queued", updatedUnixMs: now.unixMs },
    becameFinal: false,
    changed: true,
  };
}

function move(
  record: CommandRecord,
  state: CommandState,
  now: MachineNow,
  changes: Partial<Pick<CommandRecord, "wireId" | "wireEpoch" | "transmissions" | "result" | "error">>,
): StepResult {
  const becameFinal = isFinal(state) || (state === "unknown" && record.state !== "unknown");
  return {
    ok: true,
    record: { ...record, ...changes, state, updatedUnixMs: now.unixMs },
    becameFinal,
    changed: state !== record.state || state === "sent",
  };
}
