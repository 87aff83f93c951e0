/** For what is made of all devices at once: made anew every other second, not with every value that arrives. */
import { nowUnixMs, state } from "./gateway-store.js";
import { useSelected } from "./observable.js";

const BEAT_MS = 2000;

/** Changes every two seconds, and when the number of devices changes. Negative: the list is not known yet. */
export function useDeviceBeat(): number {
  const count = useSelected(state, (s) => s.devices?.size ?? -1);
  const beat = useSelected(nowUnixMs, (now) => Math.floor(now / BEAT_MS));
  return count < 0 ? -1 : beat * 100_000 + count;
}
