// arduino-build.mjs -- compiles a sketch for an AVR board with Debian's arduino-core-avr, as the Arduino IDE would: the
// core into core.a, the Tidegate library, the sketch with Arduino.h in front. Needs neither IDE nor arduino-cli.
//
//   node scripts/arduino-build.mjs SKETCH_DIR [--board uno|mega] [--out DIR] [--secrets FILE]
//
//   --secrets   takes the place of the sketch's secrets.h: see hardware/flash/credential-header.mjs
//
// Makes DIR/NAME.elf and DIR/NAME.hex and prints what they need, and what an empty sketch with Serial would. Flags and
// file order are those of the core's platform.txt (1.8), warnings on, and two flags more that save some 600 bytes. What
// it does not do: make prototypes for functions that are used before they are defined; our sketches define them first.
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { packageLibrary } from "./c-package.mjs";

const run = promisify(execFile);
export const CORE = "/usr/share/arduino/hardware/arduino/avr";
/** Names in boards.txt; a board that comes with several chips names the one meant. */
const BOARDS = { uno: { cpu: null }, mega: { cpu: "atmega2560" } };
const COMPILERS_MAX = 2;
const ARDUINO_VERSION = "10819";

/** Functions share the code that saves registers; calls are short where they reach. */
const SMALL = ["-mcall-prologues", "-mrelax"];
const COMMON = ["-c", "-g", ...SMALL, "-Os", "-Wall", "-Wextra", "-ffunction-sections", "-fdata-sections", "-flto"];
const C_FLAGS = ["-std=gnu11", "-fno-fat-lto-objects"];
/** The core wants DECIMAL_DIG, which avr-gcc 5 defines for C only. */
const DIGITS = "-DDECIMAL_DIG=__DECIMAL_DIG__";
const CPP_FLAGS = ["-std=gnu++11", "-fpermissive", "-fno-exceptions", "-fno-threadsafe-statics", DIGITS];

/** `name.build.mcu` and the like of one board. */
function boardProperties(name) {
  const text = readFileSync(join(CORE, "boards.txt"), "utf8");
  const { cpu } = BOARDS[name];
  const find = (key) => {
    for (const prefix of [`${name}.`, `${name}.menu.cpu.${cpu}.`]) {
      const line = text.split("\n").find((row) => row.startsWith(`${prefix}${key}=`));
      if (line !== undefined) return line.slice(line.indexOf("=") + 1).trim();
    }
    throw new Error(`boards.txt has no ${key} for ${name}`);
  };
  return {
    mcu: find("build.mcu"),
    hz: find("build.f_cpu"),
    define: find("build.board"),
    variant: find("build.variant"),
    flashBytesMax: Number(find("upload.maximum_size")),
    ramBytesMax: Number(find("upload.maximum_data_size")),
  };
}

const sourcesBelow = (folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(c|cpp|S)$/.test(name))
    .map((name) => join(folder, name))
    .sort();

/** Compiles every source, a few at a time, and returns the objects in the same order. */
async function compileAll(sources, target, { out, includes, defines, strict }) {
  const objects = sources.map((source, index) => join(out, `${index}-${basename(source)}.o`));
  const left = sources.map((source, index) => [source, objects[index]]);
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [source, object] = next;
      const isC = source.endsWith(".c");
      const language = source.endsWith(".S") ? ["-x", "assembler-with-cpp"] : isC ? C_FLAGS : CPP_FLAGS;
      const sketch = source.endsWith(".ino") ? ["-x", "c++", "-include", "Arduino.h"] : [];
      const where = includes.map((folder) => `-I${folder}`);
      const warnings = strict ? ["-Werror"] : ["-w"];
      const args = [...COMMON, ...language, ...target, ...defines, ...warnings, ...where, ...sketch, source];
      await run(isC ? "avr-gcc" : "avr-g++", [...args, "-o", object]);
    }
  };
  await Promise.all(Array.from({ length: COMPILERS_MAX }, work));
  return objects;
}

/** Flash and static RAM of an image: the sections that avr-size counts for each. */
async function sizeOf(elf) {
  const { stdout } = await run("avr-size", ["-A", elf]);
  const bytes = (name) => Number(new RegExp(`^\\.${name}\\s+(\\d+)`, "m").exec(stdout)?.[1] ?? 0);
  return { flashBytes: bytes("text") + bytes("data"), ramBytes: bytes("data") + bytes("bss") + bytes("noinit") };
}

