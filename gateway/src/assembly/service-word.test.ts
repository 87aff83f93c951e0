/** What is told to the service manager, and when nothing is: on a manual clock, without a systemd. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../core/testing/manual-clock.js";
import { startPulse } from "./service-pulse.js";
import { type SendWords, serviceManager } from "./service-word.js";

const PID = 42;

interface Told {
  readonly level: string;
  readonly facts: unknown;
}

function manager(env: Record<string, string>, send?: SendWords) {
  const sent: string[][] = [];
  const told: Told[] = [];
  const log = { error: (facts: unknown) => told.push({ level: "error", facts }) };
  const made = serviceManager({
    env,
    pid: PID,
    log: log as never, // only this method is called
    send: send ?? (async (words) => void sent.push([...words])),
  });
  return { manager: made, sent, told };
}

const SOCKET = { NOTIFY_SOCKET: "/run/systemd/notify" };

/** Promises that are already settled run. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

describe("word to the service manager", () => {
  it("is not given where nobody waits for it", () => {
    expect(manager({}).manager).toBeNull();
    expect(manager({ NOTIFY_SOCKET: "" }).manager).toBeNull();
  });

  it("joins what belongs together and keeps states apart and in order", async () => {
    const { manager: systemd, sent } = manager(SOCKET);
    systemd?.tell({ state: "READY" });
    systemd?.tell({ status: "3 of 3", alive: true });
    systemd?.tell({ state: "RELOADING" });
    systemd?.tell({ state: "READY" });
    await systemd?.settled();
    expect(sent).toEqual([["READY=1", "STATUS=3 of 3", "WATCHDOG=1"], ["RELOADING=1"], ["READY=1"]]);
  });

  it("keeps few messages while the manager does not take them; the newest state counts", async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const sent: string[][] = [];
    const { manager: systemd } = manager(SOCKET, async (words) => {
      await gate;
      sent.push([...words]);
    });
    for (let i = 0; i < 100; i++) systemd?.tell({ state: i % 2 === 0 ? "RELOADING" : "READY" });
    systemd?.tell({ state: "STOPPING" });
    open();
    await systemd?.settled();
    expect(sent.length).toBeLessThanOrEqual(9);
    expect(sent.at(-1)).toEqual(["STOPPING=1"]);
  });

  it("cannot be made to say something else by a line break in a status", async () => {
    const { manager: systemd, sent } = manager(SOCKET);
    systemd?.tell({ status: "sink a\nREADY=1" });
    await systemd?.settled();
    expect(sent).toEqual([["STATUS=sink a READY=1"]]);
  });

  it("that fails is told to the log once, with what to do", async () => {
    const { manager: systemd, told } = manager(SOCKET, () => Promise.reject(new Error("spawn systemd-notify ENOENT")));
    for (let i = 0; i < 3; i++) {
      systemd?.tell({ alive: true });
      await systemd?.settled();
    }
    expect(told).toEqual([{ level: "error", facts: expect.objectContaining({ why: "spawn systemd-notify ENOENT" }) }]);
  });

  it.each([
    [{ WATCHDOG_USEC: "60000000" }, 60_000],
    [{ WATCHDOG_USEC: "60000000", WATCHDOG_PID: String(PID) }, 60_000],
    [{ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "1" }, null],
    [{ WATCHDOG_USEC: "0" }, null],
    [{ WATCHDOG_USEC: "soon" }, null],
    [{}, null],
  ])("watches by %o", (env, expected) => {
    expect(manager({ ...SOCKET, ...env }).manager?.watchdogMs).toBe(expected);
  });
});

describe("the pulse", () => {
  /** systemd in 60 s periods, and a storage worker whose answers the test gives. */
  function rig() {
    const clock = new ManualClock();
    const { manager: systemd, sent } = manager({ ...SOCKET, WATCHDOG_USEC: "60000000" });
    if (systemd === null) throw new Error("there is a socket");
    const waiting: (() => void)[] = [];
    let answered = 0;
    const stop = startPulse(systemd, clock, {
      beat: () => new Promise((resolve) => waiting.push(() => resolve("well"))),
      answeredCount: () => answered,
    });
    const answer = (): void => {
      answered += 1;
      waiting.shift()?.();
    };
    const alive = (): number => sent.filter((words) => words.includes("WATCHDOG=1")).length;
    const pass = async (byMs: number): Promise<void> => {
      clock.advance(byMs);
      await turns();
    };
    return { clock, stop, waiting, answer, alive, pass, someoneElseIsAnswered: () => (answered += 1) };
  }

  it("beats four times in a watchdog period while the worker answers", async () => {
    const { waiting, answer, alive, pass } = rig();
    for (let beat = 0; beat < 4; beat++) {
      answer();
      await turns();
      await pass(15_000);
    }
    expect(alive()).toBe(4);
    expect(waiting.length).toBe(1);
  });

  it("beats on behind a queue of commits of 5 s each, although its own question waits", async () => {
    const { alive, pass, someoneElseIsAnswered } = rig();
    for (let commit = 0; commit < 24; commit++) {
      await pass(5_000);
      someoneElseIsAnswered();
    }
    expect(alive()).toBeGreaterThanOrEqual(7);
  });

  it("falls silent when the worker answers nobody, and beats again when it does", async () => {
    const { waiting, answer, alive, pass } = rig();
    answer();
    await turns();
    await pass(15_000);
    const before = alive();
    await pass(120_000);
    expect(alive()).toBe(before);
    expect(waiting.length).toBe(1); // one question at a time, however long it takes
    answer();
    await turns();
    expect(alive()).toBe(before + 1);
  });

  it("leaves no timer behind, and says nothing after its end", async () => {
    const { clock, stop, answer, alive } = rig();
    stop();
    answer();
    await turns();
    expect(alive()).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
