/**
 * Traps for devices: the power goes at a certain step of the next command, and not at an instant of chance.
 *
 *   arrives ─▶ beforeRecord ─▶ afterRecord ─▶ runs ─▶ beforeUpdate ─▶ [update on the wire] ─▶ afterUpdate
 *              └── at-most-once, on devices with a card ──┘          (STARTED, or the result: whichever comes next)
 */
import { Envelope, readEnvelope, UplinkTag } from "@tidegate/proto";

/** Steps at which a device may die. */
export const COMMAND_STEPS = ["arrives", "beforeRecord", "afterRecord", "runs", "beforeUpdate", "afterUpdate"] as const;
export type CommandStep = (typeof COMMAND_STEPS)[number];

/** A device's own traps. @returns whether it died of it. */
export type DeviceTraps = (step: CommandStep) => boolean;

/** One per world; one trap a device. */
export class CommandTraps {
  readonly counts = new Map<CommandStep, number>();
  readonly #kill: (device: string, isSoon: boolean) => void;
  readonly #set = new Map<string, CommandStep>();
  readonly #envelope = new Envelope();

  /** @param kill takes the power from a device: now, or as soon as what it does now is done. */
  constructor(kill: (device: string, isSoon: boolean) => void) {
    this.#kill = kill;
  }

  set(device: string, step: CommandStep): void {
    this.#set.set(device, step);
  }

  calm(): void {
    this.#set.clear();
  }

  of(device: string): DeviceTraps {
    return (step) => this.#passes(device, step);
  }

  /** A message is about to leave. @returns whether the device died before it did. */
  sends(device: string, message: Uint8Array): boolean {
    if (!this.#set.has(device)) return false;
    if (readEnvelope(message, this.#envelope) !== null) return false;
    if (this.#envelope.body !== UplinkTag.commandUpdate) return false;
    if (this.#passes(device, "beforeUpdate")) return true;
    this.#passes(device, "afterUpdate");
    return false;
  }

  #passes(device: string, step: CommandStep): boolean {
    if (this.#set.get(device) !== step) return false;
    this.#set.delete(device);
    this.counts.set(step, (this.counts.get(step) ?? 0) + 1);
    this.#kill(device, step === "afterUpdate");
    return true;
  }
}
