/** Bugs that the world must find: one line of the product each, the way somebody could write it on a bad day. */
import type { Plant } from "./mutant.js";

export const PLANTS: readonly (Plant & { readonly seedsMax: number })[] = [
  {
    name: "ack before commit",
    file: "gateway/src/telemetry/intake.ts",
    find: "      this.#counters.accepted.value += 1;\n",
    replace: "      stream.listener.acked(facts.seq);\n",
    seedsMax: 20,
  },
  {
    name: "accepted not rolled back after a failed commit",
    file: "gateway/src/telemetry/intake.ts",
    find: "      stream.accepted = stream.durable;\n",
    replace: "",
    seedsMax: 60,
  },
  {
    name: "cursor before PUBACK",
    file: "gateway/src/northbound/pump.ts",
    find: "    publisher.publish({ topic, payload, retain: false, id }, this, token);\n",
    replace: "    publisher.publish({ topic, payload, retain: false, id }, this, token);\n    this.acked(token, 0);\n",
    seedsMax: 40,
  },
  {
    name: "epoch reused",
    file: "gateway/src/spool/epochs.ts",
    find: "    const epoch = draw() >>> 0;\n    if (epoch !== 0 && !tables.isEpochKnown(epoch)) return epoch;\n",
    replace: "    const epoch = (draw() >>> 31) + 1;\n    if (epoch !== 0) return epoch;\n",
    seedsMax: 20,
  },
  {
    name: "gap not written",
    file: "gateway/src/spool/ledger.ts",
    find: "    if (entry.seq - row.mark > 1) this.#missing(stream, entry.seq - 1, entry.receivedUnixMs);\n",
    replace: "",
    seedsMax: 40,
  },
  {
    name: "command dedupe lost",
    file: "device-sdk/ts/src/command-runner.ts",
    find: '  if (id === 0 || id <= marks.taken) return "duplicate";\n',
    replace: "",
    seedsMax: 300,
  },
  {
    name: "at most once recorded after acting",
    file: "device-sdk/ts/src/command-runner.ts",
    find: "      this.#host.journal.record(id);\n",
    replace: "",
    seedsMax: 300,
  },
  {
    name: "mark kept in memory after a rollback",
    file: "gateway/src/spool/live-streams.ts",
    find: "    for (const stream of this.#dirty) this.#streams.delete(stream.key);\n    this.#dirty = [];\n    // These",
    replace: "    this.#dirty = [];\n    // These",
    seedsMax: 100,
  },
  {
    name: "deadline not checked on the device",
    file: "device-sdk/ts/src/command-runner.ts",
    find: "    if (isPast(deadlineUptimeMs, this.#host.uptimeMs())) {\n",
    replace: "    if (deadlineUptimeMs < 0) {\n",
    seedsMax: 300,
  },
  {
    name: "eviction without a gap",
    file: "device-sdk/ts/src/seq-queue.ts",
    find: "    if (heir) heir.gap += entry.gap + 1;\n",
    replace: "    if (heir) heir.gap += 0;\n",
    seedsMax: 40,
  },
  // Bugs that the world found in the product; each is planted again by undoing what mended it.
  {
    name: "frames left at a full gather buffer are not asked for",
    file: "gateway/src/telemetry/intake.ts",
    find: "      if (isFull) this.#starve(stream);\n",
    replace: "",
    seedsMax: 60,
  },
  {
    name: "numbers that a catalog moved are saved lazily",
    file: "device-sdk/ts/src/outbox-store.ts",
    find: " || this.#moved.size > 0",
    replace: "",
    seedsMax: 300,
  },
  {
    name: "keys are told by the wall clock",
    file: "gateway/src/spool/command-book.ts",
    find: "  if (first.bootId !== birth.bootId) return",
    replace: "  return",
    seedsMax: 100,
  },
  {
    name: "a broken card is hammered",
    file: "device-sdk/ts/src/outbox-store.ts",
    find: "Math.max(this.#saveIntervalMs, SAVE_RETRY_MS_MIN)",
    replace: "this.#saveIntervalMs",
    seedsMax: 10,
  },
];
