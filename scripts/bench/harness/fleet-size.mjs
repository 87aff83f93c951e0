// How many devices a row takes: as many as it wants, or as many connections as this user may have open.

import { openFilesMax } from "./proc.mjs";

/** Files that a server has open beside its devices: databases, code, timers. */
const OWN_FILES = 200;

/**
 * @param {{ isQuick: boolean, note: (text: string) => void }} bench told when it has to be fewer
 * @param {{ quick: number, full: number }} sizes what the row wants
 */
export function fleetSize(bench, sizes) {
  const wanted = bench.isQuick ? sizes.quick : sizes.full;
  const possible = openFilesMax() - OWN_FILES;
  if (wanted <= possible) return wanted;
  bench.note(`${possible} devices instead of ${wanted}: raise the limit of open files (ulimit -Hn)`);
  return possible;
}
