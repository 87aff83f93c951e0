/**
 * Real firmware images in emulators: Cortex-M0 and M3 under QEMU, ATmega328P and ATmega2560 under simavr, each with its
 * UART on a unix socket, against a gateway of a few lines and the TypeScript codec.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeStreamFrame, StreamDecoder } from "@tidegate/proto";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { TinyGateway } from "../../device-sdk/c/test/tiny-gateway.js";
import { requires } from "../../scripts/testing/requires.mjs";
import { boardKind } from "../src/boards/board-kind.js";
import { identityPage } from "../src/boards/identity.js";
import { buildImages } from "../src/boards/images.js";
import { NoisyGateway } from "./noisy-gateway.js";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const BUILD = join(FOLDER, "build");
const BUILD_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 180_000;
/** How many numbers a noise test accounts for, about 24 a second; TIDEGATE_NOISE_NUMBERS=1440 makes it a minute. */
const NUMBERS = Number(process.env.TIDEGATE_NOISE_NUMBERS ?? 150);
/** What a board sends in about a second: one message in flight window, again and again, and Hellos. */
const IGNORED_BYTES = 400;

interface Board {
  name: string;
  model: string;
  command: (line: string, page: string) => [string, string[]];
}

function qemu(machine: string, image: string, identityAt: string) {
  return (line: string, page: string): [string, string[]] => [
    "qemu-system-arm",
    [
      ...["-M", machine, "-kernel", join(BUILD, image), "-display", "none", "-monitor", "none", "-nodefaults"],
      ...["-serial", `unix:${line}`, "-device", `loader,file=${page},addr=${identityAt},force-raw=on`],
    ],
  ];
}

function simavr(mcu: string) {
  return (line: string, page: string): [string, string[]] => [
    join(BUILD, "run-avr"),
    [mcu, join(BUILD, `${mcu}.elf`), line, page],
  ];
}

const ARM_BOARDS: Board[] = [
  { name: "Cortex-M0 (microbit)", model: "microbit", command: qemu("microbit", "microbit.elf", "0x20003f80") },
  { name: "Cortex-M3 (mps2-an385)", model: "mps2-an385", command: qemu("mps2-an385", "mps2.elf", "0x20020000") },
];
const AVR_BOARDS: Board[] = [
  { name: "ATmega328P", model: "atmega328p", command: simavr("atmega328p") },
  { name: "ATmega2560", model: "atmega2560", command: simavr("atmega2560") },
];

let folder = "";
let child: ChildProcess | undefined;
let server: Server | undefined;
const open: Socket[] = [];

