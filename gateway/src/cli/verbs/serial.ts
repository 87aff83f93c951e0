/**
 * `tidegate serial ls | identify | monitor`: what is plugged in, who it is, what it says. Needs no gateway; a port has
 * one owner at a time, so a running gateway must not have it open.
 */
import { encodeDownlink, encodeStreamFrame, HELLO_RETRY_MS, type Hello } from "@tidegate/proto";
import type { Command } from "commander";
import { repeat } from "../../core/clock.js";
import { GatewayError } from "../../core/errors.js";
import type { SerialChannel, SerialPortFacts } from "../../southbound/serial-open.js";
import { serialProblem } from "../../southbound/serial-problem.js";
import { hexText, type LinePiece, LineTap, noiseText } from "../line-tap.js";
import { plain } from "../plain.js";
import { countOption, durationOption, type JsonOption, jsonOption, type Shell } from "../shell.js";
import { boardOfUsb } from "../usb-boards.js";

const BAUD_DEFAULT = 115_200;
const WAIT_MS_DEFAULT = 10_000;
/** After so much silence, text without a border is shown. */
const QUIET_MS = 300;
/** Asks a device that thinks it has a session; one without says Hello by itself [P-11]. */
const ASK = Uint8Array.from([0, ...encodeStreamFrame(encodeDownlink({ kind: "sayHello" }))]);

interface PortOptions extends JsonOption {
  readonly baud: number;
}
interface IdentifyOptions extends PortOptions {
  readonly wait: number;
}
interface MonitorOptions extends PortOptions {
  readonly hex?: boolean;
  readonly count?: number;
}

/** Adds `serial ls | identify | monitor` to the program. */
export function addSerial(program: Command, shell: Shell): void {
  const group = program.command("serial").description("serial ports: what is there, who it is, what it says");
  group
    .command("ls")
    .description("list the serial ports of this machine")
    .addOption(jsonOption())
    .action(async (options: JsonOption) => {
      const ports = await shell.context.serial.list();
      if (options.json === true)
        shell.json({ ports: ports.map((port) => ({ ...port, board: boardOfUsb(port.usbId) })) });
      else if (ports.length === 0) shell.print("no serial ports; plug the device in, with a cable that carries data");
      else showPorts(shell, ports);
    });
  portVerb(group, "identify", "wait for a device's Hello and show who it is")
    .option("--wait <time>", "how long to wait, such as 30s", durationOption, WAIT_MS_DEFAULT)
    .action((port: string, options: IdentifyOptions) => identify(shell, port, options));
  portVerb(group, "monitor", "show messages and noise as they come; Ctrl-C ends it")
    .option("--hex", "also the bytes of every message")
    .option("--count <pieces>", "end after so many", countOption(1, 1_000_000_000))
    .action((port: string, options: MonitorOptions) => monitor(shell, port, options));
}

function portVerb(group: Command, name: string, summary: string): Command {
  return group
    .command(name)
    .description(summary)
    .argument("<port>", "path of the port, or unix:/path of an emulated board's socket")
    .option("--baud <speed>", "bits per second", countOption(300, 4_000_000), BAUD_DEFAULT)
    .addOption(jsonOption());
}

function showPorts(shell: Shell, ports: readonly SerialPortFacts[]): void {
  const columns = ["device", "usb", "board", "serial number", "made by", "path for the configuration"];
  const rows = ports.map((port) => [
    port.device,
    port.usbId ?? "",
    boardOfUsb(port.usbId) ?? "",
    port.serialNumber ?? "",
    port.manufacturer ?? "",
    port.path,
  ]);
  shell.table(
    columns.map((title) => ({ title })),
    rows,
  );
}

async function identify(shell: Shell, path: string, options: IdentifyOptions): Promise<void> {
  const { clock } = shell.context;
  let noiseBytes = 0;
  let found: Hello | null = null;
  await listen(shell, { path, baud: options.baud, waitMs: options.wait }, (pieces, channel) => {
    for (const piece of pieces) {
      if (piece.kind !== "message") noiseBytes += piece.bytes.length;
      else if (piece.uplink.body?.kind === "hello") found = piece.uplink.body.hello;
    }
    if (pieces === NOTHING) {
      const stop = repeat(clock, HELLO_RETRY_MS, () => channel.stream.write(ASK));
      channel.stream.once("close", stop);
      channel.stream.write(ASK);
    }
    return found !== null;
  });
  if (found === null) {
    const heard = noiseBytes === 0 ? "nothing was heard" : `${noiseBytes} bytes came that are no message`;
    throw new GatewayError("E_SERIAL_SILENT", `${heard} on ${path} at ${options.baud} baud`);
  }
  showHello(shell, found, { ...options, board: await boardOf(shell, path) });
}

/** The board that the port's USB number belongs to; null when it has none, or when ports cannot be listed here. */
async function boardOf(shell: Shell, path: string): Promise<string | null> {
  const ports = await shell.context.serial.list().catch(() => []);
  return boardOfUsb(ports.find((port) => port.path === path || port.device === path)?.usbId ?? null);
}

