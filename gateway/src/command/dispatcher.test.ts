/** The dispatcher against rules [P-15] to [P-19], on a manual clock and a store in memory. */
import { beforeEach, describe, expect, it } from "vitest";
import { GatewayError } from "../core/errors.js";
import { SILENT } from "../core/log.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import type { CommandEvent, CommandRecord, CreateOutcome, Delivery, NewCommand, SendOffer } from "../model/command.js";
import { step } from "./command-machine.js";
import { ANSWER_GRACE_MS, type DispatchChannel, Dispatcher } from "./dispatcher.js";

let clock: ManualClock;
let records: Map<string, CommandRecord>;
let dispatcher: Dispatcher;
let sent: { id: number; name: string; deadlineUptimeMs: number; stored: string | undefined }[];
/** What was asked of the store, in order. */
let storeCalls: string[];
/** What the store does before it answers a new command. */
let whileCreating: () => void | Promise<void>;

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Let time pass in sweeps, each with its store calls. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(250, left));
    await settle();
  }
}

beforeEach(() => {
  clock = new ManualClock();
  records = new Map();
  sent = [];
  storeCalls = [];
  whileCreating = () => {};
  dispatcher = new Dispatcher({
    store: { create, apply: (id, event) => apply(id, event) },
    clock,
    log: SILENT,
    bootId: "boot-1",
    changed: () => {},
  });
});

async function apply(commandId: string, event: CommandEvent): Promise<CommandRecord> {
  const record = records.get(commandId);
  if (record === undefined) throw new GatewayError("E_COMMAND_UNKNOWN", commandId);
  const result = step(record, event, { unixMs: 0 });
  if (!result.ok) throw new GatewayError("E_COMMAND_STATE", result.why);
  records.set(commandId, result.record);
  storeCalls.push(`${record.name} ${event.type}`);
  return result.record;
}

/** As the book does it: the key's first command, a limit, or a new record, sent at once where there is an offer. */
async function create(request: NewCommand, offer: SendOffer | null): Promise<CreateOutcome> {
  storeCalls.push(`${request.name} create${offer === null ? "" : " and send"}`);
  await whileCreating();
  const first = [...records.values()].find((known) => known.idempotencyKey === (request.idempotencyKey ?? "none"));
  if (first !== undefined) return { command: first, repeated: true };
  if (request.name === "refused") throw new GatewayError("E_COMMAND_LIMIT", "too many");
  let record = recordOf(request.name, request);
  if (offer !== null) {
    const result = step(record, { type: "dispatch", ...offer }, { unixMs: 0 });
    if (result.ok) record = result.record;
  }
  records.set(record.commandId, record);
  return { command: record, repeated: false };
}

function recordOf(name: string, fields: Partial<CommandRecord> = {}): CommandRecord {
  const ttlMs = fields.ttlMs ?? 60_000;
  return {
    commandId: `cmd_${name}`,
    device: "pump-7",
    name,
    args: "null",
    delivery: "atMostOnce",
    state: "queued",
    source: "api",
    ttlMs,
    createdUnixMs: 0,
    deadlineMonoMs: clock.monoMs() + ttlMs,
    bootId: "boot-1",
    wireId: 0,
    wireEpoch: 0,
    transmissions: 0,
    updatedUnixMs: 0,
    result: null,
    error: null,
    idempotencyKey: null,
    responseTopic: null,
    correlation: null,
    ...fields,
  };
}

/** One that is stored already, as at a start. */
function add(name: string, fields: { delivery?: Delivery; ttlMs?: number; bootId?: string } = {}): void {
  const record = recordOf(name, fields);
  records.set(record.commandId, record);
  dispatcher.add(record);
}

/** Somebody asks for one. */
function ask(name: string, fields: Partial<NewCommand> = {}): Promise<CreateOutcome> {
  return dispatcher.create({ ...recordOf(name), ...fields });
}

function channel(changes: Partial<DispatchChannel> = {}): DispatchChannel {
  return {
    device: "pump-7",
    epoch: 7,
    lastCommand: 0,
    lastWireId: 0,
    deadlineUptime: (deadline) => Math.max(0, deadline - clock.monoMs()),
    repeatAfterMs: 0,
    fits: () => true,
    sendCommand: (command) => {
      const stored = [...records.values()].find((record) => record.wireId === command.id)?.state;
      sent.push({ id: command.id, name: command.name, deadlineUptimeMs: command.deadlineUptimeMs, stored });
    },
    ...changes,
  };
}

