/** placeholder until the command is here, stands in the room cli */
import type { Command } from "commander";
export function addRun(_program: Command, _io: unknown, _done: (code: number) => void): void {}
