// flash.mjs -- writes a firmware image to a board, with the tool that its file in hardware/boards names.
//
//   node hardware/flash/flash.mjs BOARD IMAGE [--port /dev/ttyACM0] [--tool NAME] [--volume FOLDER] [--dry-run]
//
//   avrdude   Arduino Uno, Nano, Mega: over the boot loader, --port; IMAGE is .hex
//   esptool   ESP32: over the boot ROM, --port; IMAGE is one merged .bin, written at 0
//   picotool  Raspberry Pi Pico with its USB library, or held in BOOTSEL; IMAGE is .uf2
//   copy      boards that show a drive (Pico in BOOTSEL: .uf2; micro:bit: .hex); --volume, or found below /media
//
// --dry-run prints the command and runs nothing. What of this has run, and what needs the board: README.md beside this.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parse } from "yaml";

const BOARDS = fileURLToPath(new URL("../boards", import.meta.url));
/** Larger than the flash of any board here: somebody named the wrong file. */
const IMAGE_BYTES_MAX = 64 * 1024 * 1024;
const TOOL_TIMEOUT_MS = 300_000;

class Problem extends Error {
  constructor(what, why, fix) {
    super([what, why, `Do: ${fix}`].join("\n"));
  }
}

/** Names of the boards that can be flashed. */
const boardsWithFlash = () =>
  readdirSync(BOARDS)
    .map((file) => parse(readFileSync(join(BOARDS, file), "utf8")))
    .filter(({ flashWith }) => flashWith !== undefined)
    .map(({ id }) => id);

function readBoard(id) {
  const names = boardsWithFlash();
  if (!names.includes(id)) {
    throw new Problem(
      `no way to flash "${id}" is known`,
      "hardware/boards has none",
      `name one of ${names.join(", ")}`,
    );
  }
  return parse(readFileSync(join(BOARDS, `${id}.yaml`), "utf8"));
}

function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.some((folder) => folder !== "" && existsSync(join(folder, name)));
}

/** Programs by which a tool is known; the first is what we print when none is installed. */
const PROGRAMS = { avrdude: ["avrdude"], esptool: ["esptool", "esptool.py"], picotool: ["picotool"], copy: [] };
const INSTALL = {
  avrdude: "apt-get install avrdude",
  esptool: "install esptool, or use `idf.py flash` of ESP-IDF, which brings it",
  picotool: "build picotool from its sources, or add --tool copy",
};

/** Where a drive of that name is mounted, or null. */
function findVolume(name, roots = ["/media", "/run/media", "/Volumes"]) {
  const below = (folder) => (existsSync(folder) ? readdirSync(folder).map((entry) => join(folder, entry)) : []);
  const candidates = roots.flatMap((root) => below(root)).flatMap((folder) => [folder, ...belowFolder(folder)]);
  return candidates.find((folder) => folder.endsWith(`/${name}`)) ?? null;
}

function belowFolder(folder) {
  try {
    return readdirSync(folder).map((entry) => join(folder, entry));
  } catch {
    return []; // somebody else's, or no folder
  }
}

function chooseWay(board, wanted, isInstalled) {
  const ways = board.flashWith;
  if (wanted === undefined) {
    return (
      ways.find(({ tool }) => PROGRAMS[tool].length === 0 || PROGRAMS[tool].some((name) => isInstalled(name))) ??
      ways[0]
    );
  }
  const way = ways.find(({ tool }) => tool === wanted);
  const tools = ways.map(({ tool }) => tool).join(", ");
  if (way === undefined) {
    throw new Problem(`${board.id} is not flashed with "${wanted}"`, `its file names ${tools}`, `--tool ${tools}`);
  }
  return way;
}

function portOf(board, port) {
  if (port !== undefined) return port;
  throw new Problem(
    `${board.id} is flashed over a serial port, and none is named`,
    "guessing could write to another board",
    "find it with `npx tidegate serial ls` and add --port /dev/serial/by-id/…",
  );
}

