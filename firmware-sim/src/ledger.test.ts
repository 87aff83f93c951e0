/** The sender's book: what a frame says, in the words a sink uses. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeUplink } from "@tidegate/proto";
import { describe, expect, it } from "vitest";
import { SIGNALS } from "./greenhouse.js";
import { attemptOf, FileLedger } from "./ledger.js";
import { readingsDigest } from "./readings-digest.js";

const series = { dtMs: [], periodUs: 0, quality: 0 };
const FRAME = encodeUplink({
  seq: 9,
  gap: 2,
  body: {
    kind: "telemetry",
    telemetry: {
      base: { kind: "uptime", uptimeMs: 5 },
      bootNonce: 0,
      series: [
        { ...series, signal: 1, values: { kind: "floats", floats: [21.4] } },
        { ...series, signal: 2, values: { kind: "ints", ints: [623] } },
        { ...series, signal: 3, values: { kind: "ints", ints: [1] } },
      ],
    },
  },
});

describe("ledger", () => {
  it("gives a frame the digest of the readings that a sink gets for it, in any order", () => {
    const digest = readingsDigest([
      { signal: "door", v: true },
      { signal: "humidity", v: 62.3 },
      { signal: "temperature", v: 21.4 },
    ]);
    const attempt = { e: "attempt", epoch: 7, seq: 9, gap: 2, kind: "telemetry", digest };
    expect(attemptOf(FRAME, 7, SIGNALS)).toEqual(attempt);
  });

  it("gives another digest when one value differs", () => {
    const one = [{ signal: "a", v: 1 }];
    expect(readingsDigest(one)).not.toBe(readingsDigest([{ signal: "a", v: 2 }]));
    expect(readingsDigest(one)).not.toBe(readingsDigest([{ signal: "a", v: "1" }]));
    expect(readingsDigest(one)).not.toBe(readingsDigest([...one, ...one]));
  });

  it("ignores frames without a number", () => {
    const heartbeat = { uptimeMs: 1, unixMs: 0, ping: 0, nextSeq: 1, oldest: 1 };
    const frame = encodeUplink({ seq: 0, gap: 0, body: { kind: "heartbeat", heartbeat } });
    expect(attemptOf(frame, 7, SIGNALS)).toBeNull();
    expect(attemptOf(new Uint8Array([255, 255]), 7, SIGNALS)).toBeNull();
  });

  it("appends one JSON line per entry, and writes nothing after it was closed", () => {
    const dir = mkdtempSync(join(tmpdir(), "sim-ledger-"));
    const path = join(dir, "ledger.jsonl");
    for (const seq of [1, 2]) {
      const ledger = new FileLedger(path, () => 1000);
      ledger.write("sim-1", { e: "acked", epoch: 7, seq });
      ledger.close();
      ledger.write("sim-1", { e: "acked", epoch: 7, seq: 99 });
    }
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { e: "acked", device: "sim-1", epoch: 7, seq: 1, atMs: 1000 },
      { e: "acked", device: "sim-1", epoch: 7, seq: 2, atMs: 1000 },
    ]);
    rmSync(dir, { recursive: true });
  });
});
