// c-cycles.mjs -- what tg_poll() takes of a board while it runs: time on an AVR, stack on an AVR and on Cortex-M.
//
//   node scripts/c-cycles.mjs [--seconds 10]      exit 1 when a limit is passed
//
// The demo image reports 20 times a second and gets 4 commands a second over its UART, from a gateway of a few lines.
// AVR: the runner counts cycles from each entry of tg_poll() to its return, and watches the stack pointer. Cortex-M
// under QEMU: the image paints the stack below each call and looks how far the paint is gone (firmware/demo/painted.h);
// QEMU's cycles mean nothing. With interrupts and the application's handlers: what SIZE.md cannot see.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { boardKind, identityPage } from "@tidegate/firmware-sim";
import { decodeUplink, encodeDownlink, encodeStreamFrame, StreamDecoder } from "@tidegate/proto";

const FIRMWARE = fileURLToPath(new URL("../firmware-sim/firmware", import.meta.url));
const BUILD = join(FIRMWARE, "build");
const CYCLES_PER_US = 16;
const BOARDS = [
  { kind: "uno", core: "ATmega328P at 16 MHz", limitUs: 500, limitBytes: 320 },
  { kind: "microbit", core: "Cortex-M0", limitBytes: 512 },
  { kind: "mps2", core: "Cortex-M3", limitBytes: 512 },
];
const COMMANDS_EVERY_MS = 250;
const ANSWER_MS_MAX = 5_000;
const ARGS = new TextEncoder().encode('{"on":true}');

const { values } = parseArgs({ options: { seconds: { type: "string", default: "10" } } });
const folder = mkdtempSync(join(tmpdir(), "tidegate-cycles-"));
try {
  mkdirSync(BUILD, { recursive: true });
  // The simulator's own lock: two must not write one image at the same time.
  const make = ["make", "--no-print-directory", "avr", "runner", "painted"];
  execFileSync("flock", [join(BUILD, ".lock"), ...make], { cwd: FIRMWARE, stdio: "ignore" });
  console.log("| board | core | longest tg_poll() | deepest stack of it | readings, commands, answers |");
  console.log("|---|---|---:|---:|---:|");
  for (const board of BOARDS) report(board, await measure(board));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function report({ kind, core, limitUs, limitBytes }, { us, bytes, counts }) {
  const time = limitUs === undefined ? "–" : `${us} us / ${limitUs}`;
  const { telemetry, commands, updates } = counts;
  console.log(`| ${kind} | ${core} | ${time} | ${bytes} B / ${limitBytes} | ${telemetry}, ${commands}, ${updates} |`);
  const isWithin = bytes > 0 && bytes <= limitBytes && (limitUs === undefined || us <= limitUs);
  if (!isWithin || updates === 0) process.exitCode = 1;
}

/** Runs one board. @returns us: longest poll; bytes: deepest stack */
async function measure({ kind: name }) {
  const kind = boardKind(name);
  const at = (what) => join(folder, `${name}.${what}`);
  writeFileSync(at("page"), identityPage({ id: "cycles", token: "", seed: 1, intervalMs: 50 }));
  const seat = { uart: at("uart"), page: at("page"), id: "cycles", token: "", intervalMs: 50 };
  const { program, args } = kind.command(BUILD, seat);
  const counts = { telemetry: 0, updates: 0, commands: 0 };
  const line = await listen(at("uart"), (socket) => talk(socket, counts));
  const result = await (program.startsWith("qemu") ? onQemu(at, program, args) : onSimavr(line, program, args));
  line.hangUp();
  return { ...result, counts };
}

/** A socket that stands for a wire. */
function listen(path, onSocket) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return new Promise((resolve) => server.listen(path, () => resolve({ hangUp })));
}

/** The gateway of a few lines. */
function talk(socket, counts) {
  const decoder = new StreamDecoder();
  const say = (body) => socket.write(encodeStreamFrame(encodeDownlink(body)));
  socket.on("data", (chunk) => {
    for (const message of decoder.push(chunk)) {
      const decoded = decodeUplink(message);
      if (decoded.ok) onUplink(decoded.value, say, counts);
    }
  });
  const timer = setInterval(() => {
    counts.commands += 1;
    const command = { id: counts.commands, code: 2, name: "", args: ARGS, deadlineUptimeMs: 0, atMostOnce: false };
    say({ kind: "command", command });
  }, COMMANDS_EVERY_MS);
  socket.on("close", () => clearInterval(timer));
}

function onUplink({ seq, body }, say, counts) {
  if (body?.kind === "hello") {
    const { attempt, bootNonce } = body.hello;
    const session = { epoch: 1, ackedSeq: 0, keepaliveMs: 30000, window: 8, unixMs: 0, wantCatalog: true };
    say({ kind: "welcome", welcome: { attempt, bootNonce, ...session, maxUplinkBytes: 1024 } });
  }
  if (body?.kind === "telemetry") counts.telemetry += 1;
  if (body?.kind === "commandUpdate") counts.updates += 1;
  if (seq > 0) say({ kind: "ack", ack: { seq } });
}

function later() {
  return new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1000));
}

/** The runner ends with its line, and reports. */
async function onSimavr(line, program, args) {
  const runner = spawn(program, [...args, "--cycles", "tg_poll"], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  runner.stderr.on("data", (chunk) => {
    said += chunk;
  });
  const ended = new Promise((resolve) => runner.on("close", resolve));
  await later();
  line.hangUp();
  await ended;
  const [, cycles, bytes] = /worst (\d+) cycles, (\d+) bytes/.exec(said) ?? [];
  return { us: Number(cycles) / CYCLES_PER_US, bytes: Number(bytes) };
}

/** The painted image, asked through QEMU's monitor. */
async function onQemu(at, program, args) {
  const image = args.find((arg) => arg.endsWith(".elf")) ?? "";
  const painted = image.replace(/\.elf$/, "-painted.elf");
  const own = args.map((arg, i) =>
    arg === image ? painted : args[i - 1] === "-monitor" ? `unix:${at("monitor")}` : arg,
  );
  const symbols = execFileSync("arm-none-eabi-nm", [painted], { encoding: "utf8" });
  const address = /^([0-9a-f]+) \w deepest_poll$/m.exec(symbols)?.[1] ?? "";
  let monitor = null;
  let said = "";
  const console_ = await listen(at("monitor"), (socket) => {
    monitor = socket;
    socket.on("data", (chunk) => {
      said += chunk;
    });
  });
  const qemu = spawn(program, own, { stdio: "ignore" });
  const ended = new Promise((resolve) => qemu.on("close", resolve));
  await later();
  monitor?.write(`xp /1wx 0x${address}\n`);
  const word = () => /: (0x[0-9a-f]{8})/.exec(said)?.[1];
  for (const sinceMs = performance.now(); word() === undefined && performance.now() - sinceMs < ANSWER_MS_MAX; ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  qemu.kill("SIGKILL");
  await ended;
  console_.hangUp();
  return { bytes: Number(word()) };
}
