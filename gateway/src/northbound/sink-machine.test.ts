/** The life of a sink as a pure machine: what happened in, what to do out. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { refused, type SinkFailure, unavailable } from "./failure.js";
import { SINK_STOPPED, type SinkEffect, type SinkEvent, type SinkMachineState, step } from "./sink-machine.js";

const LIMITS = { backoff: { baseMs: 500, capMs: 60_000 }, blockedRetryMs: 60_000 };
const NETWORK = unavailable("gone", "wait");
const REFUSED = refused("no", "fix it");
const VERSION: SinkFailure = { ...NETWORK, kind: "version" };

function run(events: readonly SinkEvent[], unit = 0.999): { state: SinkMachineState; last: readonly SinkEffect[] } {
  let state = SINK_STOPPED;
  let last: readonly SinkEffect[] = [];
  for (const event of events) {
    const done = step(state, event, unit, LIMITS);
    state = done.state;
    last = done.effects;
  }
  return { state, last };
}

const down = (failure: SinkFailure): SinkEvent => ({ type: "down", failure });
const repeatedly = (count: number): SinkEvent[] =>
  Array.from({ length: count }).flatMap((): SinkEvent[] => [down(NETWORK), { type: "retry" }]);

describe("the backoff", () => {
  test("it doubles from the base to the cap", () => {
    const delays = [1, 2, 3, 12].map((count) => {
      const { last } = run([{ type: "start" }, ...repeatedly(count - 1), down(NETWORK)]);
      return last.find((effect) => effect.type === "retryAfter")?.delayMs;
    });
    expect(delays).toEqual([500, 999, 1_998, 59_940].map((ms) => expect.closeTo(ms, -2)));
  });

  test("it is full jitter: a lucky draw tries again at once", () => {
    const { last } = run([{ type: "start" }, ...repeatedly(10), down(NETWORK)], 0);
    expect(last).toContainEqual({ type: "retryAfter", delayMs: 0 });
  });

  test("it starts over only after a session has stayed up", () => {
    const flapping = run([{ type: "start" }, ...repeatedly(3), { type: "up" }, down(NETWORK)]);
    expect(flapping.state.attempt).toBe(4);
    const stable = run([{ type: "start" }, ...repeatedly(3), { type: "up" }, { type: "stable" }, down(NETWORK)]);
    expect(stable.state.attempt).toBe(1);
  });

  test("what only a person can fix is tried slowly, never at once", () => {
    const { state, last } = run([{ type: "start" }, down(REFUSED)], 0);
    expect(state.phase).toBe("blocked");
    expect(last).toContainEqual({ type: "retryAfter", delayMs: 30_000 });
  });
});

describe("the version", () => {
  test("a broker that refuses 3.1.1 too is backed off from, and 5 is tried again", () => {
    const { state } = run([{ type: "start" }, down(VERSION), down(VERSION)]);
    expect(state).toMatchObject({ phase: "backingOff", version: 5, isVersionSettled: false });
  });

  test("a session on MQTT 5 clears the suspicion of a hang-up before it", () => {
    const hangUp = down({ ...NETWORK, kind: "silentClose" });
    const { state } = run([{ type: "start" }, hangUp, down(NETWORK), { type: "retry" }, { type: "up" }]);
    expect(state).toMatchObject({ phase: "up", version: 5, silentCloses: 0 });
  });
});

test("paused and stopped sinks do nothing until they are told to", () => {
  for (const type of ["pause", "stop"] as const) {
    const { state, last } = run([{ type: "start" }, { type: "up" }, { type }]);
    expect(last).toEqual([{ type: "cancelTimers" }, { type: "close" }]);
    for (const event of [{ type: "retry" }, { type: "up" }, { type: "stable" }, down(NETWORK)] as const) {
      expect(step(state, event, 0.5, LIMITS)).toEqual({ state, effects: [] });
    }
  }
  expect(run([{ type: "resume" }]).state.phase).toBe("stopped");
  expect(run([{ type: "start" }, { type: "pause" }, { type: "resume" }]).last).toEqual([
    { type: "cancelTimers" },
    { type: "open", version: 5 },
  ]);
});

test("a sink that waits tries at once when a person resumes it, and starts its pauses over", () => {
  for (const failure of [NETWORK, REFUSED]) {
    const { state, last } = run([{ type: "start" }, down(failure), { type: "resume" }]);
    expect(state).toMatchObject({ phase: "connecting", attempt: 0 });
    expect(last.map(({ type }) => type)).toEqual(["cancelTimers", "open"]);
  }
  const { state } = run([{ type: "start" }, { type: "up" }]);
  expect(step(state, { type: "resume" }, 0.5, LIMITS)).toEqual({ state, effects: [] });
});

test("whatever happens, a waiting sink has a timer, and at most one connection is opened at a time", () => {
  const event = fc.oneof(
    fc.constantFrom<SinkEvent>(
      ...(["start", "stop", "pause", "resume", "up", "retry", "stable"] as const).map((type) => ({ type })),
    ),
    fc.constantFrom(NETWORK, REFUSED, VERSION, { ...NETWORK, kind: "silentClose" as const }).map(down),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (events, unit) => {
      let state = SINK_STOPPED;
      let isOpen = false;
      let hasTimer = false;
      for (const next of events) {
        if (next.type === "down" || next.type === "up") {
          if (!isOpen) continue; // a connection that is not there cannot speak
          if (next.type === "down") isOpen = false;
        }
        if (next.type === "retry") hasTimer = false;
        const done = step(state, next, unit, LIMITS);
        state = done.state;
        for (const effect of done.effects) {
          if (effect.type === "open") {
            expect(isOpen).toBe(false);
            isOpen = true;
          }
          if (effect.type === "close") isOpen = false;
          if (effect.type === "cancelTimers") hasTimer = false;
          if (effect.type === "retryAfter") hasTimer = true;
        }
        const isWaiting = state.phase === "backingOff" || state.phase === "blocked";
        if (isWaiting && next.type !== "retry") expect(hasTimer).toBe(true);
        expect(isOpen).toBe(state.phase === "connecting" || state.phase === "up");
      }
    }),
    { numRuns: 500 },
  );
});
