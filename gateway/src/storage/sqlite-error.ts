/**
 * What a failure of SQLite means for the gateway. The only place that knows SQLite's error codes.
 *
 *   full     no space: nothing was stored, it is tried again later, the devices keep their data
 *   busy     somebody else holds the file: tried again shortly
 *   corrupt  the file is damaged: the process ends, the next start checks the file and moves it aside
 *   io       the disk failed, also a failed fsync: the process ends; never retried and acked
 *   other    a fault of ours: the process ends, because what it would do next cannot be trusted
 */
import Database from "better-sqlite3";
import { GatewayError } from "../core/errors.js";

export type StoreFailure = "full" | "busy" | "corrupt" | "io" | "other";

/** @returns null when the thrown thing did not come from SQLite. */
export function failureOf(thrown: unknown): StoreFailure | null {
  if (!(thrown instanceof Database.SqliteError)) return null;
  const code = thrown.code;
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_SHMSIZE") return "full"; // the WAL index could not grow
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) return "busy";
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB") return "corrupt";
  if (code.startsWith("SQLITE_IOERR") || code.startsWith("SQLITE_CANTOPEN")) return "io";
  return "other";
}

/** A failure as the gateway's error; errors of our own pass through. */
export function storeError(thrown: unknown, file: string): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const failure = failureOf(thrown);
  const why = `${file}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  const options = { cause: thrown };
  if (failure === "full") return new GatewayError("E_STORE_FULL", why, options);
  if (failure === "busy") return new GatewayError("E_STORE_BUSY", why, options);
  if (failure === "corrupt") return new GatewayError("E_STORE_CORRUPT", why, options);
  if (failure === "io") return new GatewayError("E_STORE_IO", why, options);
  return new GatewayError("E_INTERNAL", why, options);
}

/** Does this failure end the process? Refusals and space do not. */
export function isFatal(error: GatewayError): boolean {
  return error.code === "E_STORE_IO" || error.code === "E_STORE_CORRUPT" || error.code === "E_INTERNAL";
}
