/** Commands on the device: once, in order, in time, answered. */
import { type Command, CommandState, type CommandUpdate, commandStateName, PAYLOAD_BYTES_MAX } from "@tidegate/proto";
import { describe, expect, test, vi } from "vitest";
import { admit, type CommandEntry, type CommandHandler, CommandRunner } from "./command-runner.js";
import { ManualClock } from "./testing/manual-clock.js";

function setUp(
  handlers: Record<string, CommandHandler>,
  { atMostOnce = false, room = 96, canRecord = true, lastCommand = 0 } = {},
) {
  const clock = new ManualClock(10_000);
  const log: string[] = [];
  const updates: CommandUpdate[] = [];
  const journal = {
    lastCommand,
    record: (id: number) => {
      if (!canRecord) throw new Error("disk full");
      log.push(`record ${id}`);
    },
    finish: (id: number) => log.push(`finish ${id}`),
  };
  const report = (update: CommandUpdate): boolean => {
    if (updates.length >= room) return false;
    updates.push(update);
    log.push(`${commandStateName(update.state)} ${update.id}`);
    return true;
  };
  const host = {
    clock,
    journal,
    report,
    resultBytesMax: PAYLOAD_BYTES_MAX,
    uptimeMs: () => clock.monoMs(),
    reportRoom: () => room - updates.length,
  };
  const entries: CommandEntry[] = Object.entries(handlers).map(([name, handler], i) => ({
    code: i + 1,
    name,
    atMostOnce,
    timeoutMs: 60_000,
    handler: (args, context) => {
      log.push(`run ${context.id}`);
      return handler(args, context);
    },
  }));
  return { clock, log, updates, runner: new CommandRunner(host, entries) };
}

