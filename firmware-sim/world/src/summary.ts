/** The sum of many seeds: what was simulated, which faults struck, and one hash over all of it. */
import type { Report } from "./world.js";

/** Adds reports up; deviceHours in simulated hours. */
export class Summary {
  violationCount = 0;
  readonly #failedSeeds: number[] = [];
  readonly #faults = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  #seedCount = 0;
  #deviceHours = 0;
  #eventCount = 0;
  #hash = 0;

  add(report: Report): void {
    this.#seedCount += 1;
    this.#deviceHours += report.deviceHours;
    this.#eventCount += report.eventCount;
    this.violationCount += report.violationCount;
    if (report.violationCount > 0) this.#failedSeeds.push(report.seed);
    for (const [fault, count] of report.faults) this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + count);
    for (const [name, count] of Object.entries(report.counts)) {
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
    }
    this.#hash = (Math.imul(this.#hash, 0x01000193) ^ Number.parseInt(report.hash, 16)) >>> 0;
  }

  /** `seeds=… deviceHours=… faults=… violations=… hash=…` */
  line(): string {
    const faults = [...this.#faults.values()].reduce((sum, count) => sum + count, 0);
    const hash = this.#hash.toString(16).padStart(8, "0");
    const hours = this.#deviceHours.toFixed(1);
    const sums = `seeds=${this.#seedCount} deviceHours=${hours} faults=${faults}`;
    return `${sums} violations=${this.violationCount} hash=${hash}`;
  }

  faultLines(): string[] {
    const list = (map: ReadonlyMap<string, number>): string => [...map].map(([name, n]) => `${name} ${n}`).join(", ");
    return [`faults: ${list(this.#faults)}`, `counts: ${list(this.#counts)}, events ${this.#eventCount}`];
  }

  toJson(): unknown {
    return {
      seeds: this.#seedCount,
      deviceHours: this.#deviceHours,
      events: this.#eventCount,
      faults: Object.fromEntries(this.#faults),
      counts: Object.fromEntries(this.#counts),
      violations: this.violationCount,
      failedSeeds: this.#failedSeeds,
      hash: this.#hash.toString(16).padStart(8, "0"),
    };
  }
}
