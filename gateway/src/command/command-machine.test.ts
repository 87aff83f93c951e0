/** The command machine against rules [P-16] to [P-20]: every state, every event. */
import { describe, expect, it } from "vitest";
import type { CommandEvent, CommandRecord, CommandState } from "../model/command.js";
import { COMMAND_STATES } from "../model/command.js";
import { isFinal, step } from "./command-machine.js";

const NOW = { unixMs: 5 };

function record(state: CommandState, changes: Partial<CommandRecord> = {}): CommandRecord {
  return {
    commandId: "cmd_0000000000000000000000",
    device: "pump-7",
    name: "fan",
    args: "null",
    delivery: "atMostOnce",
    state,
    source: "api",
    ttlMs: 60_000,
    createdUnixMs: 1,
    deadlineMonoMs: 60_000,
    bootId: "boot",
    wireId: state === "queued" ? 0 : 4,
    wireEpoch: state === "queued" ? 0 : 77,
    transmissions: state === "queued" ? 0 : 1,
    updatedUnixMs: 1,
    result: null,
    error: null,
    idempotencyKey: null,
    responseTopic: null,
    correlation: null,
    ...changes,
  };
}

function stateAfter(from: CommandRecord, event: CommandEvent): CommandState | "refused" {
  const result = step(from, event, NOW);
  return result.ok ? result.record.state : "refused";
}

const update = (state: Extract<CommandEvent, { type: "update" }>["state"]): CommandEvent => ({
  type: "update",
  state,
  result: null,
  error: null,
});

const EVENTS: CommandEvent[] = [
  { type: "dispatch", wireId: 9, epoch: 78 },
  update("received"),
  update("started"),
  update("succeeded"),
  update("failed"),
  update("expired"),
  update("unsupported"),
  update("interrupted"),
  { type: "deadline" },
  { type: "tooLate" },
  { type: "cancel" },
  { type: "deviceForgot" },
  { type: "void", why: "revoked" },
];

describe("the command machine", () => {
  it("walks the plain way: queued, sent, received, started, succeeded", () => {
    let now = record("queued");
    const seen: string[] = [];
    for (const event of [EVENTS[0], update("received"), update("started"), update("succeeded")]) {
      if (event === undefined) continue;
      const next = step(now, event, NOW);
      if (!next.ok) throw new Error(next.why);
      now = next.record;
      seen.push(`${now.state}${next.becameFinal ? "!" : ""}`);
    }
    expect(seen).toEqual(["sent", "received", "started", "succeeded!"]);
  });

  it("[P-19] never leaves a final state, whatever happens", () => {
    for (const state of COMMAND_STATES.filter(isFinal)) {
      for (const event of EVENTS) {
        const result = step(record(state), event, NOW);
        if (result.ok) {
          expect(result.record.state, `${state} ${event.type}`).toBe(state);
          expect(result.becameFinal).toBe(false);
        }
      }
    }
  });

  it("[P-19] never moves back, except an idempotent command whose device forgot it", () => {
    const rank = (s: CommandState) => ["queued", "sent", "received", "started", "unknown"].indexOf(s);
    for (const state of COMMAND_STATES.filter((s) => !isFinal(s))) {
      for (const event of EVENTS) {
        const result = step(record(state), event, NOW);
        if (result.ok && !isFinal(result.record.state)) {
          expect(rank(result.record.state), `${state} ${event.type}`).toBeGreaterThanOrEqual(rank(state));
        }
      }
    }
  });

  it("[P-16] says expired only of a command that was never transmitted, or when the device says it", () => {
    expect(stateAfter(record("queued"), { type: "deadline" })).toBe("expired");
    expect(stateAfter(record("sent"), { type: "deadline" })).toBe("unknown");
    expect(stateAfter(record("started"), { type: "deadline" })).toBe("unknown");
    expect(stateAfter(record("queued", { transmissions: 1 }), { type: "deadline" })).toBe("unknown");
    expect(stateAfter(record("sent"), update("expired"))).toBe("expired");
  });

  it("[P-16] says expired of what was written as sent and not transmitted, unless an earlier id of it was", () => {
    expect(stateAfter(record("sent"), { type: "tooLate" })).toBe("expired");
    expect(stateAfter(record("sent", { transmissions: 2 }), { type: "tooLate" })).toBe("sent");
    expect(stateAfter(record("received"), { type: "tooLate" })).toBe("received");
  });

  it("[P-18] never sends an at-most-once command again after the device forgot it", () => {
    expect(stateAfter(record("sent"), { type: "deviceForgot" })).toBe("unknown");
    expect(stateAfter(record("started"), { type: "deviceForgot" })).toBe("unknown");
    expect(stateAfter(record("sent", { delivery: "atLeastOnce" }), { type: "deviceForgot" })).toBe("queued");
  });

  it("[P-19] lets a late result turn unknown into what really happened", () => {
    expect(stateAfter(record("unknown"), update("succeeded"))).toBe("succeeded");
    expect(stateAfter(record("unknown"), update("started"))).toBe("unknown");
  });

  it("[P-19] calls a command interrupted by a restart unknown", () => {
    expect(stateAfter(record("started"), update("interrupted"))).toBe("unknown");
  });

  it("cancels only what was never transmitted, and says why otherwise", () => {
    expect(stateAfter(record("queued"), { type: "cancel" })).toBe("cancelled");
    expect(stateAfter(record("sent"), { type: "cancel" })).toBe("refused");
    expect(stateAfter(record("queued", { transmissions: 1 }), { type: "cancel" })).toBe("refused");
  });

  it("[P-20] voids: cancelled when never transmitted, unknown otherwise", () => {
    expect(stateAfter(record("queued"), { type: "void", why: "restored" })).toBe("cancelled");
    expect(stateAfter(record("received"), { type: "void", why: "restored" })).toBe("unknown");
  });

  it("tells the requester exactly once when a command is done", () => {
    const done = step(record("started"), update("failed"), NOW);
    expect(done.ok && done.becameFinal).toBe(true);
    const again = step(record("failed"), update("failed"), NOW);
    expect(again.ok && again.becameFinal).toBe(false);
  });
});
