/**
 * How commands end, as seen from the north: each one that was accepted gets one terminal outcome, told as one message
 * under one id; `unknown` may be told before it, never after.
 */
import { isFinal } from "tidegate/dist/command/command-machine.js";
import type { CommandRecord, CommandState } from "tidegate/dist/model/command.js";
import type { Findings } from "./findings.js";
import type { WorldRules } from "./world-rules.js";

/** One per world. */
export class OutcomeChecks {
  readonly #findings: Findings;
  readonly #rules: WorldRules;
  /** Commands whose requester was told that the gateway has them. */
  readonly #accepted = new Set<string>();
  /** The same over all incarnations of the store, as `commandId/state`. */
  readonly #everTold = new Set<string>();
  readonly #lost = new Set<string>();
  /** States that the broker was told, by command, in order; a repeat of one says nothing new. */
  readonly #told = new Map<string, CommandState[]>();

  constructor(findings: Findings, rules: WorldRules) {
    this.#findings = findings;
    this.#rules = rules;
  }

  accepted(commandId: string): void {
    this.#accepted.add(commandId);
  }

  /** The record that would tell of it is damaged: it is in quarantine under its id. */
  lost(commandId: string): void {
    this.#lost.add(commandId);
  }

  /** What was accepted since the copy was made is gone with the store. */
  storeRestored(): void {
    this.#accepted.clear();
    this.#told.clear(); // what ended after the copy was made is voided, and told so
  }

  /** @param durable the command's state on disk; null: there is no such command. */
  told(commandId: string, state: CommandState, durable: CommandState | null): void {
    const told = this.#told.get(commandId) ?? [];
    this.#everTold.add(`${commandId}/${state}`);
    if (told.includes(state)) return;
    told.push(state);
    this.#told.set(commandId, told);
    if (durable === null) this.#add(`${commandId} is told to be ${state}, and nobody knows it`);
    if (!isFinal(state) && state !== "unknown") this.#add(`${commandId} is told to be ${state}, which is no outcome`);
    if (isFinal(state) && durable !== null && durable !== state)
      this.#add(`${commandId} is told to be ${state} and is ${durable}`);
    const finals = told.filter(isFinal);
    if (finals.length > 1) this.#add(`${commandId} is told to be ${finals.join(" and ")}`);
    const isLate = state === "unknown" && finals.length > 0 && this.#rules.isInOrder;
    if (isLate && !this.#wasRefused(commandId, state)) this.#add(`${commandId} was ${finals[0]} before it was unknown`);
  }

  /** @param states of every command in the store. */
  atRest(states: ReadonlyMap<string, CommandRecord>): void {
    for (const commandId of this.#accepted) {
      if (!states.has(commandId)) this.#add(`${commandId} was accepted and is not there any more`);
    }
    if (this.#rules.isLossy) return;
    for (const { commandId, state } of states.values()) {
      const isTold = this.#lost.has(commandId) || this.#everTold.has(`${commandId}/${state}`);
      if (!isTold) this.#add(`${commandId} is ${state}, and nobody north was told`);
    }
  }

  #wasRefused(commandId: string, state: CommandState): boolean {
    return this.#rules.wasRefused(`/cmd/${commandId}/${state}`);
  }

  #add(detail: string): void {
    this.#findings.add("commands", detail);
  }
}
