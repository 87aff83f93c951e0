/** Lines that come and go with the files that fit a pattern: attached, let go, bounded. */
import { beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { boardsPlug, SerialLines } from "./serial-lines.js";
import { fitting, isSerialPattern } from "./serial-pattern.js";
import { MemoryPorts, settle } from "./testing/memory-wire.js";

describe("a pattern", () => {
  it("is a path with a star in its last part", () => {
    expect(["/dev/serial/by-id/usb-*", "unix:/run/b/*.sock"].every(isSerialPattern)).toBe(true);
    expect(["/dev/ttyUSB0", "/dev/*/ttyUSB0"].some(isSerialPattern)).toBe(false);
  });

  it("fits whole names, takes other signs as they are, and leaves hidden files alone", () => {
    const names = ["b.sock", "a.sock", "a.sock.old", "axsock", ".x.sock", "a[1].sock"];
    expect(fitting("/run/*.sock", names)).toEqual(["a.sock", "a[1].sock", "b.sock"]);
    expect(fitting("/run/a[1]*", names)).toEqual(["a[1].sock"]);
  });
});

describe("the lines of a pattern", () => {
  let clock: ManualClock;
  let ports: MemoryPorts;
  let metrics: Metrics;
  let names: string[];
  let lines: SerialLines;

  beforeEach(() => {
    clock = new ManualClock();
    ports = new MemoryPorts();
    metrics = new Metrics();
    names = [];
  });

  async function start(paths = ["unix:/data/boards/*.sock"]): Promise<void> {
    lines = new SerialLines(
      {
        lines: paths.map((path) => ({ path, baud: 115_200, trusted: false })),
        messagesPerSecond: 100,
        messageBurst: 100,
      },
      {
        clock,
        random: new SeededRandom(3),
        log: SILENT,
        metrics,
        openPort: ports.open,
        listPorts: () => Promise.resolve([]),
        listFolder: (folder) =>
          folder === "/data/boards" ? Promise.resolve(names) : Promise.reject(new Error("ENOENT")),
        checkProof: () => null,
        isKnown: () => false,
        open: () => ({ message: () => {}, linkLost: () => {} }),
      },
    );
    lines.start();
    await settle();
  }

  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 250) {
      clock.advance(Math.min(left, 250));
      await settle();
    }
  }

  const paths = () => lines.status().map(({ path, state }) => `${path} ${state}`);

  it("are opened within a second of their appearance, and gone within a second of the end of both name and wire", async () => {
    await start();
    expect(paths()).toEqual([]);
    names = ["uno-1.sock", "notes.txt"];
    await pass(1_000);
    expect(paths()).toEqual(["unix:/data/boards/uno-1.sock open"]);
    names = [];
    await pass(1_000);
    expect(paths()).toEqual(["unix:/data/boards/uno-1.sock open"]); // the wire still holds
    ports.failure = () => "ENOENT: no such file";
    await ports.wire.pull();
    await pass(1_000);
    expect(paths()).toEqual([]);
    names = ["uno-1.sock"];
    ports.failure = () => null;
    await pass(1_000);
    expect(paths()).toEqual(["unix:/data/boards/uno-1.sock open"]);
    await lines.stop();
  });

  it("leave a line with settings of its own alone", async () => {
    names = ["uno-1.sock"];
    await start(["unix:/data/boards/uno-1.sock", "unix:/data/boards/*.sock"]);
    await pass(1_000);
    expect(ports.tried).toEqual(["unix:/data/boards/uno-1.sock"]);
    names = [];
    ports.failure = () => "ENOENT: no such file";
    await ports.wire.pull();
    await pass(3_000);
    expect(paths()).toEqual([expect.stringMatching(/uno-1.sock (waiting|opening)/)]);
    await lines.stop();
  });

  it("are 64 at most; more are counted", async () => {
    names = Array.from({ length: 70 }, (_, at) => `${at}.sock`);
    await start();
    await pass(2_000);
    expect(lines.status()).toHaveLength(64);
    expect(metrics.counter("serial_lines_refused", "").value).toBe(6);
    await lines.stop();
  });

  it("stay away when the folder cannot be read, and nothing runs after stop", async () => {
    await start(["unix:/elsewhere/*.sock"]);
    await pass(5_000);
    expect(lines.status()).toEqual([]);
    await lines.stop();
    expect(clock.pending).toBe(0);
  });

  it("include the boards of the simulator, without a setting", () => {
    expect(boardsPlug("/data")).toMatchObject({ path: "unix:/data/boards/*.sock", trusted: false });
  });
});
