// c-size.mjs -- what the C edition of the device SDK costs: flash, RAM and stack per target.
//
//   node scripts/c-size.mjs            measures, prints, and writes device-sdk/c/SIZE.md and what hardware/ says of it
//   node scripts/c-size.mjs --check    measures and compares: fails when a number grew by more than 1 %, or is over its
//                                      limit (flash goals are only shown), or when the library brings data, heap, stdio
//                                      or float formatting
//   node scripts/c-size.mjs --detail   also prints every function
//
// Flash is counted in linked images: the functions of src/ that a smallest application keeps (test/size/app.c), the C
// library's own not counted. Stack is the deepest path of the call graph below tg_poll(), from -fstack-usage; a
// call through a pointer counts as the framing where it can be that, the port and the application as nothing.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { amalgamate } from "./c-amalgamate.mjs";
import { takeMeasured } from "./hardware-check.mjs";
import { findCommand } from "./testing/requires.mjs";

const FOLDER = fileURLToPath(new URL("../device-sdk/c", import.meta.url));
const BUILD = join(FOLDER, "build", "size");
const REPORT = join(FOLDER, "SIZE.md");
const GROWTH_MAX = 1.01;
const FLAGS = ["-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", "-fstack-usage"];
const FORBIDDEN =
  /^(malloc|calloc|realloc|free|_sbrk|s?n?printf|v?s?n?printf|puts|dtoa.*|__aeabi_[fd].*|__(add|sub|mul|div)[sd]f3)$/;

/** Call instructions: Thumb `bl`, AVR `call`/`rcall` and tail jumps to another function. */
const TARGETS = [
  {
    name: "Cortex-M0+",
    prefix: "arm-none-eabi-",
    cpu: ["-mcpu=cortex-m0plus", "-mthumb"],
    link: ["--specs=nano.specs", "--specs=nosys.specs"],
    call: /\tbl?\t[0-9a-f]+ <([A-Za-z_0-9]+)[>.]/,
    indirect: /\tblx\t/,
    returnBytes: 0,
    goals: { serial: 3584, websocketAdds: 2048 },
    limits: { client: 160, stack: 512, stackWebsocket: 512 },
  },
  {
    name: "Cortex-M3",
    prefix: "arm-none-eabi-",
    cpu: ["-mcpu=cortex-m3", "-mthumb"],
    link: ["--specs=nano.specs", "--specs=nosys.specs"],
    call: /\tbl?(?:\.w|\.n)?\t[0-9a-f]+ <([A-Za-z_0-9]+)[>.]/,
    indirect: /\tblx\t|\tbx\t(?!lr)/,
    returnBytes: 0,
    goals: {},
    limits: {},
  },
  {
    name: "ATmega328P",
    prefix: "avr-",
    cpu: ["-mmcu=atmega328p"],
    link: [],
    call: /\t(?:r?call|r?jmp)\t.*<([A-Za-z_0-9]+)[>.]/,
    indirect: /\ticall|\tijmp/,
    returnBytes: 2,
    goals: { serial: 6656 },
    limits: { client: 128, stack: 320 },
  },
];

/** The same sources with what avr-gcc offers against its long prologues and calls: for boards where flash is short. */
const AVR = TARGETS.at(-1);
TARGETS.push({
  ...AVR,
  name: "… with -mcall-prologues -mrelax",
  cpu: [...AVR.cpu, "-mcall-prologues", "-mrelax"],
  goals: {},
  limits: {},
});

/** What each source file is for, in the order of the second table. */
const PARTS = [
  ["tg_client.c", "phases, timers, backoff, liveness, checks of the configuration"],
  ["tg_outbox.c", "the ring: numbers, eviction, gaps, acks, renumbering"],
  ["tg_uplink.c", "Hello, Heartbeat, Bye, what goes next within the window"],
  ["tg_downlink.c", "Welcome, Ack, Nack, Flow, Bye, commands: dedupe and deadline"],
  ["tg_reply.c", "the answers to commands"],
  ["tg_telemetry.c", "readings (one kind of value: the linker keeps what is used)"],
  ["tg_pb.c", "protobuf, reader and writer"],
  ["tg_serial.c", "COBS and framing of a serial line"],
  ["tg_crc.c", "CRC-32"],
  ["tg_websocket.c", "WebSocket: frames, masking, ping, close"],
  ["tg_upgrade.c", "WebSocket: request, response, proof"],
  ["tg_sha1.c", "WebSocket: SHA-1 for the proof"],
  ["tg_catalog_parts.c", "the catalog: hash, parts"],
];

