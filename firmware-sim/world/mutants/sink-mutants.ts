/** Mutants of the way north: what is sent, acked, repeated and put aside. */
import { type Mutant, mutantsOf } from "./mutant.js";

const PUMP_TESTS = ["gateway/src/northbound/pump-invariants.test.ts", "gateway/src/northbound/mqtt-sink.test.ts"];

export const SINK_MUTANTS: readonly Mutant[] = [
  ...mutantsOf("gateway/src/northbound/pump.ts", PUMP_TESTS, [
    [
      "cursor before PUBACK",
      "    publisher.publish({ topic, payload, retain: false, id }, acks, token);\n",
      "    publisher.publish({ topic, payload, retain: false, id }, acks, token);\n    this.acked(token, 0);\n",
      40,
    ],
    [
      "after a reconnect it goes on behind what was sent",
      "    this.#slices.startAfter(this.#cursor);\n",
      "    this.#slices.startAfter(Math.max(this.#cursor, this.#highestSentId));\n",
      60,
    ],
    ["acks of an older session count", "    if (!this.#ring.isOpen(token)) return; // from before a restart\n", ""],
    [
      "a commit nobody told of waits for the next",
      "      this.#slices.expectMore();\n      this.#slices.fetch();\n      this.#poll();\n",
      "      this.#poll();\n",
    ],
  ]),
  ...mutantsOf(
    "gateway/src/northbound/delivery-ring.ts",
    ["gateway/src/northbound/delivery-ring.test.ts", ...PUMP_TESTS],
    [
      [
        "the cursor passes a hole",
        "    while (this.#head < this.#tail && this.#waiting[this.#head % this.#capacity] === 0) {",
        "    while (this.#head < this.#tail) {",
        40,
      ],
      [
        "old tokens are taken for new ones",
        "    this.#head = this.#tail;\n    this.#openCount = 0;\n",
        "    this.#tail = this.#head;\n    this.#openCount = 0;\n",
        60,
      ],
    ],
  ),
  ...mutantsOf("gateway/src/northbound/quarantine-desk.ts", PUMP_TESTS, [
    ["what was put aside is sent again", "        this.#aside.add(recordId);\n", ""],
  ]),
  ...mutantsOf(
    "gateway/src/telemetry/render.ts",
    ["gateway/src/telemetry/render.test.ts"],
    [["a retry with a new id", '{identity}",', `{identity}/$${"{Math.random()}"}",`, 40]],
  ),
];
