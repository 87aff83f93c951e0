/** The store by the names and sizes of its files alone: a running gateway is not disturbed. Edge room `cli`, pure. */
import { bytes } from "../quantities.js";
import { type Check, fail, ok, skipped, warn } from "./check.js";

/** Names in the data folder and how many bytes each holds. */
export type StoreFiles = ReadonlyMap<string, number>;

const NAME = "store";
const NAMES_SHOWN_MAX = 4;

/** What the state of the store's files means. @param isRunning a gateway runs on them. */
export function storeCheck(files: StoreFiles | null, isRunning: boolean): Check {
  if (files === null) return skipped(NAME, "the data folder cannot be read");
  const identity = files.get("identity.db");
  const spool = files.get("spool.db");
  if (identity === undefined && spool === undefined) return ok(NAME, "none yet; it is made at the first start");
  if (identity === undefined || (identity === 0 && !files.has("identity.db-wal"))) {
    const what = identity === undefined ? "identity.db is missing" : "identity.db is empty";
    const fix = "restore a backup, or add the devices again: `tidegate device add`";
    return fail(NAME, `${what}: every device is denied, none is allowed`, fix);
  }
  if (files.has("spool.db.suspect")) {
    const fix = "restart the gateway; what is damaged is moved aside, salvaged and listed";
    return warn(NAME, "the last run met damage in spool.db: the next start checks all of it", fix);
  }
  const aside = [...files.keys()].filter((name) => /\.corrupt-\d+$/.test(name));
  if (aside.length > 0) return movedAside(aside);
  if (spool === undefined || (spool === 0 && !files.has("spool.db-wal"))) {
    const detail = "spool.db is missing or empty: the next start lists what devices were told before as unproven";
    return warn(NAME, detail, "restore a backup if there is one, before the gateway starts");
  }
  if (isRunning && !files.has("spool.db.reserve")) {
    const fix = "make space; the reserve comes back by itself, and drains a disk that is full";
    return warn(NAME, "spool.db has no reserve: the disk is or was full", fix);
  }
  const isUnclean = !isRunning && (files.get("spool.db-wal") ?? 0) > 0;
  const state = isUnclean
    ? "the last run was not closed; the next start checks it"
    : "whole, as far as names and sizes say";
  return ok(NAME, `spool.db ${bytes(spool)}, identity.db ${bytes(identity)}; ${state}`);
}

function movedAside(names: readonly string[]): Check {
  const shown = names.slice(0, NAMES_SHOWN_MAX).join(", ");
  const more = names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : "";
  const fix = "check the disk (`dmesg`, `smartctl -a`) and the losses (`tidegate gaps ls`); then delete these files";
  return warn(NAME, `damaged and moved aside: ${shown}${more}`, fix);
}