/** Why the flash goals are not reached. */
const BEYOND = [
  "## Against the goals",
  "",
  "The flash goals come from a prototype of 2,554 B (Cortex-M0+) and 5,160 B (AVR). The WebSocket codec reaches its",
  "goal; the serial profile does not. What it has and the prototype had not (the costs are those of the table",
  "below; they were not measured one by one): a configuration checked field by field; gaps named by number, in the",
  "middle too, and a share of the ring for answers [P-1] [P-13]; renumbering under another epoch and the end of the",
  "numbers [P-7] [P-10]; deadlines, names beside codes, answers later, with a result or an error text [P-16]",
  "[P-17]; Bye both ways, refusals, pauses that a gateway asks for [P-21]; Hello with marks, firmware, model and",
  "proof, pings with uptime and marks [P-12]; CRC-32, frames of more than 254 bytes, checksums cut in steps so that",
  "no poll takes long; counters and events.",
];

/** Who calls through config->framing, inlined or not; every other pointer leads to the port or the application. */
const FRAMING_CALLERS = /^(tg_poll|tg_init|tg_uplink_compose|open_step|link_step|speak|put_hello)$/;

const PROFILES = [
  { key: "serial", name: "serial", define: ["-DFRAMING=tg_serial_framing"] },
  { key: "serialCatalog", name: "serial + catalog", define: ["-DFRAMING=tg_serial_framing", "-DCATALOG"] },
  { key: "websocket", name: "WebSocket", define: ["-DFRAMING=tg_websocket_framing"] },
];

function run(command, args) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
}

function sourceFiles() {
  return readdirSync(join(FOLDER, "src")).filter((file) => file.endsWith(".c"));
}

/** Compiles src/ for a target: object paths, the stack of each function, and what must not be there. */
function compile(target, folder) {
  const stack = new Map();
  const faults = [];
  const objects = sourceFiles().map((file) => {
    const object = join(folder, file.replace(/\.c$/, ".o"));
    run(`${target.prefix}gcc`, [...target.cpu, ...FLAGS, "-c", join(FOLDER, "src", file), "-o", object]);
    for (const line of readFileSync(object.replace(/\.o$/, ".su"), "utf8").trim().split("\n").filter(Boolean)) {
      const [place, bytes, kind] = line.split("\t");
      const name = place.split(":").at(-1).split(".")[0];
      stack.set(name, Math.max(Number(bytes), stack.get(name) ?? 0));
      if (!kind.startsWith("static")) faults.push(`${name}: stack is ${kind}`);
    }
    return object;
  });
  for (const line of run(`${target.prefix}size`, objects).trim().split("\n").slice(1)) {
    const [, data, bss, , , name] = line.trim().split(/\s+/);
    if (data !== "0" || bss !== "0") faults.push(`${name}: data ${data}, bss ${bss}`);
  }
  for (const line of run(`${target.prefix}nm`, ["-u", ...objects]).split("\n")) {
    const name = line.trim().replace(/^U /, "");
    if (FORBIDDEN.test(name)) faults.push(`needs ${name}`);
  }
  return { objects, stack, faults };
}

function symbols(target, files) {
  return run(`${target.prefix}nm`, ["-S", ...files])
    .split("\n")
    .map((line) => line.match(/^[0-9a-f]+ ([0-9a-f]+) ([tTrRwWbBdD]) (\S+)/))
    .filter((match) => match !== null)
    .map(([, size, , name]) => ({ name, bytes: Number.parseInt(size, 16) }));
}

/** Links a profile and counts the SDK's own symbols in it. */
function flash(target, folder, objects, { include = join(FOLDER, "include"), ...profile }) {
  const image = join(folder, `${profile.key}.elf`);
  run(`${target.prefix}gcc`, [
    ...target.cpu,
    ...FLAGS.slice(0, -1),
    ...profile.define,
    `-I${include}`,
    "-Wl,--gc-sections",
    "-w",
    join(FOLDER, "test", "size", "app.c"),
    ...objects,
    ...target.link,
    "-o",
    image,
  ]);
  const own = new Set(symbols(target, objects).map((symbol) => symbol.name));
  const kept = symbols(target, [image]).filter((symbol) => own.has(symbol.name));
  return { image, kept, bytes: kept.reduce((sum, symbol) => sum + symbol.bytes, 0) };
}

/** Edges of the call graph, read from the disassembly. */
function callGraph(target, image) {
  const calls = new Map();
  let current = "";
  for (const line of run(`${target.prefix}objdump`, ["-d", image]).split("\n")) {
    const head = line.match(/^[0-9a-f]+ <([A-Za-z_0-9]+)/);
    if (head !== null) {
      current = head[1];
      if (!calls.has(current)) calls.set(current, { to: new Set(), indirect: false });
      continue;
    }
    const callee = line.match(target.call)?.[1];
    if (callee !== undefined && callee !== current) calls.get(current)?.to.add(callee);
    if (target.indirect.test(line) && calls.has(current)) calls.get(current).indirect = true;
  }
  return calls;
}

