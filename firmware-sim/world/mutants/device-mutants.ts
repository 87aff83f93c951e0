/** Mutants of the device's outbox and session. */
import { type Mutant, mutantsOf } from "./mutant.js";

const OUTBOX_TESTS = ["device-sdk/ts/src/outbox.test.ts", "device-sdk/ts/src/delivery-model.test.ts"];
const STORE_TESTS = ["device-sdk/ts/src/outbox-store.test.ts"];
const CLIENT_TESTS = [
  "device-sdk/ts/src/scenarios.test.ts",
  "device-sdk/ts/src/device.test.ts",
  "device-sdk/ts/src/links/serial-link.test.ts",
];

export const DEVICE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf("device-sdk/ts/src/seq-queue.ts", OUTBOX_TESTS, [
    ["eviction without a gap", "    if (heir) heir.gap += entry.gap + 1;\n", "    if (heir) heir.gap += 0;\n", 40],
    ["eviction at the end without a gap", "    else this.tailGap += entry.gap + 1;\n", "", 60],
    ["an ack beyond what was sent is obeyed", "    if (seq > this.ackableSeq) return null;\n", "", 60],
    ["a Nack is not obeyed", "    this.#cursorSeq = Math.max(seq - 1, this.ackedSeq);\n", "", 60],
    [
      "a gap reaches down to acked numbers",
      "    if (first) first.gap = Math.min(first.gap, first.seq - 1 - this.ackedSeq);\n",
      "",
      60,
    ],
    [
      "renumbered messages keep their old marks",
      "    this.transmittedSeq = 0;\n    this.tailGap = 0;\n",
      "    this.tailGap = 0;\n",
      60,
    ],
  ]),
  ...mutantsOf("device-sdk/ts/src/outbox.ts", OUTBOX_TESTS, [
    ["a new session does not send again", "    queue.rewindAll();\n    return freed;\n", "    return freed;\n", 40],
    ["new numbers under a saved epoch", "      queue.closing = true;\n", "", 60],
    [
      "telemetry evicts command updates",
      '  return entry.lane === "telemetry" || entry.lane === "log";\n',
      '  return entry.lane !== "catalog";\n',
      60,
    ],
  ]),
  ...mutantsOf("device-sdk/ts/src/outbox-store.ts", STORE_TESTS, [
    [
      "what waited is called waiting again by the file",
      "    this.#moved = new Set(next.entries.filter((entry) => isCurrent.has(entry)));\n",
      "",
      100,
    ],
    ["numbers that a catalog moved are saved lazily", " || this.#moved.size > 0", "", 300],
    ["a broken card is hammered", "Math.max(this.#saveIntervalMs, SAVE_RETRY_MS_MIN)", "this.#saveIntervalMs", 10],
  ]),
  ...mutantsOf("device-sdk/ts/src/client-machine.ts", CLIENT_TESTS, [
    [
      "any Welcome is obeyed",
      "  if (!isLatest || answer.epoch === 0) return stay(state);\n",
      "  if (answer.epoch === 0) return stay(state);\n",
      300,
    ],
    ["the epoch of a copy is kept", "answer.ackedSeq > marks.ackableSeq) {", "answer.ackedSeq > 2 ** 32) {", 60],
    ["the tail is never sent again", "  if (retransmitMs === 0 ||", "  if (retransmitMs >= 0 ||", 100],
    [
      "Hello is said once",
      "      return nowMs >= phase.retryAtMs ? greet(state, world, phase.sinceMs, phase.hellos + 1) : stay(state);\n",
      "      return stay(state);\n",
      100,
    ],
    [
      "SayHello is ignored",
      '      return greet(state, world, world.nowMs, 1);\n    case "welcome":',
      '      return stay(state);\n    case "welcome":',
      100,
    ],
    [
      "an epoch that is drained goes on",
      "  if (marks.closing && marks.held === 0) {",
      "  if (marks.closing && marks.held < 0) {",
      60,
    ],
  ]),
];
