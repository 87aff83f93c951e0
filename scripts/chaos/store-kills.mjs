// Kills the storage alone at the k-th fsync or write of its life: a small process that stores 200 numbered records, one
// commit each, on the gateway's own worker threads. It starts in a third of a second, so every k can be taken.
//
//   fresh folder ─▶ store 1 … 200, killed at k ─▶ started again, stores the rest ─▶ what is in the file?

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Faultline } from "../../firmware-sim/dist/rehearse/faultline.js";
import { SystemClock } from "../../gateway/dist/core/clock.js";
import { Reader } from "../../gateway/dist/storage/reader.js";

const CHILD = fileURLToPath(new URL("../../gateway/src/storage/testing/ingest-child.mjs", import.meta.url));

/** Records of one life. */
const MESSAGES = 200;

/** Lists numbers; what is in the records is not asked. */
const NUMBERS = { render: (record) => ({ topic: "n", payload: String(record.seq) }), live: () => null };

/** Owns a folder until `close`. */
export class StoreKills {
  #dir = mkdtempSync(join(tmpdir(), "tidegate-store-kills-"));
  #faults = new Faultline(this.#dir, "/data/");

  /**
   * One life that ends at the k-th call, and the one after it.
   * @returns `isKilled`: false when the life has fewer calls; `attempted`, `acked`, `unique`, `missing`, `doubled`: how
   *   many of its numbers were
   */
  async killAt(call, k) {
    const data = join(this.#dir, "data");
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data);
    this.#faults.killAt(call, k);
    const first = this.#live(data);
    this.#faults.heal();
    const second = this.#live(data);
    if (second.signal !== null || second.status !== 0)
      throw new Error(`the store did not start again: ${second.stderr}`);
    const acked = Math.max(0, ...acksOf(first.stdout));
    const stored = numbersIn(join(data, "spool.db"));
    const unique = new Set(stored);
    let missing = Math.max(0, acked - Math.min(...acksOf(second.stdout)));
    for (let seq = 1; seq <= MESSAGES; seq++) if (!unique.has(seq)) missing += 1;
    return {
      ...{ isKilled: first.signal === "SIGKILL", attempted: MESSAGES, acked: MESSAGES, unique: unique.size },
      ...{ missing, doubled: stored.length - unique.size },
    };
  }

  close() {
    this.#faults.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #live(data) {
    const env = { ...process.env, ...this.#faults.env };
    return spawnSync(process.execPath, [CHILD, "threads", data, "1", String(MESSAGES)], { encoding: "utf8", env });
  }
}

/** The first is what the store said it had at its start. */
function acksOf(text) {
  return [...text.matchAll(/^acked (\d+)$/gm)].map(([, number]) => Number(number));
}

function numbersIn(path) {
  const reader = new Reader(path, NUMBERS, new SystemClock());
  const numbers = [];
  for (let after = 0, more = true; more; ) {
    const { slice } = reader.rendered(after, 2_000);
    for (let i = 0; i < slice.count; i++) {
      numbers.push(Number(Buffer.from(slice.bytes.subarray(slice.offsets[i], slice.offsets[i + 1])).toString()));
    }
    more = slice.more;
    after = slice.scannedToId;
  }
  reader.close();
  return numbers;
}
