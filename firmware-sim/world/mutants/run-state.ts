/**
 * What a run of the mutants has found so far, kept line by line in a file, so that a long run may be ended and goes on.
 *
 *   {"key":"<hash>","name":…,"by":…,"tookMs":…}      key: the mutant and the file it is planted in, as they are now
 *
 * A mutant whose file has changed since has another key, and is tried again.
 */
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Catch } from "./hunt.js";
import type { Mutant } from "./mutant.js";

interface Line extends Catch {
  readonly key: string;
  readonly name: string;
}

/** One per run. */
export class RunState {
  readonly #path: string | null;
  readonly #root: string;
  readonly #found = new Map<string, Catch>();

  /** @param path null: nothing is kept. @param root of the repository. */
  constructor(path: string | null, root: string) {
    this.#path = path;
    this.#root = root;
    if (path === null || !existsSync(path)) return;
    for (const text of readFileSync(path, "utf8").split("\n")) {
      const line = lineIn(text);
      if (line !== null) this.#found.set(line.key, line);
    }
  }

  /** null: it has not been tried as it is now. */
  of(mutant: Mutant): Catch | null {
    return this.#found.get(this.#keyOf(mutant)) ?? null;
  }

  add(mutant: Mutant, found: Catch): void {
    const { by, tookMs } = found;
    const line: Line = { key: this.#keyOf(mutant), name: mutant.name, by, tookMs };
    this.#found.set(line.key, line);
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }

  #keyOf(mutant: Mutant): string {
    const text = readFileSync(join(this.#root, mutant.file), "utf8");
    return createHash("sha256").update(JSON.stringify(mutant)).update(text).digest("hex").slice(0, 16);
  }
}

/** A line that was cut off by the end of a run is none. */
function lineIn(text: string): Line | null {
  try {
    return JSON.parse(text) as Line; // written by `add`
  } catch {
    return null;
  }
}
