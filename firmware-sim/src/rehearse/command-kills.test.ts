/** How the rehearsal of commands judges what it saw. */
import { describe, expect, it } from "vitest";
import { areKept, commandsText } from "../cli/rehearse-commands.js";
import { faultOf } from "./command-kills.js";

const SEEN = { state: "succeeded", runs: 1, deaths: 0, tookMs: 100 };
const once = { delivery: "atMostOnce", victim: "device" } as const;
const again = { delivery: "atLeastOnce", victim: "device" } as const;

describe("the judge of commands", () => {
  it("accepts of at most once: done, and unknown whether it ran or not", () => {
    expect(faultOf(once, SEEN)).toBeNull();
    for (const runs of [0, 1]) expect(faultOf(once, { ...SEEN, state: "unknown", runs })).toBeNull();
    expect(faultOf(once, { ...SEEN, state: "expired", runs: 0 })).toBeNull();
  });

  it("refuses a second run of at most once, whatever died", () => {
    expect(faultOf(once, { ...SEEN, runs: 2, deaths: 3 })).toMatch(/ran 2 times/);
  });

  it("refuses a success that never ran, an expiry that ran, and an end that is none", () => {
    for (const way of [once, again]) {
      expect(faultOf(way, { ...SEEN, runs: 0 })).toMatch(/never ran/);
      expect(faultOf(way, { ...SEEN, state: "expired" })).toMatch(/expired and ran/);
      expect(faultOf(way, { ...SEEN, state: "sent" })).toMatch(/ended sent/);
      expect(faultOf(way, { ...SEEN, state: "failed" })).toMatch(/ended failed/);
    }
  });

  it("accepts a repeat of at least once for each death of the device, and none for a death of the gateway", () => {
    expect(faultOf(again, { ...SEEN, runs: 2, deaths: 1 })).toBeNull();
    expect(faultOf(again, { ...SEEN, runs: 3, deaths: 1 })).toMatch(/ran 3 times/);
    expect(faultOf({ ...again, victim: "gateway" }, { ...SEEN, runs: 2, deaths: 1 })).toMatch(/ran 2 times/);
  });

  it("wants at least once done while there is time", () => {
    expect(faultOf(again, { ...SEEN, state: "unknown" })).toMatch(/although there was time/);
    expect(faultOf(again, { ...SEEN, state: "unknown", tookMs: 90_000 })).toBeNull();
  });
});

describe("the table of commands", () => {
  const way = { victim: "device", operation: "send", delivery: "atMostOnce" } as const;
  const tally = { kills: 2, asked: 3, ran: 2, succeeded: 1, unknown: 2, expired: 0, faults: [] };

  it("has a line per way and says that it was kept", () => {
    expect(commandsText([{ ...way, ...tally }])).toBe(
      [
        "  killed  at each  delivery    kills  commands  ran  succeeded  unknown  expired",
        "  device  send     atMostOnce      2         3    2          1        2        0",
        "  kept: at most once ran once or never, at least once ran in its time, and each has an end",
        "",
      ].join("\n"),
    );
  });

  it("says what was broken", () => {
    const ways = [{ ...way, ...tally, faults: ["device killed at send 3: it ran 2 times"] }];
    expect(areKept(ways)).toBe(false);
    expect(commandsText(ways)).toContain("  ! atMostOnce: device killed at send 3: it ran 2 times\n  BROKEN\n");
  });
});
