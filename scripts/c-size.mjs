// c-size.mjs -- what the C edition of the device SDK costs: flash, RAM and stack per target.
//
//   node scripts/c-size.mjs            measures, prints, and writes device-sdk/c/SIZE.md and what hardware/ says of it
//   node scripts/c-size.mjs --check    measures and compares: fails when a number grew by more than 1 %, or is over its
//                                      limit (flash goals are only shown), or when the library brings data, heap, stdio
//                                      or float formatting
//   node scripts/c-size.mjs --detail   also prints every function
//   node scripts/c-size.mjs --features also measures what single features cost (a minute), else that table stays
//
// Flash is counted in linked images: the functions of src/ that a smallest application keeps (test/size/app.c), the C
// library's own not counted. Stack is the deepest path of the call graph below tg_poll(), from -fstack-usage; a
// call through a pointer counts as the framing where it can be that, the port and the application as nothing.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { amalgamate } from "./c-amalgamate.mjs";
import { featureCosts } from "./c-size/features.mjs";
import { BUILD, compile, FLAGS, FOLDER, flash, PROFILES, run, symbols, TARGETS } from "./c-size/images.mjs";
import { takeMeasured } from "./hardware-check.mjs";
import { findCommand } from "./testing/requires.mjs";

const REPORT = join(FOLDER, "SIZE.md");
const GROWTH_MAX = 1.01;
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
  "goal; the serial profile does not: rules of the protocol that the prototype did not have cost what the goal leaves,",
  "and more. Beside what follows it lacked CRC-32, answers that come later, and pings with marks [P-12].",
];

const FEATURES_TITLE = "## What single features cost";

/** Who calls through config->framing, inlined or not; every other pointer leads to the port or the application. */
const FRAMING_CALLERS = /^(tg_poll|tg_init|tg_uplink_compose|open_step|link_step|speak|put_hello)$/;

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

/** @param costs what single features cost; null: the table stays as it is. */
function report(rows, costs) {
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
  return `${[...lines, ...whatItBuys(rows, costs)].join("\n")}\n`;
}

/** The second table: where the flash goes. */
function whatItBuys(rows, costs) {
  return [
    "",
    ...BEYOND,
    "",
    ...(costs === null ? keptCosts() : costTable(costs)),
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

function costTable(costs) {
  const sums = TARGETS.map((_, i) => costs.reduce((sum, { bytes }) => sum + bytes[i], 0));
  return [
    FEATURES_TITLE,
    "",
    "Bytes of flash of the serial profile, measured by taking each out of a copy (`--features`); some share code, so",
    "the sum is a little off.",
    "",
    `| feature | ${TARGETS.map(({ name }) => name).join(" | ")} |`,
    `|---|${TARGETS.map(() => "---:|").join("")}`,
    ...costs.map(({ name, bytes }) => `| ${name} | ${bytes.join(" | ")} |`),
    `| sum | ${sums.join(" | ")} |`,
  ];
}

/** The table of features as it was measured last. */
function keptCosts() {
  const lines = readFileSync(REPORT, "utf8").split("\n");
  const from = lines.indexOf(FEATURES_TITLE);
  const end = lines.findIndex((line, i) => i > from && line.startsWith("## "));
  return from < 0 ? [] : lines.slice(from, end - 1);
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
const hasAll = present.length === TARGETS.length;
const costs = process.argv.includes("--features") && hasAll ? featureCosts(TARGETS) : null;
const text = report(rows, costs);
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
if (!check && hasAll) {
  writeFileSync(REPORT, text);
  takeMeasured(); // hardware/ repeats the numbers per board
}
if (check && found.length > 0) {
  console.error("Make it smaller, or run `node scripts/c-size.mjs` and commit SIZE.md with the reason.");
  process.exitCode = 1;
}
