/**
 * Who waits until what was reported so far is durable at the gateway. Counts the messages of the moment and watches
 * them leave; numbers may change meanwhile (a new epoch), the messages stay the same.
 */
import type { Clock } from "./clock.js";
import { DeviceError } from "./errors.js";
import type { Outbox } from "./outbox.js";
import type { OutboxWatcher } from "./outbox-types.js";
import type { Entry } from "./seq-queue.js";

interface Waiter {
  readonly entries: Set<number>;
  dropped: number;
  readonly settle: (error: DeviceError | null) => void;
}

/** Most calls of `flush` that may wait at once. */
const WAITERS_MAX = 1_000;

/** Those who wait until what was reported so far is acked. */
export class FlushWaiters implements OutboxWatcher {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  #waiters = new Set<Waiter>();

  constructor(outbox: Outbox, clock: Clock) {
    this.#outbox = outbox;
    this.#clock = clock;
    outbox.watch(this);
  }

  /**
   * Resolves when everything now in the outbox is acked.
   *
   * @throws DeviceError FLUSH_TIMEOUT, FLUSH_INCOMPLETE (something was dropped), STOPPED
   */
  wait(timeoutMs: number): Promise<void> {
    const { current, next } = this.#outbox.queues;
    const held = [...current.entries(), ...(next?.entries() ?? [])].map((entry) => entry.ordinal);
    if (held.length === 0) return Promise.resolve();
    if (this.#waiters.size >= WAITERS_MAX) {
      const why = `${WAITERS_MAX} calls of flush wait already`;
      return Promise.reject(new DeviceError("FLUSH_TIMEOUT", why, "Await flush before calling it again."));
    }
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => waiter.settle(timedOut(waiter, timeoutMs)));
      const waiter: Waiter = {
        entries: new Set(held),
        dropped: 0,
        settle: (error) => {
          cancel();
          this.#waiters.delete(waiter);
          if (error) reject(error);
          else resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** End every wait: nothing more will be acked. */
  stop(): void {
    for (const waiter of [...this.#waiters]) {
      waiter.settle(new DeviceError("STOPPED", `${waiter.entries.size} messages were not acked`, "Flush before stop."));
    }
  }

  appended(): void {}

  moved(): void {}

  removed(entry: Entry, why: "acked" | "dropped"): void {
    for (const waiter of [...this.#waiters]) {
      if (!waiter.entries.delete(entry.ordinal)) continue;
      if (why === "dropped") waiter.dropped++;
      if (waiter.entries.size === 0) waiter.settle(waiter.dropped > 0 ? incomplete(waiter.dropped) : null);
    }
  }
}

function timedOut(waiter: Waiter, timeoutMs: number): DeviceError {
  const why = `${waiter.entries.size} messages are unacked after ${timeoutMs} ms`;
  return new DeviceError("FLUSH_TIMEOUT", why, "They stay in the outbox; wait longer, or check the gateway.");
}

function incomplete(dropped: number): DeviceError {
  const todo = "Give the outbox more room; the gateway lists the loss under gaps.";
  return new DeviceError("FLUSH_INCOMPLETE", `${dropped} messages`, todo);
}
