/** Mutants of what happens between a frame and its ack: verdict, gather buffer, two marks, sessions. */
import { type Mutant, mutantsOf } from "./mutant.js";

const INTAKE = "gateway/src/telemetry/intake.ts";
const INTAKE_TESTS = ["gateway/src/telemetry/intake.test.ts"];
const SESSION_TESTS = ["gateway/src/session/session.test.ts", "gateway/src/session/session-machine.test.ts"];

export const INTAKE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(INTAKE, INTAKE_TESTS, [
    [
      "ack before commit",
      "      this.#counters.accepted.value += 1;\n",
      "      stream.listener.acked(facts.seq);\n",
      20,
    ],
    ["accepted not rolled back after a failed commit", "      stream.accepted = stream.durable;\n", "", 60],
    ["what gathered behind a failed commit is kept", "    this.#gather.clear();\n", "", 60],
    [
      "the batch behind a refused one counts as refused, too",
      "    else if (batch.refusalsKnown === this.#refusals) this.#failed(outcome);\n",
      "    else this.#failed(outcome);\n",
      200,
    ],
    ["a batch does not say which refusals it knows of", ", this.#refusals);", ", 0);", 60],
    ["three batches in flight", "const IN_FLIGHT_MAX = 2;", "const IN_FLIGHT_MAX = 3;"],
    [
      "a busy store is never asked again",
      '    if (outcome.reason === "busy") this.#clock.after(',
      "    if (false) this.#clock.after(",
      60,
    ],
    ["frames left at a full gather buffer are not asked for", "      if (isFull) this.#starve(stream);\n", "", 60],
    ["storage barrier removed", "    if (!this.#leftBehind.has(device)) return;\n", "    return;\n", 400],
    [
      "what a closed session has left is forgotten",
      "    if (stream.gatheredIn === this.#batchNumber) this.#leftBehind.add(stream.device);\n",
      "",
      400,
    ],
    [
      "only frames count as left, not what a device announced",
      "    stream.unusedEpoch = false;\n    stream.gatheredIn = this.#batchNumber;\n",
      "    stream.unusedEpoch = false;\n",
      400,
    ],
    ["an ack from another epoch", " || stream.epoch !== marks[i + 1]) continue;", ") continue;", 100],
    ["evicted numbers of a heartbeat are not accepted", "    if (gone) stream.accepted = oldest - 1;\n", "", 60],
    ["a refused stream goes on", "      stream.paused = true;\n", "", 60],
    [
      "space again, and nobody is told",
      "      stream.listener.resumed(stream.window);\n    }\n  }\n\n  /** Bytes",
      "    }\n  }\n\n  /** Bytes",
      60,
    ],
  ]),
  ...mutantsOf(
    "gateway/src/model/admit.ts",
    [
      "gateway/src/model",
      "gateway/src/session/session.test.ts",
      "gateway/src/telemetry/intake.test.ts",
      "gateway/src/spool/ledger.test.ts",
    ],
    [
      ["a gap may reach below the first number", "  if (gap >= seq) return VIOLATION;\n", ""],
      ["a number may be skipped", "mark + 1 ? ACCEPT", "mark + 2 ? ACCEPT", 60],
      ["the last number is taken again", "if (seq <= mark) return DUPLICATE", "if (seq < mark) return DUPLICATE", 60],
    ],
  ),
  ...mutantsOf(
    "gateway/src/spool/refusals.ts",
    ["gateway/src/telemetry/intake.test.ts", "gateway/src/storage/engine.test.ts"],
    [
      ["a batch behind a refused one is stored", "return batch.refusalsKnown !== this.#count;", "return false;", 400],
      ["a refusal is not counted", "    this.#count += 1;\n", "", 400],
    ],
  ),
  ...mutantsOf(
    "gateway/src/session/hello-guard.ts",
    ["gateway/src/session/hello-guard.test.ts", ...SESSION_TESTS],
    [
      ["a late Hello is obeyed", "    if (boot !== undefined && attempt <= boot.attempt) return DROP;\n", "", 400],
      ["a clone is never told", "    if (isReturn && takesOver) this.#countReturn(nowMonoMs);\n", ""],
      ["a ghost is taken for a clone", "if (isReturn && takesOver)", "if (isReturn)"],
    ],
  ),
  ...mutantsOf("gateway/src/session/session-registry.ts", SESSION_TESTS, [
    ["the older session is not fenced", '      older.end(Reason.TAKEOVER, "the device connected again");\n', "", 200],
  ]),
  ...mutantsOf("gateway/src/session/session-machine.ts", SESSION_TESTS, [
    [
      "the answer to an older Hello counts",
      '  if (state.name !== "greeting" || !isSame(state.hello, answered)) return stay(state);\n  return {',
      '  if (state.name !== "greeting") return stay(state);\n  return {',
      100,
    ],
    ["the answer to the boot before counts", "latest.bootNonce === answered.bootNonce && ", ""],
    [
      "silence never ends a session",
      "  if (nowMonoMs - lastHeardMonoMs <= limits.keepaliveMs * SILENCE_FACTOR) return stay(state);\n",
      "  if (nowMonoMs > 0) return stay(state);\n",
    ],
  ]),
  ...mutantsOf("gateway/src/session/conversation.ts", SESSION_TESTS, [
    [
      "heartbeats announce nothing",
      "    this.#world.host.intake.announce(this.stream, heartbeat.nextSeq, heartbeat.oldest);\n",
      "",
      60,
    ],
    [
      "a lost Flow is not said again",
      "    if (isLossy && this.#flowWindow !== null) this.#flow(this.#flowWindow);\n",
      "",
      400,
    ],
    [
      "commands go out before the first sign of use",
      "    this.#welcome(outcome);\n",
      "    this.#welcome(outcome);\n    this.#signOfUse();\n",
    ],
  ]),
  ...mutantsOf("gateway/src/session/frame-instant.ts", SESSION_TESTS, [
    [
      "time offset of this boot applied to old records",
      " || envelope.bootNonce === session.boots.current) {",
      " || envelope.bootNonce > 0) {",
    ],
  ]),
];