/** Deepest path below `name`, in bytes. A cycle is recursion, and an error. */
function deepest({ target, graph, stack, framing }, name, path = []) {
  if (path.includes(name)) throw new Error(`recursion: ${[...path, name].join(" > ")}`);
  const node = graph.get(name);
  const below = [...(node?.to ?? [])];
  if (node?.indirect && FRAMING_CALLERS.test(name)) below.push(framing);
  const rest = below.map((callee) => deepest({ target, graph, stack, framing }, callee, [...path, name]));
  return (stack.get(name) ?? 0) + target.returnBytes + Math.max(0, ...rest);
}

/** Bytes of each source file in the images: with everything linked that a profile keeps. */
function byFile(target, objects, images) {
  const kept = new Map(images.flatMap((image) => symbols(target, [image]).map(({ name, bytes }) => [name, bytes])));
  return new Map(
    objects.map((object) => {
      const bytes = symbols(target, [object]).reduce((sum, { name }) => sum + (kept.get(name) ?? 0), 0);
      return [basename(object).replace(/\.o$/, ".c"), bytes];
    }),
  );
}

/** The serial profile out of the two-file amalgamation, as Arduino and PlatformIO compile it. */
function twoFiles(target, folder) {
  const { header, source } = amalgamate();
  const own = join(folder, "two-files");
  mkdirSync(own, { recursive: true });
  for (const [file, text] of [
    ["tidegate.h", header],
    ["tg.h", '#include "tidegate.h"\n'],
    ["tidegate.c", source],
  ]) {
    writeFileSync(join(own, file), text);
  }
  const object = join(own, "tidegate.o");
  run(`${target.prefix}gcc`, [...target.cpu, ...FLAGS.slice(0, -1), "-w", "-c", join(own, "tidegate.c"), "-o", object]);
  return flash(target, own, [object], { ...PROFILES[0], include: own }).bytes;
}

function clientBytes(target, folder) {
  const source = join(folder, "client.c");
  writeFileSync(source, '#include "tg.h"\ntg_client client;\n');
  run(`${target.prefix}gcc`, [
    ...target.cpu,
    `-I${join(FOLDER, "include")}`,
    "-fno-common",
    "-c",
    source,
    "-o",
    `${source}.o`,
  ]);
  return symbols(target, [`${source}.o`]).find((symbol) => symbol.name === "client")?.bytes ?? 0;
}

function measure(target, detail) {
  const folder = join(BUILD, target.name);
  mkdirSync(folder, { recursive: true });
  const { objects, stack, faults } = compile(target, folder);
  const row = { target: target.name, compiler: run(`${target.prefix}gcc`, ["-dumpversion"]).trim(), faults };
  for (const profile of PROFILES) {
    if (profile.key === "websocket" && !sourceFiles().includes("tg_websocket.c")) continue;
    const { image, kept, bytes } = flash(target, folder, objects, profile);
    row[profile.key] = bytes;
    if (detail && profile.key !== "serialCatalog") {
      console.log(`${target.name}, ${profile.name}:`);
      for (const { name, bytes: size } of kept.sort((a, b) => b.bytes - a.bytes)) console.log(`  ${size}\t${name}`);
    }
    const framing = profile.key === "websocket" ? "tg_websocket_framing" : "tg_serial_framing";
    const key = profile.key === "websocket" ? "stackWebsocket" : "stack";
    if (profile.key !== "serialCatalog") {
      row[key] = deepest({ target, graph: callGraph(target, image), stack, framing }, "tg_poll");
    }
  }
  if (row.websocket !== undefined) {
    const { kept } = flash(target, folder, objects, PROFILES[2]);
    const serial = symbolNames(target, folder, "serial");
    row.websocketAdds = kept
      .filter((symbol) => !serial.has(symbol.name))
      .reduce((sum, symbol) => sum + symbol.bytes, 0);
  }
  row.twoFiles = twoFiles(target, folder);
  row.client = clientBytes(target, folder);
  const images = ["websocket", "serialCatalog"].map((key) => join(folder, `${key}.elf`));
  row.files = byFile(target, objects, images);
  return row;
}

function symbolNames(target, folder, profile) {
  return new Set(symbols(target, [join(folder, `${profile}.elf`)]).map((symbol) => symbol.name));
}

