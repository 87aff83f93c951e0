/**
 * The rules of commands, checked from outside: what was asked for, when handlers began on the devices, and how the
 * durable state of each command moved.
 */
import { isFinal } from "tidegate/dist/command/command-machine.js";
import type { CommandRecord, Delivery } from "tidegate/dist/model/command.js";
import type { DurableTables } from "../store/world-store.js";
import type { Findings } from "./findings.js";
import { OutcomeChecks } from "./outcome-checks.js";
import type { WorldRules } from "./world-rules.js";

interface Asked {
  readonly token: number;
  readonly device: string;
  readonly delivery: Delivery;
  /** World time after which it must not begin; known once the gateway has stored it. */
  deadlineMs: number;
  runCount: number;
  /** Handlers that came to a good end. */
  doneCount: number;
  /** Its device's card went back in time after it was asked for: what it recorded then is gone. */
  isForgiven: boolean;
}

/** Uptimes travel as whole milliseconds. */
const ROUNDING_MS = 1;

export interface CommandChecksParts {
  readonly findings: Findings;
  readonly tables: () => DurableTables;
  /** World time at which the gateway machine's monotonic clock was 0. */
  readonly machineBootMs: () => number;
  readonly rules: WorldRules;
}

/** One per world; told of every request, every run and every durable state. */
export class CommandChecks {
  readonly #findings: Findings;
  readonly #tables: () => DurableTables;
  readonly #machineBootMs: () => number;
  readonly #asked = new Map<number, Asked>();
  readonly #cloned = new Set<string>();
  readonly #states = new Map<string, CommandRecord>();
  readonly #outcomes: OutcomeChecks;
  readonly counts = { asked: 0, accepted: 0, runs: 0, succeeded: 0, expired: 0, unknown: 0, outcomes: 0 };

  constructor(parts: CommandChecksParts) {
    this.#findings = parts.findings;
    this.#tables = parts.tables;
    this.#machineBootMs = parts.machineBootMs;
    this.#outcomes = new OutcomeChecks(parts.findings, parts.rules);
  }

  /** A command is about to be given to the gateway; its arguments carry the token. */
  ask(token: number, device: string, delivery: Delivery): void {
    this.counts.asked += 1;
    this.#asked.set(token, { token, device, delivery, deadlineMs: 0, runCount: 0, doneCount: 0, isForgiven: false });
  }

