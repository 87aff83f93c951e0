/** What people read: summary, status line, errors. */
import { describe, expect, it } from "vitest";
import { SimError } from "../sim-error.js";
import { NO_TALLY } from "../tally.js";
import { errorText, statusText, summaryText } from "./terminal.js";

const SUMMARY = {
  ...NO_TALLY,
  devices: 5,
  everOnline: 5,
  seed: 1,
  elapsedMs: 1,
  faults: { "drop-link": 2, reboot: 0, "half-open": 0 },
  losses: [],
  troubles: 0,
};

describe("terminal", () => {
  it("says what became of every message, and lists what reboots cost", () => {
    const losses = [
      { device: "sim-1", epoch: 7, after: 4, messages: 2 },
      { device: "sim-2", epoch: 0, after: 0, messages: 1 },
    ];
    const text = summaryText({ ...SUMMARY, sent: 12_345, acked: 12_340, buffered: 2, lostByReboot: 3, losses });
    expect(text).toBe(
      [
        "sent 12 345 / acked 12 340 / buffered 2 / dropped 3",
        "  5 of 5 devices were online · readings 0 · repeated 0 · reconnects 0 · commands 0",
        "  faults  drop-link 2",
        "  dropped 2 of sim-1 after 7/4: its memory went with a reboot",
        "  dropped 1 of sim-2, never sent: its memory went with a reboot",
        "",
      ].join("\n"),
    );
  });

  it("shows twenty losses, and says how many more there are", () => {
    const losses = Array.from({ length: 30 }, () => ({ device: "sim-1", epoch: 7, after: 4, messages: 2 }));
    expect(
      summaryText({ ...SUMMARY, losses })
        .split("\n")
        .filter((line) => line.includes("sim-1")),
    ).toHaveLength(20);
    expect(summaryText({ ...SUMMARY, losses })).toContain("and 10 more");
  });

  it("fits its status into one line", () => {
    expect(statusText(2, 3, NO_TALLY)).toBe("2/3 online · sent 0 · acked 0 · buffered 0 · reconnects 0");
  });

  it("prints an error as what, why and do", () => {
    expect(errorText(new SimError("A", "B", "C"))).toBe("error: A\n  why: B\n  do:  C\n");
    expect(errorText("odd")).toMatch(/^error: .*\n {2}why: odd\n {2}do: .*\n$/);
  });
});
