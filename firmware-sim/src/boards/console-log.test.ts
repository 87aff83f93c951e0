/** What a board on Ethernet says on its console: sessions, and counters over its boots. */
import { describe, expect, it } from "vitest";
import { ConsoleLog } from "./console-log.js";

const counters = (held: number, acked: number, put: number): string =>
  `held ${held} acked ${acked} dropped 0 put ${put} sessions 1 commands 1\n`;

describe("the log of a board's console", () => {
  it("knows when the board is online, however its lines are cut", () => {
    let onlineCount = 0;
    const log = new ConsoleLog(() => {
      onlineCount += 1;
    });
    for (const piece of [
      "onl",
      "ine 362",
      "5368374 handshakes 1\nhel",
      "d 2 acked 40 dropped 1 put 45 sessions 1 commands 3\n",
    ]) {
      log.said(piece);
    }
    expect([log.isOnline, onlineCount]).toEqual([true, 1]);
    expect(log.tally).toMatchObject({ sent: 42, acked: 40, buffered: 2, dropped: 1, repeated: 3, commands: 3 });
    log.said("offline 0 handshakes 1\n");
    expect(log.isOnline).toBe(false);
  });

  it("adds up the boots, and counts as lost what the memory still held", () => {
    const log = new ConsoleLog();
    log.said(`online 1\n${counters(3, 10, 13)}`);
    log.rebooted();
    expect(log.isOnline).toBe(false);
    log.said(`online 1\n${counters(1, 5, 7)}`);
    expect(log.tally).toMatchObject({ sent: 19, acked: 15, buffered: 1, lostByReboot: 3, reboots: 1, sessions: 2 });
    expect(log.tally).toMatchObject({ repeated: 1, reconnects: 1, commands: 2 });
  });

  it("keeps the end of a line that never ends, and is not moved by noise", () => {
    const log = new ConsoleLog();
    for (let i = 0; i < 1_000; i += 1) log.said("held x acked ".repeat(10));
    log.said("\nheld 1 acked\n\u0000\n");
    expect(log.tally).toMatchObject({ sent: 0, acked: 0 });
    log.said(`${counters(0, 2, 2)}`);
    expect(log.tally.acked).toBe(2);
  });
});