function command(id: number, more: Partial<Command> = {}): Command {
  return { id, code: 1, name: "", args: new Uint8Array(0), deadlineUptimeMs: 0, atMostOnce: false, ...more };
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

describe("a runner that begins with what the card remembers", () => {
  test("[P-17] leaves alone what an earlier life had taken, without a word, and runs what is new", async () => {
    const { runner, log } = setUp({ fan: () => {} }, { lastCommand: 5 });
    for (const id of [4, 5]) runner.receive(command(id));
    await runner.settled();
    expect(log).toEqual([]);
    runner.receive(command(6));
    await runner.settled();
    expect(log).toContain("run 6");
  });
});

describe("how a command ends", () => {
  test("it is received, started, and its result is JSON", async () => {
    const { runner, log, updates } = setUp({ fan: (args) => ({ was: args }) });
    runner.receive(command(5, { args: json({ on: true }) }));
    await runner.settled();
    expect(log).toEqual(["received 5", "run 5", "started 5", "succeeded 5", "finish 5"].sort(byStart(log)));
    expect(Buffer.from(updates.at(-1)?.result ?? []).toString()).toBe('{"was":{"on":true}}');
  });

  test("what a handler throws becomes FAILED with its message", async () => {
    const { runner, updates } = setUp({
      fan: () => {
        throw new Error("the fan is stuck");
      },
    });
    runner.receive(command(1));
    await runner.settled();
    expect(updates.at(-1)).toMatchObject({ state: CommandState.FAILED, error: "the fan is stuck" });
  });

  test("an unknown command is UNSUPPORTED, by code and by name", async () => {
    const { runner, updates } = setUp({ fan: () => {} });
    runner.receive(command(1, { code: 9 }));
    runner.receive(command(2, { code: 0, name: "pump" }));
    runner.receive(command(3, { code: 0, name: "fan" }));
    await runner.settled();
    const ends = updates.map(({ id, state }) => [id, state]);
    expect(ends.slice(0, 2)).toEqual([
      [1, CommandState.UNSUPPORTED],
      [2, CommandState.UNSUPPORTED],
    ]);
    expect(ends.at(-1)).toEqual([3, CommandState.SUCCEEDED]);
  });

  test("arguments that are no JSON fail without running", async () => {
    const { runner, log, updates } = setUp({ fan: () => {} });
    runner.receive(command(1, { args: Buffer.from("{on") }));
    await runner.settled();
    expect(updates.at(-1)?.state).toBe(CommandState.FAILED);
    expect(log).not.toContain("run 1");
  });

  test("a result over the limit still says that it succeeded", async () => {
    const { runner, updates } = setUp({ dump: () => "x".repeat(40_000) });
    runner.receive(command(1));
    await runner.settled();
    expect(updates.at(-1)).toMatchObject({
      state: CommandState.SUCCEEDED,
      error: expect.stringMatching(/over the limit/),
    });
  });
});

describe("deadlines [P-16]", () => {
  test("a deadline is checked when its turn comes, not when it arrives", async () => {
    let release = (): void => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { runner, clock, log, updates } = setUp({ slow: () => slow, quick: () => {} });
    runner.receive(command(1));
    runner.receive(command(2, { code: 2, deadlineUptimeMs: 11_000 }));
    await vi.waitFor(() => expect(log).toContain("run 1"));
    clock.advance(1_000);
    release();
    await runner.settled();
    expect(updates.at(-1)).toMatchObject({ id: 2, state: CommandState.EXPIRED });
    expect(log).not.toContain("run 2");
  });

  test.each([
    ["just before it", 10_001, CommandState.SUCCEEDED],
    ["at it", 10_000, CommandState.EXPIRED],
    ["ahead, beyond the wrap of uptime", 10_000 + 2 ** 31 - 1, CommandState.SUCCEEDED],
    ["past, from before the wrap of uptime", 2 ** 32 - 5_000, CommandState.EXPIRED],
    ["none", 0, CommandState.SUCCEEDED],
  ])("%s", async (_, deadlineUptimeMs, state) => {
    const { runner, updates } = setUp({ fan: () => {} });
    runner.receive(command(1, { deadlineUptimeMs }));
    await runner.settled();
    expect(updates.at(-1)?.state).toBe(state);
  });
});

describe("once [P-17]", () => {
  test("a repeated id is dropped silently, also while the first still runs", async () => {
    const { runner, log } = setUp({ fan: () => {} });
    runner.receive(command(3));
    runner.receive(command(3));
    await runner.settled();
    runner.receive(command(3));
    runner.receive(command(2));
    await runner.settled();
    expect(log.filter((line) => line.startsWith("run"))).toEqual(["run 3"]);
    expect(runner.taken).toBe(3);
  });

  test("at most once: the record comes before the act; otherwise after", async () => {
    const first = setUp({ dose: () => {} }, { atMostOnce: true });
    first.runner.receive(command(1));
    await first.runner.settled();
    expect(first.log.indexOf("record 1")).toBeLessThan(first.log.indexOf("run 1"));
    const second = setUp({ fan: () => {} });
    second.runner.receive(command(1));
    await second.runner.settled();
    expect(second.log).not.toContain("record 1");
    expect(second.log.at(-1)).toBe("finish 1");
    const third = setUp({ fan: () => {} });
    third.runner.receive(command(1, { atMostOnce: true }));
    await third.runner.settled();
    expect(third.log).toContain("record 1");
  });

  test("what cannot be recorded is not done", async () => {
    const { runner, log, updates } = setUp({ dose: () => {} }, { atMostOnce: true, canRecord: false });
    runner.receive(command(1));
    await runner.settled();
    expect(log).not.toContain("run 1");
    expect(updates.at(-1)).toMatchObject({ state: CommandState.FAILED, error: expect.stringMatching(/disk full/) });
  });
});

describe("bounds", () => {
  test("commands run one after the other, in order", async () => {
    let running = 0;
    const { runner, log } = setUp({
      fan: async () => {
        running++;
        expect(running).toBe(1);
        await Promise.resolve();
        running--;
      },
    });
    for (let id = 1; id <= 5; id++) runner.receive(command(id));
    await runner.settled();
    expect(log.filter((line) => line.startsWith("run"))).toEqual(["run 1", "run 2", "run 3", "run 4", "run 5"]);
  });

  test("more than can wait are told so at once", async () => {
    const { runner, updates } = setUp({ fan: () => {} });
    for (let id = 1; id <= 20; id++) runner.receive(command(id));
    expect(updates.filter(({ error }) => error.startsWith("busy")).map(({ id }) => id)).toEqual([17, 18, 19, 20]);
    await runner.settled();
  });

  test("without room for an answer a command is left to be offered again", () => {
    expect(admit(1, { taken: 0, waiting: 0, room: 0 })).toBe("ignore");
    expect(admit(1, { taken: 0, waiting: 0, room: 5 })).toBe("busy");
    expect(admit(1, { taken: 0, waiting: 0, room: 6 })).toBe("take");
    expect(admit(0, { taken: 0, waiting: 0, room: 6 })).toBe("duplicate");
  });

  test("a handler that never ends fails after its time, is told so, and the next has its turn", async () => {
    let signal: AbortSignal | undefined;
    const { runner, clock, updates, log } = setUp({
      stuck: (_, context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
      next: () => {},
    });
    runner.receive(command(1));
    runner.receive(command(2, { code: 2 }));
    await vi.waitFor(() => expect(log).toContain("run 1"));
    clock.advance(60_000);
    await runner.settled();
    expect(signal?.aborted).toBe(true);
    const ends = updates.filter(({ state }) => state > CommandState.STARTED).map(({ id, state }) => [id, state]);
    expect(ends).toEqual([
      [1, CommandState.FAILED],
      [2, CommandState.SUCCEEDED],
    ]);
    expect(clock.timers).toBe(0);
  });

  test("stop ends the wait and answers nothing: how it went is not known", async () => {
    const { runner, log, clock } = setUp({ stuck: () => new Promise(() => {}) }, { atMostOnce: true });
    runner.receive(command(1));
    runner.receive(command(2));
    await vi.waitFor(() => expect(log).toContain("run 1"));
    runner.stop();
    await runner.settled();
    expect(log.filter((line) => /failed|succeeded|finish|run 2/.test(line))).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});

/** STARTED is written before the handler's first line or after it; both are one step. */
function byStart(log: readonly string[]): (a: string, b: string) => number {
  return (a, b) => log.indexOf(a) - log.indexOf(b);
}
