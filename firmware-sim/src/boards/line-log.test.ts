/** Reading along on a board's line: what was sent, acked, repeated, evicted, and what a reboot cost. */
import { type DownlinkBody, encodeDownlink, encodeStreamFrame, encodeUplink } from "@tidegate/proto";
import { beforeEach, describe, expect, it } from "vitest";
import { LineLog } from "./line-log.js";

let log: LineLog;
let onlineCount: number;
beforeEach(() => {
  onlineCount = 0;
  log = new LineLog(() => {
    onlineCount += 1;
  });
});

function said(seq: number, gap = 0): void {
  const series = [{ signal: 1, dtMs: [], periodUs: 0, quality: 0, values: { kind: "ints" as const, ints: [1, 2] } }];
  const telemetry = { base: { kind: "uptime" as const, uptimeMs: 5 }, series, bootNonce: 0 };
  log.said(encodeStreamFrame(encodeUplink({ seq, gap, body: { kind: "telemetry", telemetry } })));
}
const heard = (body: DownlinkBody): void => log.heard(encodeStreamFrame(encodeDownlink(body)));
function welcome(epoch: number, ackedSeq = 0): void {
  const numbers = { attempt: 1, bootNonce: 2, keepaliveMs: 30_000, window: 8, unixMs: 0, maxUplinkBytes: 1_024 };
  heard({ kind: "welcome", welcome: { ...numbers, epoch, ackedSeq, wantCatalog: false } });
}

describe("the log of a line", () => {
  it("counts what went out, what was repeated and what is acked", () => {
    welcome(9);
    for (const seq of [1, 2, 3, 2, 3]) said(seq);
    heard({ kind: "ack", ack: { seq: 2 } });
    expect(log.isOnline).toBe(true);
    expect(onlineCount).toBe(1);
    expect(log.tally).toMatchObject({
      readings: 6,
      sent: 3,
      repeated: 2,
      acked: 2,
      buffered: 1,
      dropped: 0,
      sessions: 1,
    });
    heard({ kind: "ack", ack: { seq: 90 } });
    expect(log.tally.acked).toBe(2);
  });

  it("counts evictions once, also when they are announced again", () => {
    welcome(9);
    said(1);
    said(5, 3);
    said(5, 3);
    heard({ kind: "ack", ack: { seq: 5 } });
    expect(log.tally).toMatchObject({ sent: 2, dropped: 3, acked: 2, buffered: 0 });
  });

  it("says what a reboot cost, and goes on under the new epoch", () => {
    welcome(9);
    for (const seq of [1, 2, 3]) said(seq);
    heard({ kind: "ack", ack: { seq: 1 } });
    log.rebooted();
    expect(log.isOnline).toBe(false);
    welcome(10);
    said(1);
    expect(log.tally).toMatchObject({ sent: 4, acked: 1, lostByReboot: 2, buffered: 1, sessions: 2, reboots: 1 });
  });

  it("is offline when the gateway asks for a Hello, says Bye, or is gone, and is not misled by noise", () => {
    welcome(9);
    heard({ kind: "sayHello" });
    expect(log.isOnline).toBe(false);
    welcome(9);
    log.heard(Uint8Array.of(1, 2, 3, 0, 255, 0));
    log.said(Uint8Array.of(9, 9, 0));
    expect(log.isOnline).toBe(true);
    log.unplugged();
    expect(log.isOnline).toBe(false);
  });
});
