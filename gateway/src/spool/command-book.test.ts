/** What the command book decides by itself: which request is a repeat. */
import { describe, expect, it } from "vitest";
import { step } from "../command/command-machine.js";
import type { CommandRecord, NewCommand } from "../model/command.js";
import { RecordKind } from "../model/record.js";
import { CommandBook, IDEMPOTENCY_MS } from "./command-book.js";
import { MemoryTables } from "./testing/memory-tables.js";

const REQUEST: NewCommand = {
  device: "pump-7",
  name: "on",
  args: "{}",
  delivery: "atMostOnce",
  ttlMs: 60_000,
  source: "api",
  idempotencyKey: "k",
  responseTopic: null,
  correlation: null,
};
const BIRTH = { commandId: "cmd_a", unixMs: 1_700_000_000_000, monoMs: 5_000, bootId: "boot-1" };

function book(): CommandBook {
  return new CommandBook(new MemoryTables(), () => ({ ok: false, why: "nothing moves here" }));
}

describe("a repeated idempotency key", () => {
  it.each([2 * IDEMPOTENCY_MS, -2 * IDEMPOTENCY_MS])("makes no second command when the wall clock jumps", (jumpMs) => {
    const commands = book();
    commands.create(REQUEST, BIRTH);
    const again = { ...BIRTH, commandId: "cmd_b", unixMs: BIRTH.unixMs + jumpMs, monoMs: BIRTH.monoMs + 1_000 };
    expect(commands.create(REQUEST, again)).toMatchObject({ repeated: true, command: { commandId: "cmd_a" } });
  });

  it("is forgotten after its time by the monotonic clock, and by no wall clock: a reboot makes no second command", () => {
    const commands = book();
    commands.create(REQUEST, BIRTH);
    const rebooted = { ...BIRTH, commandId: "cmd_c", bootId: "boot-2", monoMs: 10, unixMs: BIRTH.unixMs + 1e12 };
    expect(commands.create(REQUEST, rebooted).repeated).toBe(true);
    const later = { ...BIRTH, commandId: "cmd_b", monoMs: BIRTH.monoMs + IDEMPOTENCY_MS };
    expect(commands.create(REQUEST, later).repeated).toBe(false);
  });
});

describe("an outcome", () => {
  it("is told as a record, with the change that it tells of", () => {
    const tables = new MemoryTables();
    const cancelled = (record: CommandRecord) =>
      ({ ok: true, record: { ...record, state: "cancelled" }, becameFinal: true, changed: true }) as const;
    const commands = new CommandBook(tables, cancelled);
    commands.create(REQUEST, BIRTH);
    commands.apply("cmd_a", { type: "cancel" }, BIRTH.unixMs);
    expect(tables.records.map(({ kind }) => kind)).toEqual([RecordKind.commandOutcome]);
  });
});

describe("a command that is made with an offer", () => {
  const OFFER = { wireId: 12, epoch: 77 };

  it("is sent in the transaction that makes it, and found by its wire id [P-15]", () => {
    const tables = new MemoryTables();
    const { command } = new CommandBook(tables, step).create(REQUEST, BIRTH, OFFER);
    expect(command).toMatchObject({ state: "sent", wireId: 12, wireEpoch: 77, transmissions: 1 });
    expect(tables.command("cmd_a")).toEqual(command);
    const device = tables.device("pump-7");
    expect(device?.lastWireId).toBe(12);
    expect(tables.commandByWireId(device?.key ?? 0, 12)).toEqual(command);
  });

  it("leaves the offer unused when the key is known: the first one may have been sent under another id", () => {
    const tables = new MemoryTables();
    const commands = new CommandBook(tables, step);
    const first = commands.create(REQUEST, BIRTH).command;
    expect(commands.create(REQUEST, { ...BIRTH, commandId: "cmd_b" }, OFFER)).toEqual({
      command: first,
      repeated: true,
    });
    expect(tables.device("pump-7")?.lastWireId).toBe(0);
  });
});
