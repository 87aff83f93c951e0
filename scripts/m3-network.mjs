// `npm run test:m3-tls`: an emulated Cortex-M3 with 64 KB of RAM and Ethernet reaches the real gateway over its
// network, first with a plain WebSocket, then over wss: lwIP and mbedTLS, built from source packages of this Debian.
//
//   apt source packages ─► cache ─► make ─► QEMU (lm3s6965evb, user network) ─ ws / wss ─► gateway
//
//   node scripts/m3-network.mjs      exit 1 when something is not as it must be
//
// Nothing is vendored: the sources lie in node_modules/.cache/tidegate-m3, may be deleted; needs no root. The same
// images run beside everything else with `tidegate sim --board ethernet`, which the end of this proves.

import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { boardKind, buildImages, identityPage } from "@tidegate/firmware-sim";
import { Child, until } from "../firmware-sim/dist/rehearse/child.js";
import { GatewayProcess } from "../firmware-sim/dist/rehearse/gateway-process.js";

/** QEMU's user network: the host's loopback, seen from the board. */
const HOST_SEEN_FROM_BOARD = [10, 0, 2, 2];
/** The last 4 KB of the board's flash. */
const PAGE_AT = "0x3f000";
const SIMULATOR = fileURLToPath(new URL("../firmware-sim/bin/tidegate-sim.js", import.meta.url));
const READY_MS_MAX = 60_000;
/** What small boards ask first: the heap of TLS, handshake included. */
const HEAP_PEAK_BYTES_MAX = 10_240;

const dir = mkdtempSync(join(tmpdir(), "tidegate-m3-"));
const startedMs = performance.now();
const say = (text) => console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);

