// A line that tells a person that something slow is still going on, and what.
//
//   TTY      one line, rewritten each second:    set-up: compiling better-sqlite3 (one to two minutes) · 43 s
//   no TTY   a line when the phase changes and one each ten seconds, so that a CI log shows life but stays short

import { formatDuration } from "./report.mjs";

const TICK_MS = 1_000;
const PLAIN_LINE_EVERY_MS = 10_000;

/**
 * Starts showing progress.
 * @param {string} label what is being done ("set-up")
 * @param {() => string} phase asked at every tick for the phase to show
 * @param {{ stream?: NodeJS.WriteStream, now?: () => number }} [seams] for tests
 * @returns {{ stop: () => void, tick: () => void }} `stop` must be called; it wipes the line on a TTY
 */
export function startProgress(label, phase, { stream = process.stderr, now = Date.now } = {}) {
  const startedAtMs = now();
  let shownPhase = "";
  let shownAtMs = startedAtMs;

  const tick = () => {
    const current = phase();
    const line = `  ${label}: ${current} · ${formatDuration(now() - startedAtMs)}`;
    if (stream.isTTY) {
      // Longer than the window would wrap and leave litter behind.
      stream.write(`\r\u001b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
    } else if (current !== shownPhase || now() - shownAtMs >= PLAIN_LINE_EVERY_MS) {
      stream.write(`${line}\n`);
      shownAtMs = now();
    }
    shownPhase = current;
  };

  tick();
  const timer = setInterval(tick, TICK_MS);
  return {
    tick,
    stop() {
      clearInterval(timer);
      if (stream.isTTY) stream.write("\r\u001b[K");
    },
  };
}
