/** Makes a schedule happen to one device. One timer at a time. */
import type { Clock } from "@tidegate/device-sdk";
import type { Fault, FaultKind, TimedFault } from "./schedule.js";

/** What faults act on. Each says whether there was something to hit: a device that is off cannot reboot. */
export interface FaultTarget {
  dropLink(awayMs: number): boolean;
  reboot(offMs: number): boolean;
  halfOpen(holdMs: number, deliversLate: boolean): boolean;
}

/** Drives one device through its schedule from `start` to `stop`. */
export class FaultDriver {
  /** Faults that happened, by kind. */
  readonly counts: Record<FaultKind, number> = { "drop-link": 0, reboot: 0, "half-open": 0 };
  readonly #schedule: Iterator<TimedFault, void, undefined>;
  readonly #target: FaultTarget;
  readonly #clock: Clock;
  #startMs = 0;
  #cancel: () => void = () => {};

  constructor(schedule: Iterator<TimedFault, void, undefined>, target: FaultTarget, clock: Clock) {
    this.#schedule = schedule;
    this.#target = target;
    this.#clock = clock;
  }

  /** The schedule's time 0 is now. */
  start(): void {
    this.#startMs = this.#clock.monoMs();
    this.#wait();
  }

  stop(): void {
    this.#cancel();
  }

  #wait(): void {
    const next = this.#schedule.next();
    if (next.done) return;
    const { atMs, fault } = next.value;
    this.#cancel = this.#clock.after(this.#startMs + atMs - this.#clock.monoMs(), () => {
      if (this.#apply(fault)) this.counts[fault.kind]++;
      this.#wait();
    });
  }

  #apply(fault: Fault): boolean {
    switch (fault.kind) {
      case "drop-link":
        return this.#target.dropLink(fault.awayMs);
      case "reboot":
        return this.#target.reboot(fault.offMs);
      case "half-open":
        return this.#target.halfOpen(fault.holdMs, fault.deliversLate);
    }
  }
}
