/**
 * The gateway's own counters and gauges, shown at /metrics in the Prometheus text format.
 *
 * Counting costs one addition on a plain object, so that the hot path can afford it; prom-client reads the objects
 * when it is asked. No label carries a device id: a fleet would make as many series as devices.
 */
import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from "prom-client";

/** Only ever rises. Add to `value` directly or through `add`. */
export class Counter {
  value = 0;

  add(count = 1): void {
    this.value += count;
  }
}

/** One registry; two of them in one process do not meet. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();

  /** The counter of that name; made at first use. `name` without the `tidegate_` prefix and the `_total` suffix. */
  counter(name: string, help: string): Counter {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    const counter = new Counter();
    this.#counters.set(name, counter);
    new PromCounter({
      name: `tidegate_${name}_total`,
      help,
      registers: [this.#registry],
      collect() {
        this.reset();
        this.inc(counter.value);
      },
    });
    return counter;
  }

  /** A value that is read when somebody asks; null: there is none now, and the page has no line for it. */
  gauge(name: string, help: string, read: () => number | null): void {
    new PromGauge({
      name: `tidegate_${name}`,
      help,
      registers: [this.#registry],
      collect() {
        const value = read();
        if (value === null) this.remove();
        else this.set(value);
      },
    });
  }

  /** As `gauge`, one value per label value, e.g. the backlog per sink. */
  gaugePer(name: string, help: string, label: string, read: () => Iterable<readonly [string, number]>): void {
    new PromGauge({
      name: `tidegate_${name}`,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [of, value] of read()) this.set({ [label]: of }, value);
      },
    });
  }

  /** A distribution, e.g. of commit times in seconds. Returns the function that records one observation. */
  histogram(name: string, help: string, buckets: number[]): (value: number) => void {
    const histogram = new PromHistogram({
      name: `tidegate_${name}`,
      help,
      buckets,
      registers: [this.#registry],
    });
    return (value) => histogram.observe(value);
  }

  /** The current value of a counter, 0 when nobody made it. */
  read(name: string): number {
    return this.#counters.get(name)?.value ?? 0;
  }

  /** Everything in the Prometheus text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
