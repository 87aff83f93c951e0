/** The storage worker's order of work: what shares a transaction, and what goes first. On a real engine. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { NewCommand } from "../model/command.js";
import { batchOf, helloOf, run } from "../spool/testing/batches.js";
import { clock, openTestStore, type TestFolder, type TestStore, testFolder } from "./testing/store.js";
import type { CallOf, WorkerMessage, WriterCalls } from "./worker-protocol.js";
import { WriterHost } from "./writer-host.js";

const COMMAND: NewCommand = {
  device: "pump-7",
  name: "on",
  args: "null",
  delivery: "atMostOnce",
  ttlMs: 60_000,
  source: "api",
  idempotencyKey: null,
  responseTopic: null,
  correlation: null,
};

let folder: TestFolder;
let store: TestStore;
let host: WriterHost;
let turns: (() => void)[];
let answers: WorkerMessage[];
let nextId: number;

beforeEach(() => {
  folder = testFolder();
  store = openTestStore(folder.path);
  turns = [];
  answers = [];
  nextId = 1;
  const ticker = { soon: (turn: () => void) => void turns.push(turn) };
  host = new WriterHost(store.engine, clock, ticker, (message) => void answers.push(message));
});
afterEach(() => {
  host.halt();
  store.engine.abandon();
  folder.remove();
});

function ask(call: CallOf<WriterCalls>): number {
  host.receive({ id: nextId, call });
  return nextId++;
}

const command = (fields: Partial<NewCommand> = {}): CallOf<WriterCalls> => ({
  op: "createCommand",
  in: [{ ...COMMAND, ...fields }, null],
});

/** The next turn of the event loop. @returns the ids it answered */
function turn(): number[] {
  const before = answers.length;
  turns.shift()?.();
  return answers.slice(before).map((message) => ("id" in message ? message.id : 0));
}

describe("the storage worker", () => {
  it("does one transaction per turn, in the order of the questions", () => {
    const [hello, status] = [ask({ op: "hello", in: helloOf() }), ask({ op: "status", in: null })];
    expect(turn()).toEqual([hello]);
    expect(turn()).toEqual([status]);
    expect(turns).toEqual([]);
  });

  it("makes new commands before what waits already, together in one transaction", () => {
    const made = vi.spyOn(store.engine, "createCommands");
    const hello = ask({ op: "hello", in: helloOf() });
    const batch = ask({ op: "commit", in: batchOf(run(1, 1, 3)) });
    expect(turn()).toEqual([hello]);
    const commands = [ask(command()), ask(command())];
    expect(turn()).toEqual(commands);
    expect(made).toHaveBeenCalledTimes(1);
    expect(turn()).toEqual([batch]);
  });

  it("gives every second turn to others while commands keep coming", () => {
    const others = [ask({ op: "status", in: null }), ask({ op: "status", in: null })];
    const order: number[] = [];
    for (let i = 0; i < 6; i++) {
      ask(command({ device: `pump-${i}` }));
      order.push(...turn());
    }
    expect(order.filter((id) => others.includes(id))).toEqual(others);
    expect(order.indexOf(others[0] ?? 0)).toBe(1);
  });

  it("answers each command of a transaction by itself: one that is refused does not disturb the others", () => {
    for (let i = 0; i < 65; i++) ask(command());
    const behind = ask(command({ device: "other" }));
    expect(turn()).toHaveLength(66);
    expect(answers.filter(({ type }) => type === "error")).toMatchObject([{ id: 65 }]);
    expect(answers.at(-1)).toMatchObject({ type: "value", id: behind });
  });

  it("moves commands in order, those that stand together in one transaction", () => {
    const moved = vi.spyOn(store.engine, "applyCommands");
    ask(command());
    turn();
    const commandId = store.engine.unfinishedCommands()[0]?.commandId ?? "";
    ask({ op: "applyCommand", in: [commandId, { type: "dispatch", wireId: 1, epoch: 7 }] });
    ask({ op: "applyCommand", in: ["cmd_nobody", { type: "cancel" }] });
    ask({ op: "applyCommand", in: [commandId, { type: "cancel" }] });
    turn();
    expect(moved).toHaveBeenCalledTimes(1);
    expect(answers.slice(1)).toMatchObject([
      { type: "value", value: { state: "sent" } },
      { type: "error", error: { code: "E_COMMAND_UNKNOWN" } },
      { type: "error", error: { code: "E_COMMAND_STATE" } },
    ]);
  });

  it("makes the commands that wait before it closes", () => {
    ask(command());
    ask(command({ device: "other" }));
    ask({ op: "close", in: null });
    turn();
    const last = ask(command({ device: "late" }));
    expect(turn()).toEqual([last]);
    expect(turn()).toEqual([3]);
    store = openTestStore(folder.path);
    expect(store.engine.unfinishedCommands()).toHaveLength(3);
  });
});