try {
  say("building lwIP, mbedTLS and the firmware; the first time the sources are fetched");
  const kind = boardKind("ethernet");
  const build = (await buildImages([kind], process.env.PATH ?? "")).get(kind) ?? "";
  await overWebSocket(join(build, "lm3s6965.elf"));
  await overTls(join(build, "lm3s6965-tls.elf"));
  await inTheSimulator();
  say("all is well");
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** A board with its page; `ca` in PEM, null for none. */
function board(image, name, { credential, port, ca, intervalMs = 200 }) {
  const identity = {
    id: credential.deviceId,
    token: credential.token,
    seed: randomBytes(4).readUInt32LE(),
    intervalMs,
  };
  const der = ca === null ? Buffer.alloc(0) : new X509Certificate(ca).raw;
  const network = Buffer.alloc(8);
  Buffer.from(HOST_SEEN_FROM_BOARD).copy(network);
  network.writeUInt16LE(port, 4);
  network.writeUInt16LE(der.length, 6);
  const page = join(dir, `${name}.page`);
  writeFileSync(page, Buffer.concat([identityPage(identity), network, randomBytes(32), der]));
  const uart = join(dir, `${name}.uart`);
  const child = new Child("qemu-system-arm", [
    ...["-M", "lm3s6965evb", "-kernel", image, "-display", "none", "-monitor", "none", "-nodefaults"],
    ...["-nic", "user,model=stellaris", "-serial", `file:${uart}`],
    ...["-device", `loader,file=${page},addr=${PAGE_AT},force-raw=on`],
  ]);
  return { child, words: () => (existsSync(uart) ? readFileSync(uart, "utf8") : "") };
}

async function shown(gateway, id) {
  return (await gateway.call("GET", `/api/v1/devices/${id}`)).body;
}

async function obeys(gateway, id) {
  const { body } = await gateway.call("POST", `/api/v1/devices/${id}/commands`, {
    name: "echo",
    args: { over: "Ethernet" },
  });
  const state = async () => (await gateway.call("GET", `/api/v1/commands/${body.commandId}`)).body;
  await until("the command succeeds", async () => (await state()).state === "succeeded", READY_MS_MAX);
  must((await state()).result?.over === "Ethernet", "the result is what was sent");
}

/** Online, reporting, obeying; and again after the gateway was killed, with nothing missing. */
async function worksThrough(gateway, id, what, words) {
  await until(`${id} is online`, async () => (await shown(gateway, id)).online === true, READY_MS_MAX).catch(
    (error) => {
      throw new Error(`${error.message}; the board said: ${words()}`);
    },
  );
  await until("it reports", async () => (await shown(gateway, id)).latest.length >= 2, READY_MS_MAX);
  await obeys(gateway, id);
  say(`${what}: online, reports, obeys`);
  const { ackedSeq } = await shown(gateway, id);
  await gateway.kill();
  await gateway.start();
  const isBack = async () => {
    const device = await shown(gateway, id);
    return device.online === true && device.ackedSeq > ackedSeq + 5;
  };
  await until(`${id} is back`, isBack, READY_MS_MAX);
  await obeys(gateway, id);
  const { gaps } = (await gateway.call("GET", `/api/v1/gaps?device=${id}`)).body;
  must(gaps.length === 0, `no gaps, but ${JSON.stringify(gaps)}`);
  say(`${what}: back by itself after the gateway was killed, no gap`);
}

async function overWebSocket(image) {
  const gateway = await GatewayProcess.start({ dir: join(dir, "plain"), settings: { devices: { tls: "off" } } });
  const credential = await gateway.addDevice("m3-plain");
  const { child, words } = board(image, "plain", { credential, port: gateway.devicesPort, ca: null });
  try {
    await worksThrough(gateway, "m3-plain", "ws", words);
  } finally {
    await child.stop();
    await gateway.stop();
  }
}

async function overTls(image) {
  const gateway = await GatewayProcess.start({ dir: join(dir, "tls") });
  const credential = await gateway.addDevice("m3-tls");
  const port = gateway.devicesPort;
  const good = board(image, "tls", { credential, port, ca: credential.ca });
  try {
    await worksThrough(gateway, "m3-tls", "wss", good.words);
    const lines = good
      .words()
      .trim()
      .split("\n")
      .filter((line) => !line.startsWith("held "));
    for (const line of lines) say(`  board: ${line}`);
    const [, resumed = 0, peak = 0] = /resumed (\d+) .*heap-peak (\d+)/.exec(lines.at(-1) ?? "")?.map(Number) ?? [];
    must(resumed > 0, "the second session was resumed");
    must(peak > 0 && peak <= HEAP_PEAK_BYTES_MAX, `the heap peaks at ${peak} of ${HEAP_PEAK_BYTES_MAX} bytes`);
  } finally {
    await good.child.stop();
  }
  try {
    await strangersAreRefused(image, gateway, port);
  } finally {
    await gateway.stop();
  }
}

/** A board that pins another site's CA turns away; also at its next boot. */
async function strangersAreRefused(image, gateway, port) {
  const credential = await gateway.addDevice("m3-stranger");
  const elsewhere = await GatewayProcess.start({ dir: join(dir, "elsewhere") });
  const { ca } = await elsewhere.addDevice("nobody");
  await elsewhere.stop();
  for (const boot of [1, 2]) {
    const stranger = board(image, `stranger-${boot}`, { credential, port, ca });
    try {
      await until("it refuses", () => stranger.words().includes("refused 3 "), READY_MS_MAX);
      must((await shown(gateway, "m3-stranger")).online === false, "it never comes online");
    } finally {
      await stranger.child.stop();
    }
    say(`a pinned CA of another site, boot ${boot}: refused`);
  }
}

/** As `tidegate sim --board ethernet` runs it, through a network that is pulled and a board that is reset. */
async function inTheSimulator() {
  const gateway = await GatewayProcess.start({ dir: join(dir, "sim") });
  // The first cut leaves 18 s for the board's retries, which are chance; the faults follow from the seed.
  const faults = ["--drop-link", "20s", "--reboot", "40s"];
  const options = [
    "run",
    "--data-dir",
    gateway.dataDir,
    "--board",
    "ethernet",
    ...faults,
    "--duration",
    "60s",
    "--json",
  ];
  const sim = new Child(process.execPath, [SIMULATOR, ...options]);
  try {
    const exit = await sim.exited;
    must(exit.code === 0, `the simulator ends well, but it said ${sim.words}`);
    const { acked, buffered, dropped, reconnects, reboots } = JSON.parse(sim.words.trim().split("\n").at(-1) ?? "");
    say(`sim: ${acked} acked, ${buffered} buffered, ${dropped} dropped, ${reconnects} reconnects, ${reboots} reboots`);
    must(acked > 0 && reconnects > 0, "it reports, and comes back");
  } finally {
    await gateway.stop();
  }
}

function must(isSo, what) {
  if (!isSo) throw new Error(`must be: ${what}`);
}
