/** The serial link on a wire in memory: frames, noise, bounds, and what it tells of the line. */
import { Duplex } from "node:stream";
import { encodeStreamFrame, StreamDecoder } from "@tidegate/proto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Device } from "../device.js";
import { ManualClock } from "../testing/manual-clock.js";
import type { Link, LinkClosed } from "./link.js";
import { serialConnect } from "./serial-link.js";

const URL_OF_LINE = "serial:/dev/ttyUSB0?baud=115200";

class Wire {
  readonly bytes: number[] = [];
  readonly messages: number[][] = [];
  isStuck = false;
  isClosed = false;
  release = (): void => {};
  readonly #decoder = new StreamDecoder();
  readonly stream = new Duplex({
    read: () => {},
    write: (chunk: Uint8Array, _encoding, done) => {
      this.bytes.push(...chunk);
      for (const message of this.#decoder.push(chunk)) this.messages.push([...message]);
      if (this.isStuck) this.release = done;
      else done();
    },
  });
  readonly close = (): void => {
    this.isClosed = true;
    this.stream.destroy();
  };
}

let wire: Wire;
let clock: ManualClock;
let frames: number[][];
let ended: LinkClosed[];
let opened: number;
const writable = vi.fn();
const settle = async () => {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
};

beforeEach(() => {
  wire = new Wire();
  clock = new ManualClock();
  [frames, ended, opened] = [[], [], 0];
  writable.mockClear();
});

async function open(failure?: Error, url = URL_OF_LINE): Promise<Link> {
  const link = serialConnect({
    url,
    clock,
    open: () => (failure === undefined ? Promise.resolve(wire) : Promise.reject(failure)),
  })({
    opened: () => {
      opened++;
    },
    frame: (bytes) => frames.push([...bytes]),
    writable,
    closed: (closed) => ended.push(closed),
  });
  expect(link.writable).toBe(false); // and no event from inside connect
  await settle();
  return link;
}

describe("a serial link", () => {
  test("[P-38] begins with one zero, then sends each message as a frame [P-37]", async () => {
    const link = await open();
    expect(opened).toBe(1);
    expect(link.send(Uint8Array.of(1, 0, 2))).toBe(true);
    await settle();
    expect(wire.bytes).toEqual([0, ...encodeStreamFrame(Uint8Array.of(1, 0, 2))]);
  });

  test("[P-38] hands over whole messages, whatever noise stands between them", async () => {
    await open();
    wire.stream.push(Buffer.from("login: \0"));
    for (const byte of encodeStreamFrame(Uint8Array.of(4, 5))) wire.stream.push(Uint8Array.of(byte));
    await settle();
    expect(frames).toEqual([[4, 5]]);
  });

  test("[P-11] asks the session for a proof, a Hello every second, and repetition of what gets lost", async () => {
    const fast = await open();
    expect(fast.traits).toMatchObject({ needsProof: true, helloRetryMs: 1_000, messageBytesMax: 1_024 });
    const slow = await open(undefined, "serial:/dev/ttyUSB0?baud=9600");
    expect(fast.traits.retransmitMs).toBeGreaterThan(1_000);
    // What is under way at 9600 baud takes seconds; repeating it earlier would only lengthen the queue.
    expect(slow.traits.retransmitMs).toBeGreaterThan(7_000);
  });

  test("is full when little waits, and says when there is room again", async () => {
    const link = await open();
    wire.isStuck = true;
    let accepted = 0;
    while (link.send(new Uint8Array(1_000)) && accepted < 100) accepted++;
    expect(accepted).toBe(3);
    wire.isStuck = false;
    wire.release();
    await settle();
    expect(writable).toHaveBeenCalled();
    expect(link.writable).toBe(true);
  });

  test("tells once that the line is gone", async () => {
    await open();
    wire.stream.destroy(new Error("unplugged"));
    await settle();
    expect(ended).toMatchObject([{ kind: "lost", detail: "/dev/ttyUSB0 is gone" }]);
  });

  test.each([
    [new Error("Error: Permission denied, cannot open /dev/ttyUSB0"), /dialout/],
    [Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" }), /npm install serialport/],
    [new Error("Error: No such file or directory, cannot open"), /No such file/],
  ])("says what to do when it cannot open: %s", async (failure, detail) => {
    await open(failure);
    expect(ended[0]?.detail).toMatch(detail);
  });

  test("close lets what was sent arrive, abort does not wait; neither tells anything", async () => {
    const link = await open();
    link.send(Uint8Array.of(7));
    link.close(1000);
    await settle();
    expect(wire.messages).toEqual([[7]]);
    expect(wire.isClosed).toBe(true);
    wire = new Wire();
    const second = await open();
    second.abort();
    expect(wire.isClosed).toBe(true);
    expect(ended).toEqual([]);
  });

  test("close does not wait for ever for a line that takes nothing", async () => {
    const link = await open();
    wire.isStuck = true;
    link.send(Uint8Array.of(7));
    link.close(1000);
    clock.advance(500);
    expect(wire.isClosed).toBe(true);
  });
});

describe("a device on a serial line", () => {
  test.each(["serial:", "serial:?baud=9600", "serial:/dev/x?baud=1", "serial:/dev/x?speed=9600"])(
    "refuses %s at its construction",
    (url) => {
      expect(() => new Device({ url, id: "d1" })).toThrow(/names no serial line/);
    },
  );

  test("cuts its messages to what the line carries", () => {
    expect(() => new Device({ url: URL_OF_LINE, id: "d1", maxBatchBytes: 4_096 })).toThrow(/maxBatchBytes/);
    expect(() => new Device({ url: URL_OF_LINE, id: "d1" })).not.toThrow();
  });
});
