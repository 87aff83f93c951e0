/** Mutants of what lies on the disk: blocks and their damage, migrations, holds and quotas, quarantine. */
import { type Mutant, mutantsOf } from "./mutant.js";

const BLOCK_TESTS = [
  "gateway/src/storage/record-block.test.ts",
  "gateway/src/storage/records-table.test.ts",
  "gateway/src/storage/reader.test.ts",
];
const POLICY_TESTS = ["gateway/src/storage/sink-policies.test.ts", "gateway/src/storage/engine.test.ts"];

export const STORE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf("gateway/src/storage/record-block.ts", BLOCK_TESTS, [
    [
      "a block's CRC forgets its ids",
      "  return crc32(block.body, blockSeed(block.firstId, block.lastId));\n",
      "  return crc32(block.body, blockSeed(0, 0));\n",
    ],
    ["exact times are stored as whole ones", "(received | 0) !== received || ", ""],
  ]),
  ...mutantsOf("gateway/src/storage/block-rows.ts", BLOCK_TESTS, [
    ["a block's CRC is not looked at", "  if (blockCrc(block) === crc) return", "  if (crc >= 0) return", 60],
    [
      "a damaged record is believed what it says of itself",
      "visited.isLost ? (numbersOf(block, id, at) ?? (end < 0 ? null : walker)) : walker;",
      "end < 0 ? null : walker;",
      600,
    ],
    ["a block read before is never read again", "    this.#latest = null;\n", ""],
  ]),
  ...mutantsOf("gateway/src/storage/damaged-block.ts", BLOCK_TESTS, [
    [
      "one damaged record takes those behind it",
      "      at = nextSound(walker, at);\n      continue;\n",
      "      break;\n",
      300,
    ],
    ["records behind a hole get their neighbours' ids", "    place += (walker.place - place) & 0xff;\n", ""],
  ]),
  ...mutantsOf(
    "gateway/src/storage/records-table.ts",
    [...POLICY_TESTS, ...BLOCK_TESTS],
    [["a transaction that was undone leaves its records behind", "    this.#builder.clear();\n", ""]],
  ),
  ...mutantsOf(
    "gateway/src/storage/migrations.ts",
    ["gateway/src/storage/database.test.ts"],
    [
      ["a migration makes no copy", "    copyFileSync(path, copyPath(path, found));\n", ""],
      ["a newer file is opened", "  if (found > latest) throw newer(path, found, latest);\n", ""],
      ["a migration is not finished", "    for (const step of schema.steps.slice(found)) step(db);\n", ""],
    ],
  ),
  ...mutantsOf(
    "gateway/src/storage/quarantine-table.ts",
    ["gateway/src/storage/sink-policies.test.ts"],
    [
      [
        "what is delivered is tried again",
        "refusal === null ? QuarantineState.delivered",
        "refusal === null ? QuarantineState.requeued",
      ],
      [
        "a requeued record is forgotten",
        " AND payload IS NOT NULL`,\n    );\n    this.#move",
        " AND payload IS NULL`,\n    );\n    this.#move",
      ],
    ],
  ),
  ...mutantsOf("gateway/src/storage/retention.ts", POLICY_TESTS, [
    ["a refused gap makes another gap", " || kind === RecordKind.gap) return isNew;", ") return isNew;", 200],
    [
      "what a sink skips is nobody's gap",
      "sink: row.sink, atUnixMs: nowUnixMs });\n      moved",
      'sink: "", atUnixMs: nowUnixMs });\n      moved',
    ],
    [
      "a hold counts the whole file",
      "this.#tables.records.averageBytes()",
      "(this.#space.usedBytes() / Math.max(1, lastId - this.#oldestId + 1))",
    ],
    [
      "a sink that holds too long skips nothing",
      "      if (skipTo <= row.cursor) continue;\n",
      "      if (skipTo >= 0) continue;\n",
    ],
  ]),
  ...mutantsOf(
    "gateway/src/storage/running-age.ts",
    ["gateway/src/storage/running-age.test.ts"],
    [["the night counts as age", "    this.#startedMonoMs = monoMs;\n", "    this.#startedMonoMs = 0 * monoMs;\n"]],
  ),
  ...mutantsOf(
    "gateway/src/storage/space.ts",
    ["gateway/src/storage/space.test.ts", ...POLICY_TESTS],
    [
      ["the quota is not looked at", "    if (this.usedBytes() + moreBytes > this.quotaBytes) return true;\n", ""],
      [
        "the reserve is kept when it is needed",
        "    rmSync(this.#reservePath, { force: true });\n    this.#foldWal();\n",
        "    this.#foldWal();\n",
      ],
    ],
  ),
  ...mutantsOf(
    "gateway/src/spool/epochs.ts",
    ["gateway/src/spool/ledger.test.ts"],
    [
      [
        "what was evicted of a retired epoch is not listed",
        "  if (isEvicted) {\n",
        "  if (isEvicted && toSeq < 0) {\n",
        100,
      ],
    ],
  ),
  ...mutantsOf(
    "gateway/src/cli/completeness.ts",
    ["gateway/src/cli/completeness.test.ts"],
    [["an open end lists nothing", "here.holes(from, Math.min(to, openFrom - 1))", "here.holes(from, to)", 100]],
  ),
];
