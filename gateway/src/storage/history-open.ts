/**
 * Opens history.db. It can be made again from the spool, so it waits for the disk less (NORMAL) and a damaged file is
 * kept once, for whoever wants to know why, and not once per damage.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type OpenedDatabase, openDatabase } from "./database.js";
import { HISTORY_SCHEMA } from "./history-schema.js";
import type { StoreNotice } from "./open-stores.js";

export const HISTORY_FILE = "history.db";

export interface OpenHistory extends OpenedDatabase {
  readonly path: string;
  readonly notices: readonly StoreNotice[];
}

/**
 * @param unixMs for the name of a file that is moved aside.
 *
 * Errors: E_DATA_DIR, E_STORE_NEWER, E_STORE_CORRUPT, E_STORE_IO.
 */
export function openHistory(dataDir: string, unixMs: number): OpenHistory {
  const path = join(dataDir, HISTORY_FILE);
  const opened = openDatabase(path, { schema: HISTORY_SCHEMA, unixMs, synchronous: "normal" });
  const { quarantinedTo } = opened;
  if (quarantinedTo === null) return { ...opened, path, notices: [] };
  dropOlder(dataDir, quarantinedTo);
  const sentence = "The history was damaged and moved aside; it is rebuilt from what the spool holds";
  return { ...opened, path, notices: [{ level: "warn", sentence, facts: { file: path, movedTo: quarantinedTo } }] };
}

function dropOlder(dataDir: string, newest: string): void {
  for (const name of readdirSync(dataDir)) {
    const path = join(dataDir, name);
    if (name.startsWith(`${HISTORY_FILE}.corrupt-`) && !path.startsWith(newest)) rmSync(path, { force: true });
  }
}