const COLUMNS = [
  ["serial", "serial profile, flash"],
  ["twoFiles", "… out of the two files"],
  ["serialCatalog", "… with catalog"],
  ["websocketAdds", "WebSocket codec, flash"],
  ["client", "`tg_client`, RAM"],
  ["stack", "`tg_poll`, stack (serial)"],
  ["stackWebsocket", "`tg_poll`, stack (WebSocket)"],
];

function report(rows) {
  const cell = (row, target, key) => {
    const limit = target.limits[key] ?? target.goals[key];
    return row[key] === undefined ? "–" : `${row[key]}${limit === undefined ? "" : ` / ${limit}`}`;
  };
  const lines = [
    "# What the C edition costs",
    "",
    "Bytes; `measured / limit` where there is one (for flash, the goal). Made by `node scripts/c-size.mjs`, checked by",
    "`--check` in CI: no number may grow by more than 1 % unnoticed. `-Os`, no link-time optimisation, functions the",
    "application does not use dropped by the linker, the C library not counted. The library has no `.data`, no `.bss`" +
      " and",
    "no heap; buffers are yours. The goals are judged by `src/*.c` compiled as they are, with no other option; on an",
    "AVR we recommend the two of the last row, which every avr-gcc has.",
    "",
    `| target | compiler | ${COLUMNS.map(([, title]) => title).join(" | ")} |`,
    `|---|---|${COLUMNS.map(() => "---:|").join("")}`,
  ];
  for (const row of rows) {
    const target = TARGETS.find((t) => t.name === row.target);
    lines.push(
      `| ${row.target} | gcc ${row.compiler} | ${COLUMNS.map(([key]) => cell(row, target, key)).join(" | ")} |`,
    );
  }
  return `${[...lines, ...whatItBuys(rows)].join("\n")}\n`;
}

/** The second table: where the flash goes. */
function whatItBuys(rows) {
  return [
    "",
    ...BEYOND,
    "",
    "## What the bytes buy",
    "",
    "The same images, by source file. The first nine make the serial profile.",
    "",
    `| source | for | ${rows.map((row) => row.target).join(" | ")} |`,
    `|---|---|${rows.map(() => "---:|").join("")}`,
    ...PARTS.map(
      ([file, use]) => `| ${file} | ${use} | ${rows.map((row) => row.files.get(file) ?? "–").join(" | ")} |`,
    ),
  ];
}

/** Numbers of the committed table, by target and column. */
function committed() {
  const numbers = new Map();
  for (const line of readFileSync(REPORT, "utf8").split("\n")) {
    const cells = line.split("|").map((c) => c.trim());
    const values = COLUMNS.map(([key], i) => [key, Number.parseInt(cells[i + 3] ?? "", 10)]);
    if (TARGETS.some((t) => t.name === cells[1])) numbers.set(cells[1], Object.fromEntries(values));
  }
  return numbers;
}

function problems(rows, before) {
  const found = [];
  for (const row of rows) {
    const { limits } = TARGETS.find((t) => t.name === row.target);
    found.push(...row.faults.map((fault) => `${row.target}: ${fault}`));
    for (const [key, title] of COLUMNS) {
      if (limits[key] !== undefined && row[key] > limits[key]) {
        found.push(`${row.target}: ${title} is ${row[key]}, over its limit of ${limits[key]}`);
      }
      const old = before?.get(row.target)?.[key];
      if (old !== undefined && row[key] > old * GROWTH_MAX)
        found.push(`${row.target}: ${title} grew from ${old} to ${row[key]}`);
    }
  }
  return found;
}

const check = process.argv.includes("--check");
const present = TARGETS.filter((target) => findCommand(`${target.prefix}gcc`) !== null);
const rows = present.map((target) => measure(target, process.argv.includes("--detail")));
const text = report(rows);
console.log(text);
for (const target of TARGETS) {
  if (!present.includes(target)) console.log(`${target.name}: not measured, ${target.prefix}gcc is absent`);
}
for (const { target, ...row } of rows) {
  for (const [key, goal] of Object.entries(TARGETS.find((t) => t.name === target).goals)) {
    if (row[key] > goal) console.log(`${target}: ${key} is ${row[key]}, ${row[key] - goal} above its goal of ${goal}`);
  }
}
const found = problems(rows, check ? committed() : null);
for (const problem of found) console.error(problem);
if (!check && present.length === TARGETS.length) {
  writeFileSync(REPORT, text);
  takeMeasured(); // hardware/ repeats the numbers per board
}
if (check && found.length > 0) {
  console.error("Make it smaller, or run `node scripts/c-size.mjs` and commit SIZE.md with the reason.");
  process.exitCode = 1;
}
