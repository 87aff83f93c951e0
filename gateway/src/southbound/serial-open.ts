/**
 * Opens the byte stream of a serial line. The gateway's only user of `serialport`, loaded when a line needs it.
 *
 *   /dev/…, COM3        ─▶ serialport at the line's speed
 *   unix:/run/uart.sock ─▶ a socket that stands for the wire: the UART of an emulated board
 */
import { readdir, realpath } from "node:fs/promises";
import { connect } from "node:net";
import { basename, join } from "node:path";
import type { Duplex } from "node:stream";

/** An open line. `stream` emits `close` when the line is gone, also after `close`. */
export interface SerialChannel {
  readonly stream: Duplex;
  /** Give the line back. Calling it twice is harmless. */
  close(): void;
}

/** Opens a line; rejects with the operating system's error. */
export type OpenSerial = (path: string, baud: number) => Promise<SerialChannel>;

/** One port of this machine. */
export interface SerialPortFacts {
  /** Path to open; the one below /dev/serial/by-id where there is one, because it survives replugging. */
  readonly path: string;
  /** The kernel's name, e.g. /dev/ttyUSB0. */
  readonly device: string;
  readonly manufacturer: string | null;
  /** Of the USB bridge or board. */
  readonly serialNumber: string | null;
  /** `vendor:product` in hex; null when it is no USB device. */
  readonly usbId: string | null;
}

/** Lists the ports of this machine. */
export type ListSerial = () => Promise<SerialPortFacts[]>;

export const UNIX_PREFIX = "unix:";

const BY_ID = "/dev/serial/by-id";

/** The real thing. */
export const openSerial: OpenSerial = (path, baud) =>
  path.startsWith(UNIX_PREFIX) ? openSocket(path.slice(UNIX_PREFIX.length)) : openPort(path, baud);

/** What serialport finds, or, without udev, what the kernel's and udev's folders say. */
export const listSerial: ListSerial = async () => {
  const links = await byIdLinks();
  try {
    const { SerialPort } = await import("serialport");
    const found = await SerialPort.list();
    return found.map((port) => ({
      path: links.get(port.path) ?? port.path,
      device: port.path,
      manufacturer: port.manufacturer ?? null,
      serialNumber: port.serialNumber ?? null,
      usbId: port.vendorId === undefined ? null : `${port.vendorId}:${port.productId ?? ""}`,
    }));
  } catch {
    // On Linux serialport asks udevadm, which small systems and containers do not have.
    return [...links].map(([device, path]) => ({ path, device, manufacturer: null, serialNumber: null, usbId: null }));
  }
};

/**
 * The port that a by-id path means, when the link itself is absent (no udev, another machine's name): the one whose USB
 * serial number stands in the name. Null when none or several fit. Pure.
 */
export function portBySerialNumber(path: string, ports: readonly SerialPortFacts[]): string | null {
  if (!path.startsWith(`${BY_ID}/`)) return null;
  const name = basename(path);
  const fitting = ports.filter(
    ({ serialNumber }) =>
      serialNumber !== null && (name.includes(`_${serialNumber}-`) || name.endsWith(`_${serialNumber}`)),
  );
  const [only] = fitting;
  return fitting.length === 1 && only !== undefined ? only.device : null;
}

async function openPort(path: string, baudRate: number): Promise<SerialChannel> {
  const { SerialPort } = await import("serialport");
  // hupcl off: closing leaves DTR up, so that the next start of the gateway does not reset an Arduino.
  const port = new SerialPort({ path, baudRate, autoOpen: false, hupcl: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error === null ? resolve() : reject(error)));
  });
  // A closed port ends its reads with errors that nobody waits for.
  port.on("error", () => {});
  const close = (): void => {
    if (port.isOpen && !port.closing) port.close(() => {});
  };
  // A read of no bytes is how some drivers say that the device is gone.
  port.on("end", close);
  return { stream: port, close };
}

function openSocket(path: string): Promise<SerialChannel> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // The close follows.
      socket.on("error", () => {});
      resolve({ stream: socket, close: () => socket.destroy() });
    });
  });
}

/** Kernel name to by-id path. Empty where there is no such folder. */
async function byIdLinks(): Promise<Map<string, string>> {
  const links = new Map<string, string>();
  try {
    for (const name of (await readdir(BY_ID)).sort()) {
      const link = join(BY_ID, name);
      links.set(await realpath(link), link);
    }
  } catch {
    // No udev here; the ports keep their kernel names.
  }
  return links;
}