/** The words of the command for each tool. */
const COMMANDS = {
  avrdude: ({ board, way, image, port }) => [
    ...["-p", way.part, "-c", way.programmer, "-P", portOf(board, port)],
    ...["-b", String(way.baud), "-D", "-U", `flash:w:${image}:i`],
  ],
  esptool: ({ board, way, image, port }) => [
    ...["--chip", way.chip, "--port", portOf(board, port), "--baud", String(way.baud)],
    ...["write_flash", "0x0", image],
  ],
  picotool: ({ image }) => ["load", "-v", "-x", "-f", image],
};

/**
 * What would be done.
 * @param {{ board: string, image: string, port?: string, tool?: string, volume?: string }} wish
 * @param {(program: string) => boolean} isInstalled
 * @returns {{ tool: string, command: string[] }} `command` for `copy` is ["cp", image, folder]
 * @throws Problem, in three lines: what, why, do this
 */
export function plan({ board: id, image, port, tool, volume }, isInstalled = onPath) {
  const board = readBoard(id);
  const way = chooseWay(board, tool, isInstalled);
  if (extname(image) !== `.${way.format}`) {
    const suffix = `.${way.format}`;
    throw new Problem(
      `${image} is no image for this`,
      `${way.tool} writes ${suffix} to ${id}`,
      `name a ${suffix} file`,
    );
  }
  if (way.tool === "copy") {
    const folder = volume ?? findVolume(way.volume) ?? `/media/${way.volume}`;
    return { tool: "copy", command: ["cp", image, folder] };
  }
  const program = PROGRAMS[way.tool].find((name) => isInstalled(name)) ?? PROGRAMS[way.tool][0];
  return { tool: way.tool, command: [program, ...COMMANDS[way.tool]({ board, way, image, port })] };
}

function checkImage(image) {
  if (!existsSync(image)) throw new Problem(`${image} is not there`, "nothing was written", "build the firmware first");
  const { size } = statSync(image);
  if (size > 0 && size <= IMAGE_BYTES_MAX) return;
  throw new Problem(`${image} has ${size} bytes`, "no board here takes that", "name the image that the build made");
}

function carryOut({ tool, command: [program, ...words] }) {
  if (tool === "copy") {
    const [image, folder] = words;
    if (!existsSync(folder)) {
      throw new Problem(
        `${folder} is not there`,
        "the board shows a drive only in its boot loader",
        "press its button while plugging it in, or name the drive with --volume",
      );
    }
    copyFileSync(image, join(folder, `tidegate${extname(image)}`));
    return 0;
  }
  if (!onPath(program)) throw new Problem(`${program} is not installed`, "it writes to this board", INSTALL[tool]);
  const { status } = spawnSync(program, words, { stdio: "inherit", timeout: TOOL_TIMEOUT_MS });
  if (status !== 0) {
    throw new Problem(
      `${program} did not finish (exit ${status ?? "by time"})`,
      "a port has one owner at a time, and a running gateway is one",
      "stop the gateway or take the line out of its configuration, check cable and port, and try again",
    );
  }
  return 0;
}

function main() {
  const options = { port: { type: "string" }, tool: { type: "string" }, volume: { type: "string" } };
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...options, "dry-run": { type: "boolean" } },
  });
  const [board, image] = positionals;
  if (board === undefined || image === undefined) {
    throw new Problem(
      "a board and an image are needed",
      `boards: ${boardsWithFlash().join(", ")}`,
      "node hardware/flash/flash.mjs arduino-uno firmware.hex --port /dev/ttyACM0 --dry-run",
    );
  }
  const { port, tool, volume } = values;
  const chosen = plan({ board, image, port, tool, volume });
  console.log(chosen.command.join(" "));
  if (values["dry-run"]) return 0;
  checkImage(image);
  return carryOut(chosen);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main();
  } catch (error) {
    console.error(`flash: ${error.message}`);
    process.exitCode = error instanceof Problem ? 1 : 2;
  }
}