function showHello(shell: Shell, hello: Hello, { json, board }: JsonOption & { readonly board: string | null }): void {
  const { deviceId, firmware, model, protocol, maxRxBytes, uptimeMs } = hello;
  const hasProof = hello.proof.length > 0;
  if (json === true) {
    shell.json({ deviceId, firmware, model, protocol, maxRxBytes, uptimeMs, hasProof, board });
    return;
  }
  shell.pairs([
    ["device", deviceId],
    ["model", model],
    ...(board === null ? [] : [["board", `${board}, by its USB number`] as const]),
    ["firmware", firmware],
    ["protocol", String(protocol)],
    ["largest message", maxRxBytes === 0 ? "not stated" : `${maxRxBytes} bytes`],
    ["token", hasProof ? "sent" : "none: the line must be trusted"],
  ]);
}

async function monitor(shell: Shell, path: string, options: MonitorOptions): Promise<void> {
  const { count = Number.POSITIVE_INFINITY } = options;
  let shown = 0;
  await listen(shell, { path, baud: options.baud, waitMs: null }, (pieces) => {
    for (const piece of pieces.slice(0, count - shown)) {
      shown += 1;
      shell.print(options.json === true ? jsonLine(shell, piece) : textLine(shell, piece, options.hex === true));
    }
    return shown >= count;
  });
}

/** Called once with NOTHING when the port is open, then with what comes. Returns true to end. */
type Hear = (pieces: readonly LinePiece[], channel: SerialChannel) => boolean;
const NOTHING: readonly LinePiece[] = [];

/** Open a port and listen until `hear` has enough, the person has, or the time is over; then close the port. */
async function listen(
  shell: Shell,
  port: { readonly path: string; readonly baud: number; readonly waitMs: number | null },
  hear: Hear,
): Promise<void> {
  const { clock, serial, onInterrupt } = shell.context;
  const channel = await serial.open(port.path, port.baud).catch((thrown: unknown) => {
    throw serialProblem(port.path, thrown);
  });
  const tap = new LineTap();
  let cancelQuiet = (): void => {};
  const cleanUps: (() => void)[] = [() => cancelQuiet()];
  try {
    await new Promise<void>((resolve, reject) => {
      const take = (pieces: readonly LinePiece[]): void => {
        if (hear(pieces, channel)) resolve();
      };
      channel.stream.on("error", () => {});
      channel.stream.once("close", () => reject(serialProblem(port.path, "ENODEV: the line was closed")));
      channel.stream.on("data", (chunk: Uint8Array) => {
        take(tap.push(chunk));
        cancelQuiet();
        cancelQuiet = clock.after(QUIET_MS, () => take(tap.settle()));
      });
      cleanUps.push(onInterrupt(resolve));
      if (port.waitMs !== null) cleanUps.push(clock.after(port.waitMs, resolve));
      take(NOTHING);
    });
  } finally {
    for (const cleanUp of cleanUps) cleanUp();
    channel.close();
  }
}

/** A Hello holds the device's token: it is never shown, in no form. */
function isSecret(piece: LinePiece): boolean {
  return piece.kind === "message" && piece.uplink.body?.kind === "hello";
}

function textLine(shell: Shell, piece: LinePiece, withHex: boolean): string {
  const { paint } = shell;
  const time = paint.dim(timeText(shell).slice(11, 23));
  if (piece.kind === "noise") return `${time}  ${paint.dim("noise")}  ${plain(noiseText(piece.bytes))}`;
  if (piece.kind === "unknown") return `${time}  ${paint.warn(plain(piece.why))}  ${hexText(piece.bytes)}`;
  const { seq, gap, body } = piece.uplink;
  const numbers = seq === 0 ? "" : ` #${seq}${gap === 0 ? "" : ` gap ${gap}`}`;
  const head = `${time}  ${paint.bold(body?.kind ?? "a later version's message")}${numbers}  ${plain(bodyJson(piece))}`;
  if (!withHex) return head;
  return `${head}\n              ${isSecret(piece) ? "(bytes not shown: they hold the token)" : hexText(piece.bytes)}`;
}

function jsonLine(shell: Shell, piece: LinePiece): string {
  const facts = { time: timeText(shell), kind: piece.kind };
  if (piece.kind === "noise") return JSON.stringify({ ...facts, text: noiseText(piece.bytes) });
  if (piece.kind === "unknown") return JSON.stringify({ ...facts, why: piece.why, hex: hexText(piece.bytes) });
  const { seq, gap, body } = piece.uplink;
  const hex = isSecret(piece) ? {} : { hex: hexText(piece.bytes) };
  const content: unknown = JSON.parse(bodyJson(piece));
  return JSON.stringify({ ...facts, message: body?.kind ?? null, seq, gap, content, ...hex });
}

function bodyJson(piece: Extract<LinePiece, { kind: "message" }>): string {
  const { body } = piece.uplink;
  if (body === null) return "{}";
  const { kind: _, ...content } = body;
  const [inner] = Object.values(content);
  return JSON.stringify(inner ?? {}, (key, value: unknown) => {
    if (key === "proof") return value instanceof Uint8Array && value.length > 0 ? "[not shown]" : "";
    if (value instanceof Uint8Array) return hexText(value);
    return typeof value === "bigint" ? value.toString() : value;
  });
}

function timeText(shell: Shell): string {
  return new Date(shell.now()).toISOString();
}
