// `hardware/` is data, and data is checked: board files against one schema, and everything that names a board, a pin
// or a USB number against the board files.
//
//   boards/*.yaml ─► schema ─► boards ─┬─► SIZE.md (measured numbers)    wiring/*.md (pins)
//                                      ├─► udev rules, CLI (USB numbers) bom/kits.csv (boards)
//                                      └─► README.md (one row per board, emulator or no)
//
//   node scripts/hardware-check.mjs [ROOT]      exit 1 with one line per problem
//   node scripts/hardware-check.mjs --measured  takes the numbers of SIZE.md over into board files and README first
//
// A board file cannot claim more than is true: "emulator" needs a test that names the machine, and there is no word
// for "ran on the board" until somebody has done it.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseDocument } from "yaml";
import * as z from "zod";
import { ROOT } from "./workspace/report.mjs";

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const MEMORY = /^\d+ (KiB|MiB|GiB)( to \d+ (MiB|GiB))?$/;
const USB_NUMBER = z.string().regex(/^[0-9a-f]{4}$/, "four hexadecimal digits in lower case, quoted");
const BAUDS = [9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000];
const PIN_USES = ["power", "ground", "uart-tx", "uart-rx", "i2c-sda", "i2c-scl", "one-wire", "analog-in"];

/** One board. The keys are explained in hardware/README.md. */
export const BOARD = z
  .strictObject({
    id: z.string().regex(NAME, "small letters, digits and single dashes"),
    name: z.string().min(1),
    roles: z.array(z.enum(["gateway", "device"])).min(1),
    mcu: z.string().min(1),
    flash: z.string().regex(MEMORY, "such as 32 KiB").optional(),
    ram: z.string().regex(MEMORY, "such as 2 KiB, or 1 GiB to 8 GiB"),
    logicVolts: z.literal([3.3, 5]),
    link: z.discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("serial"), baud: z.literal(BAUDS) }),
      z.strictObject({ kind: z.literal("websocket") }),
    ]),
    pins: z.array(
      z.strictObject({ name: z.string().min(1), at: z.string().min(1), does: z.array(z.enum(PIN_USES)).min(1) }),
    ),
    led: z.string().min(1),
    usb: z.array(z.strictObject({ vid: USB_NUMBER, pid: USB_NUMBER, what: z.string().min(1) })),
    flashWith: z
      .array(
        z.discriminatedUnion("tool", [
          z.strictObject({
            tool: z.literal("avrdude"),
            format: z.literal("hex"),
            part: z.string().regex(/^m\d+p?$/, "avrdude's name of the chip, such as m328p"),
            programmer: z.enum(["arduino", "wiring"]),
            baud: z.literal(BAUDS),
          }),
          z.strictObject({
            tool: z.literal("esptool"),
            format: z.literal("bin"),
            chip: z.string().regex(/^esp32[a-z0-9]*$/, "esptool's name of the chip, such as esp32c3"),
            baud: z.literal(BAUDS),
          }),
          z.strictObject({ tool: z.literal("picotool"), format: z.literal("uf2") }),
          z.strictObject({
            tool: z.literal("copy"),
            format: z.enum(["uf2", "hex"]),
            volume: z.string().regex(/^[A-Z0-9-]+$/, "the name of the drive that the board shows"),
          }),
        ]),
      )
      .min(1)
      .optional(),
    sdk: z.strictObject({ edition: z.enum(["c", "ts"]), port: z.string().regex(/^device-sdk\//) }),
    measured: z
      .strictObject({
        target: z.string().min(1),
        flashBytes: z.int().positive(),
        ramBytes: z.int().positive(),
        stackBytes: z.int().positive(),
      })
      .optional(),
    ranHere: z.enum(["emulator", "no"]),
    emulator: z
      .strictObject({
        kind: z.string().regex(NAME, "small letters, digits and single dashes"),
        program: z.enum(["qemu-system-arm", "simavr"]),
        machine: z.string().min(1),
        image: z.string().regex(/^[a-z0-9]+\.elf$/, "such as microbit.elf"),
        identityAt: z
          .string()
          .regex(/^0x[0-9a-f]{8}$/, "an address such as 0x20003f80, quoted")
          .optional(),
        test: z.string().min(1),
      })
      .refine((emulator) => (emulator.program === "qemu-system-arm") === (emulator.identityAt !== undefined), {
        path: ["identityAt"],
        message: "stands with qemu-system-arm, and only there",
      })
      .optional(),
  })
  .refine((board) => (board.ranHere === "emulator") === (board.emulator !== undefined), {
    path: ["emulator"],
    message: "stands with `ranHere: emulator`, and only there",
  })
  .refine((board) => new Set(board.pins.map(({ name }) => name)).size === board.pins.length, {
    path: ["pins"],
    message: "a pin is listed twice",
  });

/** What every page that tells people to connect wires has to say. */
const WIRING_MUSTS = ["Not run on the real thing", "## Voltage", "## First reading", "| board pin |"];

const KIT_COLUMNS = "kit,board,ref,part,mfr,mpn,qty,notes";

/**
 * Checks `hardware/` below a root.
 * @param {string} root folder of the repository, or of a copy
 * @returns {string[]} one sentence per problem, each beginning with a path; empty when all is well
 */
export function checkHardware(root = ROOT) {
  const read = (path) => readFileSync(join(root, path), "utf8");
  const list = (path, suffix) => readdirSync(join(root, path)).filter((name) => name.endsWith(suffix));
  const problems = [];
  const boards = new Map();
  for (const file of list("hardware/boards", ".yaml")) {
    const path = `hardware/boards/${file}`;
    const board = parseBoard(path, read(path), problems);
    if (board !== null) boards.set(board.id, board);
  }
  // Without all boards everything that names one would look wrong, and hide the line that matters.
  if (problems.length > 0) return problems;
  const context = { root, boards, problems };
  for (const board of boards.values()) checkEvidence(board, context, read);
  checkUsbTable(read("gateway/src/cli/usb-boards.ts"), context);
  checkUdev(read("hardware/udev/60-tidegate-serial.rules"), context);
  for (const file of list("hardware/wiring", ".md")) checkWiring(file, read(`hardware/wiring/${file}`), context);
  checkKits(read("hardware/bom/kits.csv"), context);
  checkMatrix(read("hardware/README.md"), context);
  return problems;
}

function parseBoard(path, text, problems) {
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    problems.push(...document.errors.map((error) => `${path}: ${error.message.split("\n")[0]}`));
    return null;
  }
  const parsed = BOARD.safeParse(document.toJS());
  if (!parsed.success) {
    for (const { path: keys, message } of parsed.error.issues) {
      problems.push(`${path}: ${keys.join(".") || "the file"}: ${message}`);
    }
    return null;
  }
  if (parsed.data.id !== basename(path, ".yaml")) problems.push(`${path}: id: must be the name of the file`);
  return parsed.data;
}