/**
 * Compiles a sketch.
 * @param {{ sketch: string, board?: string, out: string, secrets?: string, defines?: string[],
 *   library?: boolean }} options
 *   sketch   folder with NAME.ino and what it includes
 *   secrets  file that takes the place of its secrets.h
 *   library  false: without ours
 * @returns {Promise<{ elf: string, hex: string, flashBytes: number, ramBytes: number }>}
 * @throws Error with the compiler's words
 */
export async function buildSketch({ sketch, board = "uno", out, secrets, defines = [], library = true }) {
  const name = basename(resolve(sketch));
  const { mcu, hz, define, variant, flashBytesMax, ramBytesMax } = boardProperties(board);
  const target = [`-mmcu=${mcu}`, `-DF_CPU=${hz}`, `-DARDUINO=${ARDUINO_VERSION}`];
  target.push(`-DARDUINO_${define}`, "-DARDUINO_ARCH_AVR");
  const folder = (part) => {
    const path = join(out, part);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const core = join(CORE, "cores", "arduino");
  const includes = [core, join(CORE, "variants", variant)];
  const archive = join(folder("core"), "core.a");
  if (!existsSync(archive)) {
    const objects = await compileAll(sourcesBelow(core), target, {
      out: folder("core"),
      includes,
      defines: [],
      strict: false,
    });
    await run("avr-gcc-ar", ["rcs", archive, ...objects]);
  }
  const copy = folder("sketch");
  rmSync(copy, { recursive: true, force: true });
  cpSync(sketch, copy, { recursive: true });
  if (secrets !== undefined) cpSync(secrets, join(copy, "secrets.h"));
  const ours = library ? [join(packageLibrary(out), "src")] : [];
  const options = { includes: [...includes, ...ours], defines, strict: true };
  const objects = await compileAll([join(copy, `${name}.ino`)], target, { ...options, out: copy });
  objects.push(...(await compileAll(ours.flatMap(sourcesBelow), target, { ...options, out: folder("library") })));
  const [elf, hex] = [join(out, `${name}.elf`), join(out, `${name}.hex`)];
  const link = ["-w", "-Os", "-g", "-flto", "-fuse-linker-plugin", "-Wl,--gc-sections", ...SMALL, `-mmcu=${mcu}`];
  await run("avr-gcc", [...link, "-o", elf, ...objects, archive, "-lm"]);
  await run("avr-objcopy", ["-O", "ihex", "-R", ".eeprom", elf, hex]);
  const size = await sizeOf(elf);
  if (size.flashBytes > flashBytesMax || size.ramBytes > ramBytesMax) {
    const has = `${size.flashBytes} bytes of flash and ${size.ramBytes} of RAM`;
    throw new Error(`${name} needs ${has}; ${board} has ${flashBytesMax} and ${ramBytesMax}`);
  }
  return { elf, hex, ...size };
}

/** What the core takes of any sketch that uses Serial. */
async function emptySketch(board, out) {
  const sketch = join(out, "Empty");
  mkdirSync(sketch, { recursive: true });
  const text = "void setup() { Serial.begin(115200); }\nvoid loop() { Serial.write(Serial.read()); }\n";
  writeFileSync(join(sketch, "Empty.ino"), text);
  return await buildSketch({ sketch, board, out, library: false });
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { board: { type: "string" }, out: { type: "string" }, secrets: { type: "string" } },
  });
  const [sketch] = positionals;
  const { board = "uno", secrets } = values;
  if (sketch === undefined || positionals.length > 1 || !(board in BOARDS)) {
    console.error("arduino-build: a folder with a sketch is needed, and --board uno or mega");
    console.error("Try: node scripts/arduino-build.mjs device-sdk/c/port/arduino/examples/UnoThermometer");
    return 2;
  }
  if (!existsSync(join(CORE, "boards.txt"))) {
    console.error("arduino-build: the Arduino core for AVR is not installed");
    console.error("Do: apt-get install arduino-core-avr");
    return 1;
  }
  const out = resolve(values.out ?? join("device-sdk/c/build/arduino", board, basename(resolve(sketch))));
  const { elf, hex, flashBytes, ramBytes } = await buildSketch({ sketch, board, out, secrets });
  console.log(`${elf}\n${hex}\nflash ${flashBytes} bytes, static RAM ${ramBytes} bytes`);
  const empty = await emptySketch(board, out);
  console.log(`of which an empty sketch with Serial takes ${empty.flashBytes} and ${empty.ramBytes}`);
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main().catch((error) => {
    console.error(`arduino-build: ${error.stderr ?? error.message}`);
    return 1;
  });
}