/** Starts a board and gives its UART to `wire`; the line listens before the board runs, so no byte is lost. */
async function start(board: Board, wire: (socket: Socket) => void): Promise<void> {
  const line = join(folder, `${board.model}.sock`);
  const page = join(folder, `${board.model}.bin`);
  const who = { id: `${board.model}-7`, token: "board-token", seed: 0x5eed_0001, intervalMs: 50 };
  await writeFile(page, identityPage(who));
  server = createServer((socket) => {
    open.push(socket);
    socket.on("error", () => {});
    wire(socket);
  });
  await new Promise<void>((listening) => server?.listen(line, listening));
  const [command, args] = board.command(line, page);
  child = spawn(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** Hello with the board's identity, catalog, telemetry without a hole, commands obeyed. */
async function provesItself(board: Board): Promise<void> {
  const gateway = new TinyGateway();
  await start(board, (socket) => {
    const decoder = new StreamDecoder();
    gateway.attach((message) => socket.write(encodeStreamFrame(message)));
    socket.on("data", (chunk) => {
      for (const message of decoder.push(chunk)) gateway.hear(message);
    });
  });
  const hello = await gateway.next((u) => u.body?.kind === "hello");
  expect(hello.body).toMatchObject({ hello: { deviceId: `${board.model}-7`, model: board.model, maxRxBytes: 91 } });
  const catalog = await gateway.next((u) => u.body?.kind === "catalog");
  if (catalog.body?.kind !== "catalog") throw new Error("unreachable");
  expect(catalog.body.catalog.signals.map((s) => s.key)).toEqual(["temperature", "count", "led", "executed"]);

  const args = new TextEncoder().encode('{"on":true}');
  const base = { name: "", args, deadlineUptimeMs: 0, atMostOnce: false };
  gateway.say({ kind: "command", command: { ...base, id: 1, code: 1 } });
  gateway.say({ kind: "command", command: { ...base, id: 2, code: 2 } });
  gateway.say({ kind: "command", command: { ...base, id: 2, code: 2 } });
  gateway.say({ kind: "heartbeat", heartbeat: { uptimeMs: 0, unixMs: 0, ping: 9, nextSeq: 0, oldest: 0 } });
  await gateway.next((u) => u.body?.kind === "commandUpdate" && u.body.commandUpdate.id === 1);
  const echo = await gateway.next((u) => u.body?.kind === "commandUpdate" && u.body.commandUpdate.id === 2);
  if (echo.body?.kind !== "commandUpdate") throw new Error("unreachable");
  expect(Buffer.from(echo.body.commandUpdate.result).toString()).toBe('{"on":true}');
  await gateway.next((u) => u.body?.kind === "heartbeat" && u.body.heartbeat.ping === 9);

  await gateway.next((u) => u.body?.kind === "telemetry" && u.seq >= 12);
  const seqs = gateway.uplinks.filter((u) => u.seq > 0).map((u) => u.seq);
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
}

/**
 * Noise in both directions, telemetry at 20 Hz, commands at 4 Hz, and perhaps the gateway killed and started again in the
 * middle: what is stored and what is listed as lost must account for every number, and no command may run twice.
 */
async function survivesNoise(board: Board, byteErrors: number, killed: boolean): Promise<NoisyGateway> {
  const opened = new Promise<NoisyGateway>((found) => {
    void start(board, (socket) => {
      const write = (bytes: Uint8Array) => socket.write(bytes);
      const line = new NoisyGateway({ byteErrors, seed: 0x71de, nowMs: () => performance.now(), write });
      socket.on("data", (chunk) => line.hear(chunk));
      found(line);
    });
  });
  const gateway = await opened;
  const commands = setInterval(() => gateway.command(), 250);
  await gateway.until(() => gateway.accepted >= NUMBERS / 2);
  if (killed) {
    gateway.kill(); // for about a second: 20 readings, of which the ring holds a dozen; the rest must be on the list
    await gateway.until(() => gateway.ignoredBytes > IGNORED_BYTES);
    gateway.start();
  }
  await gateway.until(() => gateway.accepted >= NUMBERS);
  clearInterval(commands);
  const { stored, gaps, results, counts, commandsSent } = gateway;
  const lost = gaps.reduce((sum, gap) => sum + gap.to - gap.from + 1, 0);
  console.log(board.name, { byteErrors, stored: stored.length, lost, commandsSent, answered: results.size, ...counts });
  expect(counts.epochs).toBe(1);
  expect(stored.length + lost).toBe(stored.at(-1));
  expect([...results.values()].every((times) => times === 1)).toBe(true);
  expect(results.size).toBeGreaterThan(0);
  expect(commandsSent - results.size).toBeLessThanOrEqual(1);
  return gateway;
}

const build = async (...names: string[]) => {
  await buildImages(names.map(boardKind), process.env["PATH"] ?? "");
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-boards-"));
});
afterEach(() => {
  child?.kill("SIGKILL");
  for (const socket of open.splice(0)) socket.destroy();
  server?.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const withArm = requires("arm-none-eabi-gcc", "qemu-system-arm", "make");
withArm.describe("the demo firmware on emulated Cortex-M boards", () => {
  beforeAll(() => build("microbit", "mps2"), BUILD_TIMEOUT_MS);
  for (const board of ARM_BOARDS) {
    withArm.it(`${board.name} reports, obeys and answers over its UART`, () => provesItself(board), RUN_TIMEOUT_MS);
  }
  for (const board of ARM_BOARDS.slice(0, 1)) {
    withArm.it(
      `${board.name} loses nothing and runs nothing twice at one wrong byte in a thousand`,
      async () => expect((await survivesNoise(board, 0.001, false)).gaps).toEqual([]),
      RUN_TIMEOUT_MS,
    );
    withArm.it(
      `${board.name} lists every loss at one wrong byte in a hundred and a gateway that was killed`,
      async () => expect((await survivesNoise(board, 0.01, true)).counts.badFrames).toBeGreaterThan(0),
      RUN_TIMEOUT_MS,
    );
  }
});

const withAvr = requires("avr-gcc", "gcc", "simavr", "make");
withAvr.describe("the demo firmware on emulated AVR boards", () => {
  beforeAll(() => build("uno", "mega"), BUILD_TIMEOUT_MS);
  for (const board of AVR_BOARDS) {
    withAvr.it(`${board.name} reports, obeys and answers over its UART`, () => provesItself(board), RUN_TIMEOUT_MS);
  }
  for (const board of AVR_BOARDS.slice(0, 1)) {
    withAvr.it(
      `${board.name} loses nothing and runs nothing twice at one wrong byte in a thousand`,
      async () => expect((await survivesNoise(board, 0.001, false)).gaps).toEqual([]),
      RUN_TIMEOUT_MS,
    );
    withAvr.it(
      `${board.name} lists every loss at one wrong byte in a hundred and a gateway that was killed`,
      async () => expect((await survivesNoise(board, 0.01, true)).counts.badFrames).toBeGreaterThan(0),
      RUN_TIMEOUT_MS,
    );
  }
});
