/** `tidegate serial` on wires in memory: ports listed, devices identified, lines shown; tokens never. */
import { encodeStreamFrame } from "@tidegate/proto";
import { describe, expect, it } from "vitest";
import { hello, telemetry, uplink } from "../session/testing/fake-session-world.js";
import { MemoryPorts } from "../southbound/testing/memory-wire.js";
import { LineTap, noiseText } from "./line-tap.js";
import { cli } from "./testing/fake-context.js";

const TOKEN = "tg_very_secret";
const HELLO = encodeStreamFrame(
  uplink({
    kind: "hello",
    hello: hello({ proof: Buffer.from(TOKEN), model: "uno\u001b[2J", firmware: "1.2", maxRxBytes: 91 }),
  }),
);
const PORT = {
  path: "/dev/serial/by-id/usb-Arduino-if00",
  device: "/dev/ttyACM0",
  manufacturer: "Arduino",
  serialNumber: "8573",
  usbId: "2341:0043",
};

/** A port on which `bytes` come in as soon as it is open. */
function line(...chunks: (Uint8Array | string)[]) {
  const ports = new MemoryPorts();
  const open: MemoryPorts["open"] = async (path, baud) => {
    const channel = await ports.open(path, baud);
    for (const chunk of chunks) channel.stream.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
    return channel;
  };
  return { ports, overrides: { serial: { open, list: () => Promise.resolve([PORT]) } } };
}

describe("serial ls", () => {
  it("shows the path that survives replugging", async () => {
    const { overrides } = line();
    const { out, exitCode } = await cli(["serial", "ls"], { overrides });
    expect(exitCode).toBe(0);
    expect(out).toContain("/dev/ttyACM0");
    expect(out).toContain(PORT.path);
    expect(out).toContain("arduino-uno");
    expect(JSON.parse((await cli(["serial", "ls", "--json"], { overrides })).out)).toEqual({
      ports: [{ ...PORT, board: "arduino-uno" }],
    });
  });

  it("says what to do when there is none", async () => {
    expect((await cli(["serial", "ls"])).out).toMatch(/plug the device in/);
  });
});

describe("serial identify", () => {
  it("shows who says Hello, asks those who do not, and shows no token [P-11]", async () => {
    const { overrides, ports } = line("boot\r\n\0", HELLO);
    const { out, err, exitCode } = await cli(["serial", "identify", "/dev/ttyACM0"], { overrides });
    expect([exitCode, err]).toEqual([0, ""]);
    expect(out).toMatch(/pump-7[\s\S]*1\.2[\s\S]*91 bytes/);
    expect(out).not.toContain(TOKEN);
    expect(out).not.toContain("\u001b[2J");
    expect(ports.wire.heard[0]?.kind).toBe("sayHello");
    expect(ports.wire.stream.destroyed).toBe(true);
  });

  it("names the board by its USB number, whatever the device calls itself", async () => {
    const known = await cli(["serial", "identify", PORT.path, "--json"], { overrides: line(HELLO).overrides });
    expect(JSON.parse(known.out)).toMatchObject({ deviceId: "pump-7", board: "arduino-uno" });
    const { out } = await cli(["serial", "identify", PORT.device], { overrides: line(HELLO).overrides });
    expect(out).toContain("arduino-uno, by its USB number");
    const { ports } = line(HELLO);
    const open: MemoryPorts["open"] = async (path, baud) => {
      const channel = await ports.open(path, baud);
      channel.stream.push(HELLO);
      return channel;
    };
    const unlisted = { serial: { open, list: () => Promise.reject(new Error("udevadm is not there")) } };
    const other = await cli(["serial", "identify", "/dev/other", "--json"], { overrides: unlisted });
    expect(JSON.parse(other.out)).toMatchObject({ deviceId: "pump-7", board: null });
  });

  it("ends when nothing answers, and tells noise from silence", async () => {
    const silent = await cli(["serial", "identify", "/dev/x", "--wait", "3s"], { overrides: line().overrides });
    expect([silent.exitCode, silent.err]).toEqual([1, expect.stringContaining("nothing was heard")]);
    const noisy = await cli(["serial", "identify", "/dev/x", "--json"], { overrides: line("rubbish\0").overrides });
    expect(JSON.parse(noisy.err).error).toMatchObject({
      code: "E_SERIAL_SILENT",
      why: expect.stringContaining("7 bytes"),
    });
  });

  it("tells in three lines why a port cannot be opened", async () => {
    const list = () => Promise.resolve([]);
    const open = () => Promise.reject(new Error("Error: Permission denied, cannot open /dev/ttyUSB0"));
    const { err, exitCode } = await cli(["serial", "identify", "/dev/ttyUSB0"], {
      overrides: { serial: { open, list } },
    });
    expect(exitCode).toBe(1);
    expect(err).toMatch(/E_SERIAL_DENIED[\s\S]*dialout/);
  });
});

describe("serial monitor", () => {
  it("shows noise as text, messages decoded and in hex, and never the token", async () => {
    const broken = encodeStreamFrame(telemetry(1));
    broken[3] = 0x55;
    const { overrides } = line("rst:0x1 (POWERON)\r\n\0", HELLO, broken, encodeStreamFrame(telemetry(2, { gap: 1 })));
    const { out } = await cli(["serial", "monitor", "/dev/x", "--hex", "--count", "4"], { overrides });
    expect(out).toMatch(/noise {2}rst:0x1 \(POWERON\)\n/);
    expect(out).toMatch(/hello.*pump-7.*not shown/);
    expect(out).toMatch(/telemetry #2 gap 1 /);
    expect(out).not.toContain(TOKEN);
    expect(out).not.toContain(Buffer.from(TOKEN).toString("hex").slice(0, 8));
    expect(out).not.toContain("74 67 5f 76");
  });

  it("prints one JSON object per piece for programs", async () => {
    const { overrides } = line("log line\n\0", HELLO, encodeStreamFrame(Uint8Array.of(0xff, 0xff)));
    const { out } = await cli(["serial", "monitor", "/dev/x", "--json", "--count", "3"], { overrides });
    const pieces = out
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(pieces).toMatchObject([
      { kind: "noise", text: "log line" },
      { kind: "message", message: "hello", content: { deviceId: "pump-7", proof: "[not shown]" } },
      { kind: "unknown", hex: "ff ff" },
    ]);
    expect(out).not.toContain(TOKEN);
  });
});

describe("the tap on a line", () => {
  it("gives text out when the line is quiet, and keeps the start of a frame", () => {
    const tap = new LineTap();
    expect(tap.push(Buffer.from("starting wifi\r\n"))).toEqual([]);
    expect(tap.settle().map(({ bytes }) => noiseText(bytes))).toEqual(["starting wifi"]);
    const frame = encodeStreamFrame(telemetry(7));
    expect([...tap.push(frame.subarray(0, 9)), ...tap.settle()]).toEqual([]);
    expect(tap.push(frame.subarray(9))).toMatchObject([{ kind: "message", uplink: { seq: 7 } }]);
  });

  it("holds at most one stretch, whatever comes", () => {
    const tap = new LineTap();
    const pieces = tap.push(new Uint8Array(10_000).fill(0xaa));
    expect(pieces.every(({ kind, bytes }) => kind === "noise" && bytes.length <= 1_200)).toBe(true);
    expect(pieces).toHaveLength(8);
  });
});
