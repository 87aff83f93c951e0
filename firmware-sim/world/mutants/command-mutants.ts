/** Mutants of the way of a command, on both sides. */
import { type Mutant, mutantsOf } from "./mutant.js";

const DISPATCH_TESTS = ["gateway/src/command/dispatcher.test.ts"];
const MACHINE_TESTS = ["gateway/src/command/command-machine.test.ts", ...DISPATCH_TESTS];
const RUNNER_TESTS = ["device-sdk/ts/src/command-runner.test.ts"];

export const COMMAND_MUTANTS: readonly Mutant[] = [
  ...mutantsOf("gateway/src/command/command-machine.ts", MACHINE_TESTS, [
    [
      "expired is said of what was transmitted",
      '? move(record, "expired", now,',
      '|| record.state === "sent" ? move(record, "expired", now,',
      100,
    ],
    [
      "at most once is sent again to a device that forgot",
      '  if (record.delivery === "atMostOnce") {',
      '  if (record.delivery === "atLeastOnce") {',
      200,
    ],
    ["final is not final", "  if (isFinal(record.state)) return final(record, event);\n", "", 100],
    [
      "expired is said although an earlier id of it went out",
      '  if (record.state !== "sent" || record.transmissions !== 1) {',
      '  if (record.state !== "sent") {',
    ],
    ["states move back", "  if (RANK[state] <= RANK[record.state]) return", "  if (RANK[state] < 0) return", 200],
  ]),
  ...mutantsOf("gateway/src/command/dispatcher.ts", DISPATCH_TESTS, [
    [
      "deadlines by the wall clock",
      "    return record.deadlineMonoMs - this.#options.clock.monoMs();\n",
      "    return record.createdUnixMs + record.ttlMs - this.#options.clock.unixMs();\n",
      100,
    ],
    [
      "a deadline of another boot counts",
      "    if (record.bootId !== this.#options.bootId) return Number.NEGATIVE_INFINITY;\n",
      "",
      100,
    ],
    [
      "what was sent in another boot is sent again",
      "    if (record.bootId !== this.#options.bootId) return false;\n",
      "",
      100,
    ],
    [
      "wire ids begin again",
      "Math.max(channel.lastWireId, channel.lastCommand, lane.nextWireId - 1) + 1",
      "lane.nextWireId",
      100,
    ],
    [
      "the next goes before the last was received",
      ' || lane.commands.some((record) => record.state === "sent")) return;',
      ") return;",
      200,
    ],
    [
      "a command that got lost is not sent again",
      '      else if (record.state === "sent") this.#transmit(lane, record, channel);\n',
      "",
      100,
    ],
    [
      "transmitted before it is written",
      "    const sent = await this.#apply(next.commandId, {",
      "    this.#transmit(lane, { ...next, wireId }, channel);\n    const sent = await this.#apply(next.commandId, {",
      200,
    ],
    [
      "made and transmitted before it is written",
      "    const created = this.#options.store.create(request, offer);\n",
      "    channel.sendCommand({ ...wireForm(request as never), id: offer.wireId, deadlineUptimeMs: 0 } as never);\n" +
        "    const created = this.#options.store.create(request, offer);\n",
    ],
    [
      "made, written, and sent on a session that ended",
      "    if (lane.channel !== channel || this.#transmit(",
      "    if (this.#transmit(",
    ],
    [
      "two that are made get one wire id",
      "wireId: lane.nextWireId++, epoch: channel.epoch };",
      "wireId: lane.nextWireId, epoch: channel.epoch };",
    ],
  ]),
  ...mutantsOf("gateway/src/command/lane.ts", DISPATCH_TESTS, [
    ["a new command overtakes one that is being made", "!isWaiting && lane.makingCount + lane", "!isWaiting && lane"],
    ["a new command goes beside one not received", "  return !isWaiting && lane", "  return lane"],
  ]),
  ...mutantsOf(
    "gateway/src/spool/command-book.ts",
    ["gateway/src/spool/command-book.test.ts"],
    [
      [
        "keys are told by the wall clock",
        "  return first.bootId === birth.bootId ? birth.monoMs - (first.deadlineMonoMs - first.ttlMs) : 0;\n",
        "  return birth.unixMs - first.createdUnixMs;\n",
        100,
      ],
      [
        "a key makes a command each time",
        "    if (request.idempotencyKey !== null) {",
        "    if (request.idempotencyKey === undefined) {",
        60,
      ],
      [
        "an outcome is not told",
        "    if (result.becameFinal) this.#tell(",
        "    if (result.becameFinal && unixMs < 0) this.#tell(",
      ],
    ],
  ),
  ...mutantsOf(
    "gateway/src/telemetry/intake.ts",
    ["gateway/src/telemetry/intake.test.ts"],
    [["the word on a command waits for the interval", " || facts.kind === EntryKind.commandUpdate", ""]],
  ),
  ...mutantsOf("device-sdk/ts/src/command-runner.ts", RUNNER_TESTS, [
    ["command dedupe lost", '  if (id === 0 || id <= marks.taken) return "duplicate";\n', "", 300],
    [
      "command dedupe lost over a restart",
      "    this.#taken = host.journal.lastCommand;\n",
      "    this.#taken = 0;\n",
      300,
    ],
    ["at most once is not recorded before acting", "      this.#host.journal.record(id);\n", "", 300],
    [
      "deadline not checked on the device",
      "    if (isPast(deadlineUptimeMs, this.#host.uptimeMs())) {\n",
      "    if (deadlineUptimeMs < 0) {\n",
      300,
    ],
  ]),
];
