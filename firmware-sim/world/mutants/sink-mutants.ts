/** Mutants of the way north: what is sent, acked, repeated and put aside. */
import { type Mutant, mutantsOf } from "./mutant.js";

const PUMP_TESTS = [
  "gateway/src/northbound/pump-reentry.test.ts",
  "gateway/src/northbound/pump-invariants.test.ts",
  "gateway/src/northbound/mqtt-sink.test.ts",
];

const CONSUMER_TESTS = ["gateway/src/northbound/consumers.test.ts"];
const LIVE_FIRST_TESTS = ["gateway/src/northbound/live-first.test.ts", ...PUMP_TESTS];

export const SINK_MUTANTS: readonly Mutant[] = [
  ...mutantsOf("gateway/src/northbound/pump.ts", PUMP_TESTS, [
    [
      "a record that is aside is passed over twice",
      "    this.#slices.advance();\n    this.#send(slice, index, publisher);\n",
      "    this.#send(slice, index, publisher);\n    this.#slices.advance();\n",
      100,
    ],
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
  ...mutantsOf("gateway/src/northbound/pump.ts", CONSUMER_TESTS, [
    [
      "a record for others passes as what lay at its place",
      "      this.#places.putNone(this.#ring.push(recordId, coversTo, 0));\n",
      "      this.#ring.push(recordId, coversTo, 0);\n",
      100,
    ],
  ]),
  ...mutantsOf("gateway/src/northbound/watermark-topics.ts", CONSUMER_TESTS, [
    ["a late gap holds the watermark", "      if (isGap && !mark.isOfGaps) return;\n", "", 60],
    [
      "the first gap holds the watermark",
      "      if (isGap && !mark.isOfGaps) return;\n",
      "      if (isGap) return;\n",
      100,
    ],
    [
      "the watermark runs ahead",
      "    const { epoch, seq } = mark;\n    const payload",
      "    const { epoch } = mark;\n    const seq = mark.seq + 1;\n    const payload",
      20,
    ],
  ]),
  ...mutantsOf("gateway/src/northbound/requeue-lane.ts", CONSUMER_TESTS, [
    [
      "a requeued record is settled before it is taken",
      "    this.#underWay = record;\n    const topic",
      "    this.#underWay = record;\n    this.#settle(record, null);\n    const topic",
      60,
    ],
    [
      "what is refused again is called delivered",
      "    const isTaken = reasonCode < ReasonCode.unspecified;\n",
      "    const isTaken = reasonCode >= 0;\n",
      60,
    ],
  ]),
  ...mutantsOf("gateway/src/northbound/live-first.ts", LIVE_FIRST_TESTS, [
    [
      "the cursor of the newest is stored while there is a backlog",
      "            if (this.#live === null) spool.saveCursor(sink, recordId);\n",
      "            spool.saveCursor(sink, recordId);\n",
      100,
    ],
    ["the backlog gets no share", "    if (isBacklogsTurn) this.#credit -= 1;\n", "    this.#credit = 0;\n"],
    [
      "the backlog goes on behind its end",
      "    this.#limit.id = splitAt;\n",
      "    this.#limit.id = splitAt + 1;\n",
      60,
    ],
  ]),
  ...mutantsOf(
    "gateway/src/northbound/sink-lanes.ts",
    ["gateway/src/northbound/sink-lanes.test.ts"],
    [
      ["a suspect has company", "this.#lanes.pump.isSuspicious ? this.#sendAlone(connection) : ", ""],
      ["a suspect goes beside others", "    if (connection.freeSlots < connection.session.window) return false;\n", ""],
    ],
  ),
  ...mutantsOf(
    "gateway/src/northbound/poison-watch.ts",
    ["gateway/src/northbound/poison-watch.test.ts"],
    [
      [
        "one ack ends all suspicion",
        "    if (this.#suspectsLeft === 0) this.#hangUps = 0;\n",
        "    this.#hangUps = 0;\n",
      ],
      ["the first hang-up convicts", "this.#loneHangUps >= CONVICT_AFTER", "this.#hangUps >= 1"],
    ],
  ),
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
        "who is told of an entry finds it still there",
        "      this.#head += 1;\n      dropped(token);\n",
        "      dropped(token);\n      this.#head += 1;\n",
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
