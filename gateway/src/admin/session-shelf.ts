/**
 * Where login sessions survive a restart of the gateway: a small file of hashes, never of secrets.
 *
 *   { "boot": "<boot id>", "sessions": [ { "id": "<sha-256 of the cookie>", "endMonoMs": 123 } ] }
 *
 * Ends are monotonic, so they mean something only within one boot of the machine: after another boot everybody logs in
 * again. Losing the file costs a login, nothing else; an unreadable one opens nothing.
 */
import { readFile, rename, writeFile } from "node:fs/promises";

/** Keeps one text. `save` may be lost in a crash. */
export interface SessionShelf {
  /** The text saved last; null when there is none. Never rejects. */
  load(): Promise<string | null>;
  /** Never throws; failures are swallowed, because a session that is not kept is only a login later. */
  save(text: string): void;
}

/** A shelf that is one file, readable by its owner alone. */
export function fileShelf(path: string): SessionShelf {
  let last = Promise.resolve();
  return {
    load: () => readFile(path, "utf8").catch(() => null),
    save: (text) => {
      const fresh = `${path}.new`;
      const write = async (): Promise<void> => {
        await writeFile(fresh, text, { mode: 0o600 });
        await rename(fresh, path);
      };
      last = last.then(write).catch(() => {});
    },
  };
}

export interface KeptSession {
  readonly id: string;
  readonly endMonoMs: number;
}

/** Sessions as the text that is kept. */
export function shelfText(bootId: string, sessions: readonly KeptSession[]): string {
  return `${JSON.stringify({ boot: bootId, sessions })}\n`;
}

/** What a kept text still means in this boot; nothing when it is damaged or from another one. */
export function sessionsIn(text: string | null, bootId: string): KeptSession[] {
  const kept = parsed(text);
  if (kept === null || kept["boot"] !== bootId || !Array.isArray(kept["sessions"])) return [];
  return kept["sessions"].filter(isKept).map(({ id, endMonoMs }) => ({ id, endMonoMs }));
}

function parsed(text: string | null): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function isKept(value: unknown): value is KeptSession {
  if (typeof value !== "object" || value === null || !("id" in value) || !("endMonoMs" in value)) return false;
  return typeof value.id === "string" && /^[0-9a-f]{64}$/.test(value.id) && Number.isFinite(value.endMonoMs);
}