/** Ports and tests exist; measured numbers are those of SIZE.md. */
function checkEvidence(board, { root, problems }, read) {
  const path = `hardware/boards/${board.id}.yaml`;
  if (!existsSync(join(root, board.sdk.port))) problems.push(`${path}: sdk.port: ${board.sdk.port} is not there`);
  if (board.emulator !== undefined) {
    const { test, machine, image } = board.emulator;
    if (!read("firmware-sim/firmware/Makefile").includes(`$(BUILD)/${image}`)) {
      problems.push(`${path}: emulator.image: firmware-sim/firmware/Makefile does not make ${image}`);
    }
    if (!existsSync(join(root, test))) problems.push(`${path}: emulator.test: ${test} is not there`);
    else if (!read(test).includes(machine)) problems.push(`${path}: emulator.machine: ${test} never names ${machine}`);
  }
  if (board.measured === undefined) return;
  const { target, ...claimed } = board.measured;
  const actual = sizesOf(read("device-sdk/c/SIZE.md"), target);
  if (actual === null) {
    problems.push(`${path}: measured.target: device-sdk/c/SIZE.md has no row ${target}`);
    return;
  }
  for (const [key, bytes] of Object.entries(claimed)) {
    if (actual[key] !== bytes) problems.push(`${path}: measured.${key}: is ${bytes}, SIZE.md says ${actual[key]}`);
  }
}

/** The serial profile of one target in SIZE.md; a cell is `measured / limit` or `measured`. */
function sizesOf(text, target) {
  const rows = text.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  const row = rows.find((cells) => cells[1] === target);
  if (row === undefined) return null;
  const bytes = (column) => Number.parseInt(row[column] ?? "", 10);
  return { flashBytes: bytes(3), ramBytes: bytes(6), stackBytes: bytes(7) };
}

/** The rules are lists of `KEY op "value"`, and name exactly the USB numbers of the boards, with their boards. */
function checkUdev(text, { boards, problems }) {
  const path = "hardware/udev/60-tidegate-serial.rules";
  const item = /^[A-Z_]+(\{[A-Za-z_]+\})?(==|!=|=|\+=|:=)"[^"]*"$/;
  const known = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const wrong = line.split(", ").find((part) => !item.test(part));
    if (wrong !== undefined) problems.push(`${path}:${index + 1}: not a udev rule: ${wrong}`);
    const usb = /ATTRS?\{idVendor\}=="(\w+)", ATTRS?\{idProduct\}=="(\w+)"/.exec(line);
    if (usb === null) continue;
    known.push(`${usb[1]}:${usb[2]} ${/TIDEGATE_BOARD\}="([^"]*)"/.exec(line)?.[1] ?? "ModemManager"}`);
  }
  const wanted = [...boards.values()].flatMap(({ id, usb }) =>
    usb.flatMap(({ vid, pid }) => [`${vid}:${pid} ${id}`, `${vid}:${pid} ModemManager`]),
  );
  for (const entry of wanted) if (!known.includes(entry)) problems.push(`${path}: has no rule for ${entry}`);
  for (const entry of known) if (!wanted.includes(entry)) problems.push(`${path}: no board file has ${entry}`);
}

