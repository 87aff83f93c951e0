/**
 * Brings a database to the present schema: numbered steps, forward only, the file copied before the first of them.
 *
 *   user_version   0 (new) ──step──▶ 1 ──copy, step──▶ 2 …          beyond the last step: refused, E_STORE_NEWER
 */
import { copyFileSync, existsSync } from "node:fs";
import { basename } from "node:path";
import type { Database } from "better-sqlite3";
import { GatewayError } from "../core/errors.js";
import type { Schema } from "./schema.js";

/** Where the copy of a file stands that was made before it left that version. */
export function copyPath(path: string, version: number): string {
  return `${path}.v${version}`;
}

/**
 * @returns the version it had before; 0 for a new file.
 * Errors: E_STORE_NEWER (with the line that restores the copy, when there is one); whatever SQLite throws.
 */
export function migrate(db: Database, path: string, schema: Schema): number {
  const found = numberOf(db.pragma("user_version", { simple: true }));
  const latest = schema.steps.length;
  if (found > latest) throw newer(path, found, latest);
  if (found === latest) return found;
  if (found > 0) {
    // The WAL goes into the file first, so that the copy is whole by itself.
    db.pragma("wal_checkpoint(TRUNCATE)");
    copyFileSync(path, copyPath(path, found));
  }
  db.transaction(() => {
    for (const step of schema.steps.slice(found)) step(db);
    db.pragma(`user_version = ${latest}`);
    db.pragma(`application_id = ${schema.applicationId}`);
  }).exclusive();
  return found;
}

function newer(path: string, found: number, latest: number): GatewayError {
  const why = `${basename(path)} has schema ${found}, this version knows up to ${latest}`;
  const copy = copyPath(path, latest);
  if (!existsSync(copy)) return new GatewayError("E_STORE_NEWER", why);
  return new GatewayError("E_STORE_NEWER", why, {
    fix: `install the newer version, or go back with: rm -f '${path}'-wal '${path}'-shm && cp '${copy}' '${path}'`,
  });
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Number(value);
}
