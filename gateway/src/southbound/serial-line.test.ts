/** One serial line on wires in memory and a manual clock: noise, corruption, replugging, refusals, bounds. */
import { encodeDownlink, encodeStreamFrame } from "@tidegate/proto";
import { beforeEach, describe, expect, it } from "vitest";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { SerialLine, serialCounters } from "./serial-line.js";
import { portBySerialNumber, type SerialPortFacts } from "./serial-open.js";
import { serialProblem } from "./serial-problem.js";
import { MemoryPorts, settle } from "./testing/memory-wire.js";

const BY_ID = "/dev/serial/by-id/usb-Arduino__www.arduino.cc__0043_8573-if00";
const port = (device: string, serialNumber: string | null): SerialPortFacts => ({
  path: device,
  device,
  manufacturer: null,
  serialNumber,
  usbId: null,
});

let clock: ManualClock;
let metrics: Metrics;
let ports: MemoryPorts;
let messages: number[][];
let lostCount: number;
let list: SerialPortFacts[];

beforeEach(() => {
  clock = new ManualClock();
  metrics = new Metrics();
  ports = new MemoryPorts();
  messages = [];
  lostCount = 0;
  list = [];
});

async function start(path = "/dev/ttyUSB0", rate = { messagesPerSecond: 1000, messageBurst: 1000 }) {
  const world = {
    clock,
    random: new SeededRandom(7),
    log: SILENT,
    counters: serialCounters(metrics),
    open: ports.open,
    list: () => Promise.resolve(list),
  };
  const line = new SerialLine({ path, baud: 115_200, ...rate }, world, {
    message: (bytes) => messages.push([...bytes]),
    lost: () => {
      lostCount += 1;
    },
  });
  line.start();
  await settle();
  return line;
}