/** What `tidegate serial` knows is what the board files say. */
function checkUsbTable(text, { boards, problems }) {
  const path = "gateway/src/cli/usb-boards.ts";
  const known = [...text.matchAll(/\["(\w{4}:\w{4})", "([a-z0-9-]+)"\]/g)].map(([, id, board]) => `${id} ${board}`);
  const wanted = [...boards.values()].flatMap(({ id, usb }) => usb.map(({ vid, pid }) => `${vid}:${pid} ${id}`));
  for (const entry of wanted) if (!known.includes(entry)) problems.push(`${path}: has no line for ${entry}`);
  for (const entry of known) if (!wanted.includes(entry)) problems.push(`${path}: no board file has ${entry}`);
}

/** A wiring page is called `<anything>.md`, links its board, and names only pins that the board has. */
function checkWiring(file, text, { boards, problems }) {
  const path = `hardware/wiring/${file}`;
  for (const must of WIRING_MUSTS) if (!text.includes(must)) problems.push(`${path}: lacks "${must}"`);
  const board = boards.get(/\(\.\.\/boards\/([a-z0-9-]+)\.yaml\)/.exec(text)?.[1] ?? "");
  if (board === undefined) {
    problems.push(`${path}: links no file of hardware/boards`);
    return;
  }
  const names = new Set(board.pins.map(({ name }) => name));
  for (const [, pin] of text.matchAll(/^\| `([^`]+)` \|/gm)) {
    if (!names.has(pin)) problems.push(`${path}: ${board.id} has no pin ${pin}`);
  }
}

function checkKits(text, { boards, problems }) {
  const path = "hardware/bom/kits.csv";
  const [head, ...rows] = text.trimEnd().split("\n");
  if (head !== KIT_COLUMNS) problems.push(`${path}:1: the columns are ${KIT_COLUMNS}`);
  for (const [index, row] of rows.entries()) {
    const cells = row.split(",");
    const say = (message) => problems.push(`${path}:${index + 2}: ${message}`);
    if (cells.length !== KIT_COLUMNS.split(",").length) say(`has ${cells.length} cells`);
    else if (!boards.has(cells[1])) say(`there is no board ${cells[1]}`);
    else if (!/^[1-9]\d*$/.test(cells[6])) say(`the quantity is "${cells[6]}"`);
  }
}

/** The README's matrix has one row per board, which says whether it ran in an emulator. */
function checkMatrix(text, { boards, problems }) {
  const path = "hardware/README.md";
  const rows = [...text.matchAll(/^\| \[([a-z0-9-]+)\]\(boards\/\1\.yaml\) \|.*\| (emulator|no) \|$/gm)];
  for (const { id, ranHere } of boards.values()) {
    const row = rows.find((match) => match[1] === id);
    if (row === undefined) problems.push(`${path}: the matrix has no row for ${id}`);
    else if (row[2] !== ranHere) problems.push(`${path}: says "${row[2]}" for ${id}, its file says "${ranHere}"`);
  }
  for (const [, id] of rows) if (!boards.has(id)) problems.push(`${path}: there is no board ${id}`);
}

/** Writes what SIZE.md measured wherever a board claims it. */
export function takeMeasured(root = ROOT) {
  const sizes = readFileSync(join(root, "device-sdk/c/SIZE.md"), "utf8");
  const folder = join(root, "hardware/boards");
  const files = readdirSync(folder).map((name) => join(folder, name));
  for (const path of [...files, join(root, "hardware/README.md")]) {
    const before = readFileSync(path, "utf8");
    const after = before
      .replace(/^measured: \{ target: ([^,]+),.*\}$/gm, (line, target) => {
        const at = sizesOf(sizes, target);
        if (at === null) return line;
        const { flashBytes, ramBytes, stackBytes } = at;
        const numbers = `flashBytes: ${flashBytes}, ramBytes: ${ramBytes}, stackBytes: ${stackBytes}`;
        return `measured: { target: ${target}, ${numbers} }`;
      })
      .replace(/\d+ \/ \d+ \/ \d+ \(([^)]+)\)/g, (cell, target) => {
        const at = sizesOf(sizes, target);
        return at === null ? cell : `${at.flashBytes} / ${at.ramBytes} / ${at.stackBytes} (${target})`;
      });
    if (after !== before) writeFileSync(path, after);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const wish = process.argv[2];
  if (wish === "--measured") takeMeasured();
  const problems = checkHardware(wish === "--measured" ? undefined : wish);
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
