// Types of requires.mjs for the TypeScript tests that import it.

import type { describe, it } from "vitest";

/** Finds the note that a skipped title carries; the first group is the packages, space-separated. */
export const INSTALL_NOTE: RegExp;

/** One line of scripts/apt-packages.txt. */
export interface AptPackage {
  name: string;
  commands: string[];
  reason: string;
}

/** Reads the text of scripts/apt-packages.txt. */
export function parseAptPackages(text: string): AptPackage[];

/** Full path of an executable on PATH (or in the sbin folders), or null. */
export function findCommand(command: string, path?: string): string | null;

/** True where a missing program must fail the test instead of skipping it. */
export function skippingIsForbidden(env?: Record<string, string | undefined>): boolean;

/** What `requires` returns. */
export interface Requirement {
  /** True when every program is here. */
  isAvailable: boolean;
  /** `describe`, or its variant that skips (the title names the install line) or fails. */
  describe: typeof describe;
  /** `it`, or its variant that skips (the title names the install line) or fails. */
  it: typeof it;
  /** Full path of a required program; the bare name when it is absent. */
  path(command: string): string;
}

/**
 * Declares which system programs the tests of a file need, by command name ("mosquitto", "strace", "protoc").
 * Throws when a command is in no package of scripts/apt-packages.txt.
 */
export function requires(...commands: string[]): Requirement;
