/** Finds a program of the system; Debian puts daemons where an ordinary user's PATH does not look. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/** Full path of an executable on `path` or in the folders of daemons; null when there is none. */
export function findProgram(command: string, path: string): string | null {
  for (const folder of [...path.split(delimiter), ...SYSTEM_FOLDERS]) {
    if (folder !== "" && isExecutable(join(folder, command))) return join(folder, command);
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
