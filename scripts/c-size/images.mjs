// Images of the C edition per target, and what of the SDK is in them. Used by ../c-size.mjs and features.mjs.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const FOLDER = fileURLToPath(new URL("../../device-sdk/c", import.meta.url));
export const BUILD = join(FOLDER, "build", "size");
export const FLAGS = ["-std=c99", "-Os", "-ffunction-sections", "-fdata-sections", "-fstack-usage"];
const FORBIDDEN =
  /^(malloc|calloc|realloc|free|_sbrk|s?n?printf|v?s?n?printf|puts|dtoa.*|__aeabi_[fd].*|__(add|sub|mul|div)[sd]f3)$/;

/** Call instructions: Thumb `bl`, AVR `call`/`rcall` and tail jumps to another function. */
export const TARGETS = [
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

export const PROFILES = [
  { key: "serial", name: "serial", define: ["-DFRAMING=tg_serial_framing"] },
  { key: "serialCatalog", name: "serial + catalog", define: ["-DFRAMING=tg_serial_framing", "-DCATALOG"] },
  { key: "websocket", name: "WebSocket", define: ["-DFRAMING=tg_websocket_framing"] },
];

/** Runs a program. @returns what it printed; throws with its error output. */
export function run(command, args) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
}

function sourceFiles(folder) {
  return readdirSync(join(folder, "src")).filter((file) => file.endsWith(".c"));
}

/**
 * Compiles src/ for a target: object paths, the stack of each function, and what must not be there.
 * @param {string} folder where the objects go
 * @param {string} [from] the edition, or an altered copy of it
 */
export function compile(target, folder, from = FOLDER) {
  const stack = new Map();
  const faults = [];
  const objects = sourceFiles(from).map((file) => {
    const object = join(folder, file.replace(/\.c$/, ".o"));
    run(`${target.prefix}gcc`, [...target.cpu, ...FLAGS, "-c", join(from, "src", file), "-o", object]);
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

/** Names and sizes in bytes of what is defined in object files or images. */
export function symbols(target, files) {
  return run(`${target.prefix}nm`, ["-S", ...files])
    .split("\n")
    .map((line) => line.match(/^[0-9a-f]+ ([0-9a-f]+) ([tTrRwWbBdD]) (\S+)/))
    .filter((match) => match !== null)
    .map(([, size, , name]) => ({ name, bytes: Number.parseInt(size, 16) }));
}

/** Links a profile and counts the SDK's own symbols in it. */
export function flash(target, folder, objects, { include = join(FOLDER, "include"), ...profile }) {
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