  /** The device's card was replaced by an older one. */
  forgive(device: string): void {
    for (const asked of this.#asked.values()) if (asked.device === device) asked.isForgiven = true;
  }

  /** What was asked until now may be forgotten, and made again under its key. */
  storeRestored(): void {
    this.#states.clear();
    this.#outcomes.storeRestored();
    for (const asked of this.#asked.values()) asked.isForgiven = true;
  }

  /** Two of it have one memory of what they ran: until they are locked out, the gateway cannot tell them apart. */
  cloned(device: string): void {
    this.#cloned.add(device);
  }

  /** A handler began. */
  ran(device: string, token: number, nowMs: number): void {
    this.counts.runs += 1;
    const asked = this.#asked.get(token);
    if (asked === undefined || asked.device !== device) {
      this.#findings.add("commands", `${device} ran ${token}, which nobody asked of it`);
      return;
    }
    asked.runCount += 1;
    if (nowMs > asked.deadlineMs + ROUNDING_MS) {
      this.#findings.add("commands", `${token} began ${Math.round(nowMs - asked.deadlineMs)} ms after its deadline`);
    }
    const isForgiven = asked.isForgiven || this.#cloned.has(device);
    if (asked.delivery === "atMostOnce" && asked.runCount > 1 && !isForgiven) {
      this.#findings.add("commands", `${token} is at-most-once and ran ${asked.runCount} times on ${device}`);
    }
  }

  /** A handler came to a good end; its result is on its way. */
  done(token: number): void {
    const asked = this.#asked.get(token);
    if (asked !== undefined) asked.doneCount += 1;
  }

  /** Whoever asked was told that the gateway has it: from now on it must come to an end. */
  accepted(commandId: string): void {
    this.counts.accepted += 1;
    if (this.#tables().command(commandId) === null)
      this.#findings.add("commands", `${commandId} was accepted and is not on disk`);
    this.#outcomes.accepted(commandId);
  }

  /** The broker took an outcome. */
  told(payload: string): void {
    this.counts.outcomes += 1;
    const { commandId, state } = JSON.parse(payload) as CommandRecord; // rendered by the gateway
    this.#outcomes.told(commandId, state, this.#states.get(commandId)?.state ?? null);
  }

  /** The record of an outcome rotted on the disk. */
  lostOutcome(commandId: string): void {
    this.#outcomes.lost(commandId);
  }

  /** A transaction of the gateway is durable: states never move back, final is final. */
  durable(): void {
    const tables = this.#tables();
    for (const commandId of tables.touched.commands) {
      const now = tables.command(commandId);
      if (now === null) continue;
      const before = this.#states.get(commandId);
      this.#states.set(commandId, now);
      if (before === undefined) this.#stored(now);
      if (before === undefined || before.state === now.state) continue;
      const isBack = ORDER.indexOf(now.state) < ORDER.indexOf(before.state);
      const isOfferedAgain = now.state === "queued" && now.delivery === "atLeastOnce";
      if (isFinal(before.state) || (isBack && !isOfferedAgain && before.state !== "unknown")) {
        this.#findings.add("commands", `${commandId} went from ${before.state} to ${now.state}`);
      }
    }
  }

  /** How they ended, once everything has come to rest. */
  atRest(): void {
    const known = new Map<number, CommandRecord>();
    for (const command of this.#states.values()) {
      const token = tokenOf(command);
      if (known.has(token) && this.#asked.get(token)?.isForgiven !== true)
        this.#findings.add("commands", `${token} was made into two commands by one key`);
      known.set(token, command);
    }
    this.#outcomes.atRest(this.#states);
    for (const [token, asked] of this.#asked) {
      const command = known.get(token);
      if (command === undefined) {
        if (asked.runCount > 0 && !asked.isForgiven)
          this.#findings.add("commands", `${token} ran and was never stored`);
      } else this.#ended(asked, command);
    }
  }

  #stored(command: CommandRecord): void {
    const asked = this.#asked.get(tokenOf(command));
    if (asked !== undefined) asked.deadlineMs = command.deadlineMonoMs + this.#machineBootMs();
  }

  #ended(asked: Asked, command: CommandRecord): void {
    const { state } = command;
    const tell = (why: string): void => this.#findings.add("commands", `${command.commandId} (${asked.token}) ${why}`);
    if (!isFinal(state) && state !== "unknown") tell(`is still ${state}`);
    if (state === "succeeded") this.counts.succeeded += 1;
    if (state === "expired") this.counts.expired += 1;
    if (state === "unknown") this.counts.unknown += 1;
    if (asked.isForgiven) return;
    if (state === "succeeded" && asked.doneCount === 0) tell("succeeded, and no handler of it did");
    if (state === "unknown" && command.transmissions === 0) tell("is unknown and was never sent");
    if (state === "cancelled" && asked.runCount > 0) tell("was cancelled and ran");
    const mayHaveRunBefore = asked.delivery === "atLeastOnce" && command.transmissions > 1;
    if (state === "expired" && asked.runCount > 0 && !mayHaveRunBefore) tell("expired and ran");
  }
}

function tokenOf(command: CommandRecord): number {
  return (JSON.parse(command.args) as { token: number }).token; // written by this world
}

const ORDER: readonly string[] = [
  "queued",
  "sent",
  "received",
  "started",
  "unknown",
  "succeeded",
  "failed",
  "expired",
  "cancelled",
];
