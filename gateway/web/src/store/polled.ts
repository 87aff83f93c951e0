/**
 * What the live feed does not carry is asked for again and again, while somebody looks: at once, every so often, after
 * every reconnection, and never while the tab is hidden.
 */
import { useCallback, useEffect, useState } from "preact/hooks";
import { problemText } from "../api.js";
import { heals } from "./gateway-store.js";

export interface Polled<T> {
  /** The last answer; null before the first. An old answer stays when a later question fails. */
  readonly value: T | null;
  /** Why the last question failed; empty when it did not. */
  readonly problem: string;
  readonly refresh: () => void;
}

/**
 * Ask `fetcher` every `everyMs` (0: only once and when asked to).
 * @param key another key is another question: the value of the old one is forgotten
 */
export function usePolled<T>(key: string, everyMs: number, fetcher: () => Promise<T>): Polled<T> {
  const [held, setHeld] = useState<{ key: string; value: T | null; problem: string }>({
    key,
    value: null,
    problem: "",
  });
  const [asked, setAsked] = useState(0);
  const refresh = useCallback(() => setAsked((count) => count + 1), []);
  // The key names the question; fetchers are made anew each time.
  useEffect(() => {
    let isGone = false;
    let isAsking = false;
    const poll = async (): Promise<void> => {
      if (isAsking || document.visibilityState === "hidden") return;
      isAsking = true;
      try {
        const value = await fetcher();
        if (!isGone) setHeld({ key, value, problem: "" });
      } catch (thrown) {
        if (!isGone)
          setHeld((was) => ({ key, value: was.key === key ? was.value : null, problem: problemText(thrown) }));
      } finally {
        isAsking = false;
      }
    };
    const ask = (): void => void poll();
    ask();
    const unwatch = heals.watch(ask);
    const timer = everyMs > 0 ? setInterval(ask, everyMs) : undefined;
    document.addEventListener("visibilitychange", ask);
    return () => {
      isGone = true;
      unwatch();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [key, everyMs, asked]);
  return { value: held.key === key ? held.value : null, problem: held.problem, refresh };
}
