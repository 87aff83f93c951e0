// c-cycles.mjs -- the longest tg_poll() on a 16 MHz AVR, in cycles, and its deepest stack, as simavr sees them.
//
//   node scripts/c-cycles.mjs [--seconds 10]
//
// The demo image of the ATmega328P reports 20 times a second and gets 4 commands a second over its UART, from a gateway
// of a few lines; the runner counts cycles from each entry of tg_poll() to its return, interrupts included.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { identityPage } from "@tidegate/firmware-sim";
import { decodeUplink, encodeDownlink, encodeStreamFrame, StreamDecoder } from "@tidegate/proto";

const FIRMWARE = fileURLToPath(new URL("../firmware-sim/firmware", import.meta.url));
const CYCLES_PER_US = 16;
const LIMIT_US = 500;
const LIMIT_STACK_BYTES = 320;
const COMMANDS_EVERY_MS = 250;
const secondsAt = process.argv.indexOf("--seconds");
const seconds = secondsAt < 0 ? 10 : Number(process.argv[secondsAt + 1]);

execFileSync("make", ["--no-print-directory", "avr", "runner"], { cwd: FIRMWARE, stdio: "ignore" });
const folder = mkdtempSync(join(tmpdir(), "tidegate-cycles-"));
const line = join(folder, "line");
writeFileSync(join(folder, "identity"), identityPage({ id: "cycles", token: "", seed: 1, intervalMs: 50 }));

const counts = { telemetry: 0, updates: 0, commands: 0 };
const args = new TextEncoder().encode('{"on":true}');

function onUplink(uplink, say) {
  const body = uplink.body;
  if (body?.kind === "hello") {
    const { attempt, bootNonce } = body.hello;
    const session = { epoch: 1, ackedSeq: 0, keepaliveMs: 30000, window: 8, unixMs: 0, wantCatalog: true };
    say({ kind: "welcome", welcome: { attempt, bootNonce, ...session, maxUplinkBytes: 1024 } });
  }
  if (body?.kind === "telemetry") counts.telemetry += 1;
  if (body?.kind === "commandUpdate") counts.updates += 1;
  if (uplink.seq > 0) say({ kind: "ack", ack: { seq: uplink.seq } });
}

const server = createServer((socket) => {
  const decoder = new StreamDecoder();
  const say = (body) => socket.write(encodeStreamFrame(encodeDownlink(body)));
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    for (const message of decoder.push(chunk)) {
      const decoded = decodeUplink(message);
      if (decoded.ok) onUplink(decoded.value, say);
    }
  });
  const timer = setInterval(() => {
    counts.commands += 1;
    const command = { id: counts.commands, code: 2, name: "", args, deadlineUptimeMs: 0, atMostOnce: false };
    say({ kind: "command", command });
  }, COMMANDS_EVERY_MS);
  setTimeout(() => {
    clearInterval(timer);
    socket.destroy(); // the runner ends with its line, and reports
  }, seconds * 1000);
});
server.listen(line, () => {
  const image = join(FIRMWARE, "build", "atmega328p.elf");
  const runner = spawn(
    join(FIRMWARE, "build", "run-avr"),
    ["atmega328p", image, line, join(folder, "identity"), "--cycles", "tg_poll"],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  runner.stderr.on("data", (chunk) => {
    said += chunk;
  });
  runner.on("close", () => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
    const stack = Number(said.match(/, (\d+) bytes of stack/)?.[1] ?? Number.NaN);
    const us = Number(said.match(/worst (\d+) cycles/)?.[1] ?? Number.NaN) / CYCLES_PER_US;
    console.log(`telemetry ${counts.telemetry}, commands ${counts.commands}, answered ${counts.updates}`);
    console.log(`worst tg_poll: ${us} us of ${LIMIT_US}`);
    console.log(`deepest: ${stack} bytes of stack of ${LIMIT_STACK_BYTES}, the application and interrupts included`);
    process.exitCode = us <= LIMIT_US && stack <= LIMIT_STACK_BYTES && counts.updates > 0 ? 0 : 1;
  });
});
