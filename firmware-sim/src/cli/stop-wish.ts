/**
 * When to end: a signal, the parent's IPC channel closing, or an end that was planned.
 *
 *   SIGINT, SIGTERM, SIGHUP, disconnect ─▶ promise      a second signal after a moment ─▶ exit at once
 */
import type { Clock } from "@tidegate/device-sdk";

export interface StopWish {
  /** Resolves at the first wish. */
  readonly promise: Promise<"told" | "planned">;
  /** Let go of signals and of the channel, so that the process can end by itself. */
  forget(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** A terminal and a parent may both pass on one Ctrl-C; only a later one is impatience. */
const SAME_WISH_MS = 500;
const IMPATIENT_EXIT_CODE = 130;

/** Listen from now on. @param durationMs planned end; null: none */
export function listenForStop(clock: Clock, durationMs: number | null): StopWish {
  let resolve: (why: "told" | "planned") => void = () => {};
  const promise = new Promise<"told" | "planned">((settle) => {
    resolve = settle;
  });
  let firstMs: number | null = null;
  const onSignal = (): void => {
    const nowMs = clock.monoMs();
    firstMs ??= nowMs;
    resolve("told");
    if (nowMs - firstMs > SAME_WISH_MS) process.exit(IMPATIENT_EXIT_CODE);
  };
  const onDisconnect = (): void => resolve("told");
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on("disconnect", onDisconnect);
  const cancel = durationMs === null ? () => {} : clock.after(durationMs, () => resolve("planned"));
  return {
    promise,
    forget: () => {
      cancel();
      for (const signal of SIGNALS) process.off(signal, onSignal);
      process.off("disconnect", onDisconnect);
      if (process.connected) process.disconnect();
    },
  };
}