/** The device reported a state; the store applied it and the dispatcher hears of it. */
async function reported(name: string, state: "received" | "started" | "succeeded"): Promise<void> {
  dispatcher.updated(await apply(`cmd_${name}`, { type: "update", state, result: null, error: null }));
  await settle();
}

const state = (name: string) => records.get(`cmd_${name}`)?.state;

describe("the dispatcher", () => {
  it("[P-15] makes sent durable before it transmits, with ids above everything known", async () => {
    dispatcher.ready(channel({ lastCommand: 4, lastWireId: 9 }));
    add("fan");
    await settle();
    expect(sent).toEqual([{ id: 10, name: "fan", deadlineUptimeMs: 60_000, stored: "sent" }]);
  });

  it("[P-19] sends the next command only when the one before was received, in order", async () => {
    dispatcher.ready(channel());
    for (const name of ["a", "b", "c"]) add(name);
    await settle();
    expect(sent.map((s) => s.name)).toEqual(["a"]);
    await reported("a", "received");
    expect(sent.map((s) => s.name)).toEqual(["a", "b"]);
    await reported("a", "succeeded");
    await reported("b", "received");
    expect(sent.map((s) => s.name)).toEqual(["a", "b", "c"]);
    expect(sent.map((s) => s.id)).toEqual([1, 2, 3]);
  });

  it("ends a command whose device stays away as expired, and never sends it late", async () => {
    add("fan", { ttlMs: 1000 });
    await pass(1250);
    expect(state("fan")).toBe("expired");
    dispatcher.ready(channel());
    await settle();
    expect(sent).toEqual([]);
  });

  it("expires a command of an earlier boot of the machine: its time cannot be known", async () => {
    add("fan", { ttlMs: 86_400_000, bootId: "boot-0" });
    dispatcher.ready(channel());
    await settle();
    await pass(250);
    expect(state("fan")).toBe("expired");
    expect(sent).toEqual([]);
  });

  it("[P-16] does not send again what was sent in an earlier boot: its deadline is on a clock that is gone", async () => {
    const record = recordOf("fan", { bootId: "boot-0" });
    const wasSent: CommandRecord = { ...record, state: "sent", wireId: 1, wireEpoch: 7, transmissions: 1 };
    records.set(wasSent.commandId, wasSent);
    dispatcher.add(wasSent);
    dispatcher.ready(channel({ repeatAfterMs: 2_000 }));
    await settle();
    await pass(5_000);
    expect(sent).toEqual([]);
    expect(state("fan")).toBe("unknown");
  });

  it("does not expire by the wall clock", async () => {
    add("fan", { ttlMs: 1000 });
    clock.jumpUnix(86_400_000);
    await pass(500);
    expect(state("fan")).toBe("queued");
  });

  it("[P-16] calls a transmitted command without an answer unknown, after its deadline and a grace", async () => {
    dispatcher.ready(channel());
    add("fan", { ttlMs: 1000 });
    await settle();
    await pass(1000 + ANSWER_GRACE_MS - 500);
    expect(state("fan")).toBe("sent");
    await pass(750);
    expect(state("fan")).toBe("unknown");
  });

  it("[P-11] repeats an unreceived command under its id on a line that loses messages, until it was received", async () => {
    dispatcher.ready(channel({ repeatAfterMs: 2_000 }));
    add("fan", { ttlMs: 60_000 });
    await settle();
    await pass(4_500);
    expect(sent.map((s) => s.id)).toEqual([1, 1, 1]);
    await reported("fan", "received");
    await pass(10_000);
    expect(sent).toHaveLength(3);
  });

  it("ends a command that the device has no room to receive, says why, and goes on with the next", async () => {
    dispatcher.ready(channel({ fits: ({ name }) => name !== "huge" }));
    add("huge");
    add("fan");
    await pass(500);
    expect(state("huge")).toBe("cancelled");
    expect(records.get("cmd_huge")?.error).toMatch(/larger than the largest message/);
    expect(sent.map((s) => s.name)).toEqual(["fan"]);
  });

  it("[P-18] sends the same id again when the link died before the device had it", async () => {
    const first = channel();
    dispatcher.ready(first);
    add("fan");
    await settle();
    dispatcher.lost(first);
    dispatcher.ready(channel({ lastCommand: 0 }));
    await settle();
    expect(sent.map((s) => s.id)).toEqual([1, 1]);
  });

  it("[P-18] does not send again what the device says it has", async () => {
    dispatcher.ready(channel());
    add("fan");
    await settle();
    dispatcher.ready(channel({ lastCommand: 1 }));
    await settle();
    expect(sent.map((s) => s.id)).toEqual([1]);
    expect(state("fan")).toBe("sent");
  });

  it("[P-18] leaves a command that the device reported as started alone while its memory lasts", async () => {
    dispatcher.ready(channel());
    add("fan", { delivery: "atLeastOnce" });
    await settle();
    await reported("fan", "started");
    dispatcher.ready(channel({ lastCommand: 0 }));
    await settle();
    expect(sent).toHaveLength(1);
    expect(state("fan")).toBe("started");
  });

  it("[P-18] after a reboot of the device: at most once is unknown, at least once goes out under a fresh id", async () => {
    dispatcher.ready(channel());
    add("once");
    await settle();
    await reported("once", "received");
    add("idempotent", { delivery: "atLeastOnce" });
    await settle();
    expect(sent.map((s) => s.id)).toEqual([1, 2]);
    dispatcher.ready(channel({ epoch: 8, lastWireId: 2 }));
    await settle();
    expect(state("once")).toBe("unknown");
    expect(sent.map((s) => `${s.name} ${s.id}`)).toEqual(["once 1", "idempotent 2", "idempotent 3"]);
  });

  it("does not transmit on a session that ended while sent was written", async () => {
    const first = channel();
    dispatcher.ready(first);
    await settle();
    add("fan");
    dispatcher.lost(first);
    await settle();
    expect(sent).toEqual([]);
    dispatcher.ready(channel());
    await settle();
    expect(sent).toHaveLength(1);
  });

  it("cancels what waits, refuses to cancel what was sent, and voids a revoked device's queue", async () => {
    add("a");
    add("b");
    expect((await dispatcher.cancel("cmd_a")).state).toBe("cancelled");
    await dispatcher.voidDevice("pump-7", "the credential was withdrawn");
    expect(state("b")).toBe("cancelled");
    dispatcher.ready(channel());
    add("c");
    await settle();
    await expect(dispatcher.cancel("cmd_c")).rejects.toMatchObject({ code: "E_COMMAND_STATE" });
  });

  it.each([
    ["waits", false, "cancelled"],
    ["is sent at once", true, "unknown"],
  ] as const)("voids a command that %s and was being made when the others were", async (_how, isOnline, ending) => {
    if (isOnline) dispatcher.ready(channel());
    await settle();
    whileCreating = () => dispatcher.voidDevice("pump-7", "the credential was withdrawn");
    await ask("fan");
    await settle();
    expect([state("fan"), sent.length, dispatcher.unfinishedCount]).toEqual([ending, 0, 0]);
    whileCreating = () => {};
    await ask("door");
    await settle();
    expect(state("door")).toBe(isOnline ? "sent" : "queued");
  });

  it("tries again after a store that failed once", async () => {
    let broken = true;
    dispatcher = new Dispatcher({
      store: {
        create,
        apply: (id, event) => (broken ? Promise.reject(new GatewayError("E_STORE_BUSY", "busy")) : apply(id, event)),
      },
      clock,
      log: SILENT,
      bootId: "boot-1",
      changed: () => {},
    });
    dispatcher.ready(channel());
    add("fan");
    await settle();
    expect(sent).toEqual([]);
    broken = false;
    await pass(250);
    expect(sent.map((s) => s.name)).toEqual(["fan"]);
  });
});

