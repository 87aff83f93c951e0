// `npm run test:m3-tls`: an emulated Cortex-M3 with 64 KB of RAM and Ethernet reaches the real gateway over its
// network, first with a plain WebSocket, then over wss: lwIP and mbedTLS, built from source packages of this Debian.
//
//   apt source packages ─► cache ─► make ─► QEMU (lm3s6965evb, user network) ─ ws / wss ─► gateway
//
//   node scripts/m3-network.mjs [--cache FOLDER]      exit 1 when something is not as it must be
//
// Nothing is vendored: the sources lie in the cache (node_modules/.cache/tidegate-m3), may be deleted; needs no root.

import { execFileSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { identityPage } from "@tidegate/firmware-sim";
import { Child, until } from "../firmware-sim/dist/rehearse/child.js";
import { GatewayProcess } from "../firmware-sim/dist/rehearse/gateway-process.js";
import { inRoot } from "./workspace/report.mjs";

/** QEMU's user network: the host's loopback, seen from the board. */
const HOST_SEEN_FROM_BOARD = [10, 0, 2, 2];
/** The last 4 KB of the board's flash. */
const PAGE_AT = "0x3f000";
const READY_MS_MAX = 60_000;
/** What small boards ask first: the heap of TLS, handshake included. */
const HEAP_PEAK_BYTES_MAX = 10_240;

const { values } = parseArgs({
  options: { cache: { type: "string", default: inRoot("node_modules/.cache/tidegate-m3") } },
});
const cache = values.cache;
const dir = mkdtempSync(join(tmpdir(), "tidegate-m3-"));
const startedMs = performance.now();
const say = (text) => console.log(`${((performance.now() - startedMs) / 1000).toFixed(1).padStart(6)} s  ${text}`);

try {
  const sources = { lwip: sourceOf("lwip"), mbedtls: sourceOf("mbedtls") };
  say("building lwIP, mbedTLS and the firmware");
  const build = join(cache, "build");
  const make = [
    "--no-print-directory",
    "-s",
    "-j2",
    `LWIP=${sources.lwip}`,
    `MBEDTLS=${sources.mbedtls}`,
    `BUILD=${build}`,
  ];
  execFileSync("make", make, { cwd: inRoot("firmware-sim/firmware/network"), stdio: ["ignore", "inherit", "inherit"] });
  await overWebSocket(join(build, "lm3s6965.elf"));
  await overTls(join(build, "lm3s6965-tls.elf"));
  say("all is well");
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/** The unpacked source package, fetched when the cache has none. */
function sourceOf(name) {
  const found = () =>
    (existsSync(cache) ? readdirSync(cache, { withFileTypes: true }) : []).find(
      (entry) => entry.isDirectory() && entry.name.startsWith(`${name}-`),
    );
  if (found() === undefined) {
    say(`fetching the source of ${name}`);
    apt("source", name);
  }
  return join(cache, found().name);
}

/** apt with the system's own mirrors and keys, but asked for sources, and with its lists in our cache. */
function apt(...command) {
  const state = join(cache, "apt");
  for (const folder of ["lists/partial", "archives/partial"]) mkdirSync(join(state, folder), { recursive: true });
  writeFileSync(join(state, "own.sources"), sourceEntries());
  const options = [`Dir::Etc::sourcelist=${join(state, "own.sources")}`, "Dir::Etc::sourceparts=/dev/null"];
  options.push(`Dir::State::lists=${join(state, "lists")}`, `Dir::Cache=${state}`, "APT::Sandbox::User=");
  const run = (...args) =>
    execFileSync("apt-get", ["-q", ...options.flatMap((option) => ["-o", option]), ...args], {
      cwd: cache,
      stdio: "pipe",
    });
  if (readdirSync(join(state, "lists")).length < 2) run("update");
  run(...command);
}

/** The entries of the distribution itself, as entries for sources. */
function sourceEntries() {
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "stable";
  const folder = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : []),
  ];
  const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
  const stanzas = texts.flatMap((text) => text.split(/\n\s*\n/)).filter((text) => /^Types:.*\bdeb\b/m.test(text));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => /^deb\s/.test(line));
  const own = (text) => new RegExp(`\\b${codename}\\b`).test(text) && /\bmain\b/.test(text);
  const asStanza = (line) => {
    const [, options = "", uri, suite, ...components] = /^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const key = /signed-by=(\S+?)[\]\s]/.exec(options)?.[1];
    return [
      `Types: deb-src`,
      `URIs: ${uri}`,
      `Suites: ${suite}`,
      `Components: ${components.join(" ")}`,
      key ? `Signed-By: ${key}` : "",
    ];
  };
  return [
    ...stanzas.filter(own).map((text) => text.replace(/^Types:.*$/m, "Types: deb-src")),
    ...lines.filter(own).map((line) => asStanza(line).filter(Boolean).join("\n")),
  ].join("\n\n");
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
    const lines = good.words().trim().split("\n");
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

function must(isSo, what) {
  if (!isSo) throw new Error(`must be: ${what}`);
}
