/**
 * The name of this boot of the machine. Monotonic times of one boot mean nothing in another.
 */
import { readFileSync } from "node:fs";
import type { Random } from "../core/random.js";
import { newStoreId } from "./new-ids.js";

/** Linux names its boots; elsewhere each start of the process counts as one, which is the safe side. */
export function readBootId(random: Random): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return newStoreId(random);
  }
}