describe("a command that is made while its device can take it", () => {
  beforeEach(() => dispatcher.ready(channel({ lastCommand: 4, lastWireId: 9 })));
  beforeEach(settle);

  it("[P-15] is made and sent in one commit, and goes out behind it", async () => {
    const { command } = await ask("fan");
    await settle();
    expect(command).toMatchObject({ state: "sent", wireId: 10, wireEpoch: 7, transmissions: 1 });
    expect(storeCalls).toEqual(["fan create and send"]);
    expect(sent).toEqual([{ id: 10, name: "fan", deadlineUptimeMs: 60_000, stored: "sent" }]);
  });

  it("[P-15] does not go out before the store has answered", async () => {
    let commit = (): void => {};
    whileCreating = () => new Promise((resolve) => (commit = resolve));
    const made = ask("fan");
    await pass(750);
    expect(sent).toEqual([]);
    commit();
    await made;
    await settle();
    expect(sent.map(({ name }) => name)).toEqual(["fan"]);
  });

  it("[P-19] waits for the one before to be received, in the order of asking", async () => {
    await Promise.all([ask("a"), ask("b"), ask("c")]);
    await settle();
    expect(storeCalls).toEqual(["a create and send", "b create", "c create"]);
    await reported("a", "received");
    await reported("b", "received");
    expect(sent.map(({ name, id }) => `${name} ${id}`)).toEqual(["a 10", "b 11", "c 12"]);
  });

  it("[P-19] waits also when the one before went out long ago and was not received", async () => {
    await ask("a");
    await settle();
    expect((await ask("b")).command.state).toBe("queued");
    await pass(500);
    expect(sent.map(({ name }) => name)).toEqual(["a"]);
  });

  it("goes in one commit again when the one before was received, also while that one still runs", async () => {
    await ask("a");
    await settle();
    await reported("a", "started");
    await ask("b");
    await settle();
    expect(storeCalls).toEqual(["a create and send", "a update", "b create and send"]);
  });

  it("does not overtake one that was asked for while the device was away", async () => {
    let commit = (): void => {};
    const disk = new Promise<void>((resolve) => (commit = resolve));
    whileCreating = () => disk;
    const first = ask("a", { device: "attic-7" });
    dispatcher.ready(channel({ device: "attic-7" }));
    await settle();
    const second = ask("b", { device: "attic-7" });
    expect(storeCalls, "b waits, though nothing of the device is known to wait yet").toEqual(["a create", "b create"]);
    commit();
    await Promise.all([first, second]);
    await settle();
    expect(sent.map(({ name }) => name)).toEqual(["a"]);
  });

  it("leaves the way free for the next one when it is refused, and tells nobody but the one who asked", async () => {
    const refused = ask("refused");
    const behind = ask("fan");
    await expect(refused).rejects.toMatchObject({ code: "E_COMMAND_LIMIT" });
    await behind;
    await settle();
    expect(sent.map(({ name }) => name)).toEqual(["fan"]);
  });

  it("is not sent again when the request was a repeat", async () => {
    await ask("fan", { idempotencyKey: "k" });
    await settle();
    await reported("fan", "received");
    expect((await ask("fan", { idempotencyKey: "k" })).repeated).toBe(true);
    await settle();
    expect(sent).toHaveLength(1);
  });

  it("waits, and ends with its reason, when the device has no room to receive it", async () => {
    dispatcher.ready(channel({ fits: () => false }));
    await settle();
    expect((await ask("huge")).command.state).toBe("queued");
    await settle();
    expect(state("huge")).toBe("cancelled");
    expect(sent).toEqual([]);
  });

  it("[P-18] does not go out on a session that ended meanwhile; the next one brings it under the same id", async () => {
    const first = channel({ lastWireId: 20 });
    dispatcher.ready(first);
    await settle();
    whileCreating = () => dispatcher.lost(first);
    await ask("fan");
    await settle();
    expect(sent).toEqual([]);
    dispatcher.ready(channel({ lastWireId: 21 }));
    await settle();
    expect(sent.map(({ id }) => id)).toEqual([21]);
  });

  it("[P-18] is unknown when the device comes back without its memory and it may run once at most", async () => {
    await ask("once");
    await settle();
    dispatcher.ready(channel({ epoch: 8, lastWireId: 10 }));
    await settle();
    expect(state("once")).toBe("unknown");
    expect(sent).toHaveLength(1);
  });

  it("[P-16] is expired, for sure, when its deadline passed while sent was written: it never went out", async () => {
    dispatcher.ready(channel({ deadlineUptime: () => null }));
    await settle();
    await ask("fan", { ttlMs: 5 });
    await settle();
    expect(state("fan")).toBe("expired");
    expect(sent).toEqual([]);
  });
});