/** Let time pass in steps, each with what it sets in motion. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(250, left));
    await settle();
  }
}

const frame = (...bytes: number[]) => encodeStreamFrame(Uint8Array.from(bytes));

describe("bytes on a serial line", () => {
  it("[P-38] begins with one zero, which ends the noise before it", async () => {
    const line = await start();
    expect(ports.wire.bytes).toEqual([0]);
    const message = encodeDownlink({ kind: "sayHello" });
    line.send(message);
    await settle();
    expect(ports.wire.bytes.slice(1)).toEqual([...encodeStreamFrame(message)]);
  });

  it("[P-37] finds messages in bytes that come one at a time, and several in one chunk", async () => {
    await start();
    for (const byte of frame(1, 0, 2)) await ports.wire.feed(Uint8Array.of(byte));
    await ports.wire.feed(Buffer.concat([frame(3), frame(4)]));
    expect(messages).toEqual([[1, 0, 2], [3], [4]]);
  });

  it("[P-38] skips and counts boot chatter and log lines between frames", async () => {
    const line = await start();
    await ports.wire.feed("ets Jul 29 2019 12:21:46\r\nrst:0x1 (POWERON_RESET)\r\n\0");
    await ports.wire.feed(frame(1));
    await ports.wire.feed("wifi: connected\n\0");
    await ports.wire.feed(frame(2));
    expect(messages).toEqual([[1], [2]]);
    expect(line.status.noiseCount).toBe(2);
    expect(line.status.chatter.map(({ text }) => text)).toEqual([
      "ets Jul 29 2019 12:21:46",
      "rst:0x1 (POWERON_RESET)",
      "wifi: connected",
    ]);
    expect(metrics.read("serial_noise")).toBe(2);
  });

  it("[P-38] loses exactly one frame to a corrupted byte", async () => {
    const line = await start();
    const broken = frame(7, 7, 7);
    broken[2] = 9;
    await ports.wire.feed(Buffer.concat([frame(1), broken, frame(2)]));
    expect(messages).toEqual([[1], [2]]);
    expect(line.status).toMatchObject({ messageCount: 2, noiseCount: 1, openCount: 1 });
  });

  it("neither sends nor takes a message longer than 1 KiB, and counts both", async () => {
    const line = await start();
    expect(line.send(new Uint8Array(1_025))).toBe(false);
    await ports.wire.feed(encodeStreamFrame(new Uint8Array(1_025).fill(1)));
    await ports.wire.feed(frame(5));
    expect(messages).toEqual([[5]]);
    expect(line.status).toMatchObject({ noiseCount: 1, droppedCount: 1 });
  });

  it("drops frames when the queue is full, counts them, and goes on when there is room again", async () => {
    const line = await start();
    ports.wire.isStuck = true;
    let accepted = 0;
    while (line.send(new Uint8Array(1_000)) && accepted < 1_000) accepted += 1;
    expect(accepted).toBeGreaterThan(10);
    expect(accepted).toBeLessThan(20);
    expect(metrics.read("serial_frames_dropped")).toBe(1);
  });

  it("does not read on for a while when a line brings more than its share", async () => {
    await start("/dev/ttyUSB0", { messagesPerSecond: 1, messageBurst: 2 });
    for (let n = 0; n < 6; n += 1) await ports.wire.feed(frame(n));
    expect(messages.length).toBeLessThan(6);
    expect(metrics.read("noisy_peers")).toBe(1);
    await pass(10_000);
    expect(messages).toHaveLength(6);
  });

  it("holds back under pressure and reads on afterwards", async () => {
    const line = await start();
    line.hold(true);
    await ports.wire.feed(frame(1));
    expect(messages).toEqual([]);
    line.hold(false);
    await settle();
    expect(messages).toEqual([[1]]);
  });
});

describe("a line that comes and goes", () => {
  it("is opened again by itself after the device was pulled out, and starts with a clean decoder", async () => {
    const line = await start();
    await ports.wire.feed(frame(1, 2, 3).subarray(0, 3));
    ports.failure = () => "Error: No such file or directory, cannot open /dev/ttyUSB0";
    await ports.wire.pull();
    expect(line.status).toMatchObject({ state: "waiting", problem: { code: "E_SERIAL_MISSING" } });
    expect(lostCount).toBe(1);
    await pass(60_000);
    // At most 5 s between two looks, and no hammering either.
    expect(ports.tried.length).toBeGreaterThan(12);
    expect(ports.tried.length).toBeLessThan(80);
    ports.failure = () => null;
    await pass(5_250);
    expect(line.status).toMatchObject({ state: "open", problem: null });
    await ports.wire.feed(frame(9));
    expect(messages).toEqual([[9]]);
  });

  it("is found by its USB serial number when the by-id name is not there", async () => {
    list = [port("/dev/ttyACM0", "1111"), port("/dev/ttyACM3", "8573"), port("/dev/ttyS0", null)];
    ports.failure = (path) => (path === BY_ID ? "ENOENT: no such file" : null);
    await start(BY_ID);
    expect(ports.tried).toEqual([BY_ID, "/dev/ttyACM3"]);
  });

  it("is not guessed at when no port or several ports have the number", () => {
    expect(portBySerialNumber(BY_ID, [port("/dev/ttyACM0", "857")])).toBeNull();
    expect(portBySerialNumber(BY_ID, [port("/dev/ttyACM0", "8573"), port("/dev/ttyACM1", "8573")])).toBeNull();
    expect(portBySerialNumber("/dev/ttyACM0", [port("/dev/ttyACM1", "ACM0")])).toBeNull();
  });

  it("leaves no timer and nothing open after stop, whatever it was doing", async () => {
    const open = await start();
    await open.stop();
    expect(ports.wire.stream.destroyed).toBe(true);
    ports.failure = () => "EACCES";
    const waiting = await start();
    await waiting.stop();
    expect(clock.pending).toBe(0);
    expect(waiting.send(Uint8Array.of(1))).toBe(false);
  });

  it("does not wait for ever at stop for a line that nobody reads", async () => {
    const line = await start();
    ports.wire.isStuck = true;
    line.send(Uint8Array.of(1));
    const stopped = line.stop();
    await pass(750);
    await stopped;
    expect(line.status.state).toBe("stopped");
  });
});

describe("what is wrong with a line", () => {
  it.each([
    ["Error: Permission denied, cannot open /dev/x", "E_SERIAL_DENIED", /usermod -aG dialout/],
    ["EACCES: permission denied, open", "E_SERIAL_DENIED", /usermod -aG dialout/],
    ["Error Resource temporarily unavailable Cannot lock port", "E_SERIAL_BUSY", /fuser -v \/dev\/x/],
    ["Error: Device or resource busy, cannot open /dev/x", "E_SERIAL_BUSY", /ModemManager/],
    ["Error: No such file or directory, cannot open /dev/x", "E_SERIAL_MISSING", /tidegate serial ls/],
    ["Error: Inappropriate ioctl for device, cannot open", "E_SERIAL", /cable/],
  ])("%s is %s with what to do", (text, code, fix) => {
    const problem = serialProblem("/dev/x", new Error(text));
    expect(problem.code).toBe(code);
    expect(problem.fix).toMatch(fix);
  });
});
