/**
 * What every implementation of the spool's tables must do; run by the one on SQLite and the one in memory.
 */
import { expect, it } from "vitest";
import type { CommandRecord } from "../../model/command.js";
import { Accuracy, RecordKind } from "../../model/record.js";
import { type SpoolTables, type StreamRow, StreamState } from "../tables.js";

/** Tables with the transaction around them. */
export interface TablesUnderTest {
  readonly tables: SpoolTables;
  transaction<T>(work: () => T): T;
  /** Sequence numbers of the stored records, in the order of their ids. */
  recordSeqs(): number[];
  gapCount(): number;
}

const AT = 1_700_000_000_000;

export function tablesContract(open: () => TablesUnderTest): void {
  it("gives every device a key of its own and finds it by name and by key", () => {
    const { tables } = open();
    const a = tables.addDevice("a", AT);
    const b = tables.addDevice("b", AT);
    expect(a.key).not.toBe(b.key);
    expect(tables.device("a")).toEqual(a);
    expect(tables.deviceByKey(b.key)).toEqual(b);
    expect(tables.device("c")).toBeNull();
    tables.putDevice({ ...a, firmware: "2", epoch: 4_000_000_000, lastWireId: 3 });
    expect(tables.device("a")).toMatchObject({ firmware: "2", epoch: 4_000_000_000, lastWireId: 3 });
    tables.setCatalog(a.key, 12);
    expect(tables.device("a")).toMatchObject({ firmware: "2", catalog: 12 });
  });

  it("keeps a stream's numbers up to 2^32 − 1, with its rollback", () => {
    const { tables } = open();
    const row = stream(1, 0xffff_ffff, { mark: 0xffff_fffe, rollback: { epoch: 5, fromSeq: 1, toSeq: 0xffff_ffff } });
    tables.putStream(row);
    expect(tables.stream(1, 0xffff_ffff)).toEqual(row);
    tables.putStream({ ...row, mark: 0xffff_ffff, rollback: null });
    expect(tables.stream(1, 0xffff_ffff)).toMatchObject({ mark: 0xffff_ffff, rollback: null });
    expect(tables.stream(2, 0xffff_ffff)).toBeNull();
    expect(tables.isEpochKnown(0xffff_ffff)).toBe(true);
    expect(tables.isEpochKnown(5)).toBe(false);
  });

  it("hands out copies: a row changed by the caller changes nothing until it is put back", () => {
    const { tables } = open();
    tables.putStream(stream(1, 7));
    const row = tables.stream(1, 7);
    if (row !== null) row.mark = 99;
    expect(tables.stream(1, 7)?.mark).toBe(0);
    for (const open of tables.openStreams(1)) open.mark = 99;
    expect(tables.stream(1, 7)?.mark).toBe(0);
  });

  it("lists a device's streams that are not retired, oldest first, and prunes the oldest of a state", () => {
    const { tables } = open();
    for (const epoch of [30, 20, 10]) tables.putStream(stream(1, epoch));
    tables.putStream(stream(2, 40));
    tables.putStream({ ...stream(1, 20), state: StreamState.retired });
    expect(tables.openStreams(1).map((row) => row.epoch)).toEqual([30, 10]);
    tables.pruneStreams(1, StreamState.offered, 1);
    expect(tables.openStreams(1).map((row) => row.epoch)).toEqual([10]);
    expect(tables.stream(1, 20)).not.toBeNull();
    expect(tables.stream(2, 40)).not.toBeNull();
  });

  it("gives records rising ids, also after an undone transaction, and takes a draft that is filled again", () => {
    const under = open();
    const draft = record(1);
    const ids: number[] = [];
    const add = (count: number) => {
      for (let i = 0; i < count; i++) {
        draft.seq = ids.length + 1;
        ids.push(under.tables.addRecord(draft));
      }
    };
    under.transaction(() => add(20));
    const undone = () => {
      for (let i = 0; i < 30; i++) under.tables.addRecord(record(99));
      throw new Error("stop");
    };
    expect(() => under.transaction(undone)).toThrow("stop");
    under.transaction(() => add(3));
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(under.recordSeqs()).toEqual(ids.map((_, i) => i + 1));
  });

  it("undoes everything of a transaction that throws", () => {
    const under = open();
    const { tables } = under;
    tables.addDevice("kept", AT);
    const work = () => {
      tables.addDevice("undone", AT);
      tables.putStream(stream(1, 7));
      tables.addRecord(record(1));
      tables.addGap({ deviceKey: 1, epoch: 7, fromSeq: 1, toSeq: null, reason: "restart", atUnixMs: AT, sink: null });
      tables.putCommand(1, command("cmd_a"));
      tables.putCatalogPart({ deviceKey: 1, hash: 9, part: 0, parts: 1, atUnixMs: AT, body: new Uint8Array(1) });
      throw new Error("stop");
    };
    expect(() => under.transaction(work)).toThrow("stop");
    expect(tables.device("undone")).toBeNull();
    expect(tables.stream(1, 7)).toBeNull();
    expect(under.recordSeqs()).toEqual([]);
    expect(under.gapCount()).toBe(0);
    expect(tables.command("cmd_a")).toBeNull();
    expect(tables.catalog(1, 9)).toBeNull();
    expect(tables.device("kept")).not.toBeNull();
  });

  it("completes a catalog with its last part, in any order, and forgets a half one when another begins", () => {
    const { tables } = open();
    const { key } = tables.addDevice("a", AT);
    const part = (hash: number, index: number, parts: number) =>
      tables.putCatalogPart({ deviceKey: key, hash, part: index, parts, atUnixMs: AT, body: new Uint8Array([index]) });
    expect(part(9, 1, 2).isComplete).toBe(false);
    expect(part(9, 1, 2).isComplete).toBe(false);
    const whole = part(9, 0, 2);
    expect(whole.isComplete).toBe(true);
    expect(tables.catalog(key, 9)).toEqual(whole);
    expect(part(10, 0, 3).isComplete).toBe(false);
    part(11, 0, 2);
    expect(tables.catalog(key, 10)).toBeNull();
    expect(tables.catalog(key, 9)).toEqual(whole);
  });

  it("finds commands by id, by every wire id they had, and by idempotency key within its time", () => {
    const { tables } = open();
    const { key } = tables.addDevice("a", AT);
    const first = { ...command("cmd_a"), device: "a", idempotencyKey: "k" };
    tables.putCommand(key, first);
    tables.addWireId(key, 4, "cmd_a");
    tables.addWireId(key, 6, "cmd_a");
    expect(tables.device("a")?.lastWireId).toBe(6);
    expect(tables.commandByWireId(key, 4)).toEqual(first);
    expect(tables.commandByWireId(key, 6)).toEqual(first);
    expect(tables.commandByWireId(key, 5)).toBeNull();
    expect(tables.commandByKey(key, "k", AT)).toEqual(first);
    expect(tables.commandByKey(key, "k", AT + 1)).toBeNull();
    expect(tables.commandByKey(key, "other", AT)).toBeNull();
    expect(tables.openCommandCount(key)).toBe(1);
    expect(tables.openCommands()).toEqual([first]);
    tables.putCommand(key, { ...first, state: "unknown" });
    expect(tables.openCommandCount(key)).toBe(0);
    expect(tables.command("cmd_a")?.state).toBe("unknown");
  });
}

function stream(deviceKey: number, epoch: number, fields: Partial<StreamRow> = {}): StreamRow {
  const row = { deviceKey, epoch, mark: 0, announced: 0, state: StreamState.offered, isEnded: false, rollback: null };
  return { ...row, ...fields };
}

function record(seq: number, body = new Uint8Array([7])) {
  const numbers = { deviceKey: 1, epoch: 7, seq, receivedUnixMs: AT, baseUnixMs: AT, catalog: 0, bodyCrc: 0 };
  return { ...numbers, kind: RecordKind.telemetry, accuracy: Accuracy.device, body };
}

function command(commandId: string): CommandRecord {
  return {
    commandId,
    device: "a",
    name: "fan",
    args: "null",
    delivery: "atLeastOnce",
    state: "queued",
    source: "api",
    ttlMs: 1_000,
    createdUnixMs: AT,
    deadlineMonoMs: 5.5,
    bootId: "boot",
    wireId: 0,
    wireEpoch: 0,
    transmissions: 0,
    updatedUnixMs: AT,
    result: null,
    error: null,
    idempotencyKey: null,
    responseTopic: null,
    correlation: null,
  };
}
