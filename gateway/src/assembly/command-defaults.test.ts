/** What a command's sender left open is filled in alike for every door. */
import { describe, expect, it } from "vitest";
import type { AskedCommand, CreateOutcome, NewCommand } from "../model/command.js";
import type { DeviceFacts } from "../model/spool.js";
import { CommandDefaults } from "./command-defaults.js";

const ASKED: AskedCommand = {
  ...{ device: "attic-7", name: "fan", args: "null", delivery: null, ttlMs: null, source: "mqtt:broker" },
  ...{ idempotencyKey: null, responseTopic: null, correlation: null },
};
const CATALOG = { commands: [{ name: "fan", atMostOnce: false }, { name: "door", atMostOnce: true }, "no command"] };

function bench({ ttlMs = 60_000, ttlMsMax = 3_600_000 } = {}) {
  const taken: NewCommand[] = [];
  const answers: (() => void)[] = [];
  const reader = {
    // Answered when the test says so, each for itself.
    devices: (ids: readonly string[]) =>
      new Promise<readonly DeviceFacts[]>((resolve) => {
        const facts = ids[0] === "attic-7" ? [{ catalog: CATALOG } as unknown as DeviceFacts] : [];
        answers.push(() => resolve(facts));
      }),
  };
  const submit = async (command: NewCommand): Promise<CreateOutcome> => {
    taken.push(command);
    return {} as CreateOutcome;
  };
  const defaults = new CommandDefaults({ reader, submit, ttlMs, ttlMsMax });
  const ask = async (wish: Partial<AskedCommand>): Promise<NewCommand | undefined> => {
    const done = defaults.submit({ ...ASKED, ...wish });
    for (const answer of answers.splice(0)) answer();
    await done;
    return taken.at(-1);
  };
  return { defaults, answers, taken, ask };
}

describe("a command of which something was left open", () => {
  it("is delivered as the device's catalog declares it; never twice when the catalog does not know it", async () => {
    const { ask } = bench();
    expect((await ask({ name: "fan" }))?.delivery).toBe("atLeastOnce");
    expect((await ask({ name: "door" }))?.delivery).toBe("atMostOnce");
    expect((await ask({ name: "lamp" }))?.delivery).toBe("atMostOnce");
    expect((await ask({ device: "unheard-of" }))?.delivery).toBe("atMostOnce");
    expect((await ask({ name: "door", delivery: "atLeastOnce" }))?.delivery).toBe("atLeastOnce");
  });

  it("waits as long as the configuration says, and never longer than it allows", async () => {
    const { ask } = bench({ ttlMs: 5_000, ttlMsMax: 20_000 });
    expect((await ask({}))?.ttlMs).toBe(5_000);
    expect((await ask({ ttlMs: 10_000 }))?.ttlMs).toBe(10_000);
    expect((await ask({ ttlMs: 86_400_000 }))?.ttlMs).toBe(20_000);
  });

  it("is not looked up when it leaves nothing open and nothing is before it", async () => {
    const { defaults, answers, taken } = bench();
    await defaults.submit({ ...ASKED, delivery: "atMostOnce" });
    expect([taken.length, answers.length]).toEqual([1, 0]);
  });

  it("is not overtaken by a later one that leaves nothing open", async () => {
    const { defaults, answers, taken } = bench();
    const both = [defaults.submit(ASKED), defaults.submit({ ...ASKED, name: "door", delivery: "atMostOnce" })];
    await Promise.resolve();
    for (const answer of answers) answer();
    await Promise.all(both);
    expect(taken.map(({ name }) => name)).toEqual(["fan", "door"]);
  });
});
