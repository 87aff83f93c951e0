/** Mutants of the spool and the store: epochs, marks, gaps, transactions, what survives. */
import { type Mutant, mutantsOf } from "./mutant.js";

const LEDGER_TESTS = ["gateway/src/spool/ledger.test.ts", "gateway/src/spool/resume.test.ts"];
const STORE_TESTS = ["gateway/src/storage/engine.test.ts", "gateway/src/storage/database.test.ts"];

export const SPOOL_MUTANTS: readonly Mutant[] = [
  ...mutantsOf("gateway/src/spool/ledger.ts", LEDGER_TESTS, [
    [
      "gap not written",
      "    if (entry.seq - row.mark > 1) this.#missing(stream, entry.seq - 1, entry.receivedUnixMs);\n",
      "",
      40,
    ],
    [
      "mark is the oldest of the batch",
      "    row.mark = entry.seq;\n    row.isEnded",
      "    row.mark = row.mark || entry.seq;\n    row.isEnded",
      20,
    ],
    [
      "the durable mark has no last word",
      "EntryKind.duplicate ? DUPLICATE : admit(row.mark, entry.seq, entry.gap)",
      "EntryKind.duplicate ? DUPLICATE : ACCEPT",
      100,
    ],
    [
      "a retired epoch goes on",
      "    if (stream === null || stream.row.state === StreamState.retired) {",
      "    if (stream === null) {",
      100,
    ],
    [
      "a new epoch retires nothing",
      "    if (stream.row.state === StreamState.offered) this.#use(stream, entry.receivedUnixMs);\n",
      "",
      40,
    ],
    [
      "readings speak by the catalog before",
      "      catalog: isCatalogKnown ? catalog.id : 0,\n",
      "      catalog: device.catalog,\n",
    ],
    [
      "what a heartbeat announces is not kept",
      "    row.announced = Math.max(row.announced, entry.announced, row.mark);\n",
      "",
      40,
    ],
  ]),
  ...mutantsOf("gateway/src/spool/resume.ts", LEDGER_TESTS, [
    [
      "a device that went back is resumed",
      "  if (known !== null && !hello.closing && highest < known.announced)",
      "  if (known !== null && hello.closing && highest < known.announced)",
      40,
    ],
    [
      "a retired epoch is resumed",
      "  if (known?.state === StreamState.retired) return",
      "  if (known?.state === StreamState.offered) return",
      40,
    ],
    [
      "what was acked once and is not here is not listed",
      "  if (hello.ackedSeq > at) {",
      "  if (hello.ackedSeq > hello.nextSeq) {",
    ],
    [
      "what was evicted while away is not listed",
      "  if (hello.oldest - 1 > at) gaps",
      "  if (hello.oldest - 1 > hello.nextSeq) gaps",
      60,
    ],
    ["Welcome acks more than was given out", "    ackedSeq: Math.min(mark, highest),\n", "    ackedSeq: mark,\n"],
    [
      "an open end ends at the mark",
      "  if (stream.announced > stream.mark) return { fromSeq, toSeq: stream.announced };\n",
      "",
      40,
    ],
  ]),
  ...mutantsOf("gateway/src/spool/epochs.ts", LEDGER_TESTS, [
    [
      "epoch reused",
      "    const epoch = draw() >>> 0;\n    if (epoch !== 0 && !tables.isEpochKnown(epoch)) return epoch;\n",
      "    const epoch = (draw() >>> 31) + 1;\n    if (epoch !== 0) return epoch;\n",
      20,
    ],
    ["an open end is not listed", "    if (end !== null) {", "    if (end === undefined) {", 40],
    ["a rollback is not listed", "  if (stream.rollback !== null) {", "  if (stream.rollback === undefined) {"],
  ]),
  ...mutantsOf("gateway/src/spool/live-streams.ts", LEDGER_TESTS, [
    [
      "mark kept in memory after a rollback",
      "    for (const stream of this.#dirty) this.#streams.delete(stream.key);\n    this.#dirty = [];\n    // These",
      "    this.#dirty = [];\n    // These",
      100,
    ],
    [
      "catalog kept in memory after a rollback",
      "      device.catalog = this.#tables.deviceByKey(deviceKey)?.catalog ?? 0;\n",
      "",
    ],
  ]),
  ...mutantsOf(
    "gateway/src/spool/dropped-runs.ts",
    ["gateway/src/spool/dropped-runs.test.ts"],
    [
      [
        "a dropped gap record vanishes",
        "      const { fromSeq, toSeq, reason, sink } = gapOf(record);\n",
        "      continue;\n      const { fromSeq, toSeq, reason, sink } = gapOf(record);\n",
      ],
    ],
  ),
  ...mutantsOf("gateway/src/storage/engine.ts", STORE_TESTS, [
    [
      "epochs are counted from what is stored",
      "      draw: () => options.random.u32(),\n",
      "      draw: () => this.#lastId + 1,\n",
      200,
    ],
    ["memory keeps what a failed transaction did", "      this.#ledger.rolledBack();\n", ""],
    [
      "a refused batch is answered as stored",
      '      if (failure === "full") this.#scrapeTogether();\n',
      [
        "      const marks = new Uint32Array(0);\n",
        "      const counts = { storedCount: 0, gapCount: 0, duplicateCount: 0, conflictCount: 0 };\n",
        '      if (failure === "full") return { ok: true, buffer, lastRecordId: 0, marks, commands: [], ...counts };\n',
      ].join(""),
    ],
    [
      "over quota nothing is refused",
      "    if (isHeavy && !this.#makeRoom(batch.usedBytes)) return",
      "    if (isHeavy && batch.usedBytes < 0) return",
    ],
  ]),
  ...mutantsOf("gateway/src/storage/database.ts", STORE_TESTS, [
    ["synchronous NORMAL", 'options.synchronous ?? "full"', 'options.synchronous ?? "normal"'],
  ]),
  ...mutantsOf(
    "gateway/src/storage/spool-schema.ts",
    [...STORE_TESTS, "gateway/src/storage/spool-tables.test.ts"],
    [["no AUTOINCREMENT", "    last_id INTEGER PRIMARY KEY AUTOINCREMENT,", "    last_id INTEGER PRIMARY KEY,"]],
  ),
  ...mutantsOf("gateway/src/storage/cursors.ts", STORE_TESTS, [
    [
      "a cursor goes back",
      "    if (row === undefined || recordId <= row.cursor) return;\n",
      "    if (row === undefined) return;\n",
    ],
    [
      "a sink that left holds everything",
      "      if (row.isOrphaned || (row.sink === HISTORY_SINK",
      "      if ((row.sink === HISTORY_SINK",
    ],
  ]),
  ...mutantsOf(
    "gateway/src/storage/open-stores.ts",
    [...STORE_TESTS, "gateway/src/storage/storage-process.test.ts"],
    [
      [
        "a restored store keeps unfinished commands",
        '      new CommandBook(tables, options.step).voidAll("the store was replaced or restored", atUnixMs);\n',
        "",
      ],
      [
        "a restored store says nothing",
        '        writeGap(tables, { deviceKey, ...range, reason: "unproven", atUnixMs, sink: null });\n',
        "",
      ],
    ],
  ),
  ...mutantsOf(
    "gateway/src/storage/sqlite-error.ts",
    [...STORE_TESTS, "gateway/src/storage/storage-client.test.ts"],
    [
      [
        "a failed fsync is tried again",
        'code.startsWith("SQLITE_BUSY") ||',
        'code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_IOERR") ||',
      ],
    ],
  ),
  ...mutantsOf("gateway/src/storage/retention.ts", STORE_TESTS, [
    [
      "what no sink has taken is deleted",
      "    const taken = this.#cursors.heldFrom(lastId, !urgent);\n",
      "    const taken = lastId;\n",
    ],
    ["dropped without a word", "      this.#tell(heads, {", "      if (heads.length < 0) this.#tell(heads, {"],
  ]),
];
