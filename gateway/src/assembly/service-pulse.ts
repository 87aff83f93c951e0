/**
 * "Still alive", said to the service manager only when it is true of both: the main loop, whose timer this is, and the
 * storage worker, which must answer a question through its queue or at least have answered somebody since.
 *
 *   timer ─▶ ask the worker ──answered──▶ alive, with the status line
 *     │         └─ not yet ─▶ timer ─▶ others were answered meanwhile? ─ yes ─▶ alive: a slow disk
 *     │                                                                └ no ──▶ nothing is said
 *     └─ the loop hangs: no timer, nothing is said ─▶ after WatchdogSec the manager ends the process and starts anew
 */
import { type Clock, repeat } from "../core/clock.js";
import type { ServiceManager } from "./service-word.js";

export interface PulseSource {
  /** A question through the whole storage queue; resolves with the status line. */
  beat(): Promise<string>;
  /** How many calls the storage worker has answered since the start. */
  answeredCount(): number;
}

/** Words in one watchdog period: one that is lost or late must not end the gateway. */
const BEATS_PER_PERIOD = 4;

/** The status line is this fresh also where nobody watches. */
const BEAT_MS_MAX = 30_000;

/** Begin to tell; returns the way to stop. */
export function startPulse(manager: ServiceManager, clock: Clock, source: PulseSource): () => void {
  const everyMs = Math.min(BEAT_MS_MAX, (manager.watchdogMs ?? Number.POSITIVE_INFINITY) / BEATS_PER_PERIOD);
  let isAsking = false;
  let answeredBefore = source.answeredCount();
  let isStopped = false;

  async function ask(): Promise<void> {
    isAsking = true;
    try {
      const status = await source.beat();
      if (!isStopped) manager.tell({ status, alive: true });
    } catch {
      // A refusal is no sign of life of the worker: it may come from this side of its queue.
    } finally {
      isAsking = false;
    }
  }

  function tick(): void {
    const answered = source.answeredCount();
    if (!isAsking) void ask();
    else if (answered > answeredBefore) manager.tell({ status: "the disk is slow; answers come late", alive: true });
    answeredBefore = answered;
  }

  tick();
  const cancel = repeat(clock, everyMs, tick);
  return () => {
    isStopped = true;
    cancel();
  };
}
