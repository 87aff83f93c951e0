/**
 * Why a serial line cannot be opened or was lost, in words that say what to do. Pure.
 *
 * serialport reports the operating system's text and no code; sockets report a code. Both are read here.
 */
import { GatewayError } from "../core/errors.js";

const DENIED = /permission denied|access denied|EACCES|EPERM/i;
const BUSY = /cannot lock port|resource busy|device or resource busy|EBUSY|EAGAIN|access is denied/i;
const MISSING = /no such (file|device)|file not found|cannot find|ENOENT|ENXIO|ENODEV|ECONNREFUSED/i;

/** The failure of a line as an operator reads it. `path` is the line's path as configured. */
export function serialProblem(path: string, thrown: unknown): GatewayError {
  const text = textOf(thrown);
  if (BUSY.test(text)) {
    return new GatewayError("E_SERIAL_BUSY", `another program has ${path} open`, {
      fix: `close it (find it with: fuser -v ${path}); ModemManager and an open serial monitor are the usual ones`,
      cause: thrown,
    });
  }
  if (DENIED.test(text)) {
    return new GatewayError("E_SERIAL_DENIED", `this user may not open ${path}`, {
      fix:
        "add the user to the group that owns it: sudo usermod -aG dialout $USER, then log in again " +
        "(a service: SupplementaryGroups=dialout; a container: --device and --group-add)",
      cause: thrown,
    });
  }
  if (MISSING.test(text)) {
    return new GatewayError("E_SERIAL_MISSING", `there is no ${path}`, {
      fix: "plug the device in, or find the name it has with `tidegate serial ls`",
      cause: thrown,
    });
  }
  return new GatewayError("E_SERIAL", `${path}: ${text}`, { cause: thrown });
}

function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  return thrown.message.includes(code) ? thrown.message : `${code}: ${thrown.message}`;
}
