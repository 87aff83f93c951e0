/** Picks the stretch of time: a row of ranges, back from a zoom, and pause. */
import { RANGES, type TimeWindow } from "../charts/time-window.js";

interface RangePickerProps {
  readonly window: TimeWindow;
  readonly isPaused: boolean;
  readonly onPause: (isPaused: boolean) => void;
  readonly onRange: (range: string) => void;
}

/** Toggle buttons, one pressed. */
export function RangePicker({ window, isPaused, onPause, onRange }: RangePickerProps) {
  return (
    <fieldset class="ranges" aria-label="Range of time">
      {RANGES.map(([name, label]) => (
        <button
          key={name}
          type="button"
          class="chip"
          aria-pressed={window.range === name}
          onClick={() => onRange(name)}
        >
          {label}
        </button>
      ))}
      {window.fixed === null ? (
        <button type="button" class="chip" aria-pressed={isPaused} onClick={() => onPause(!isPaused)}>
          Pause
        </button>
      ) : (
        <span class="chip-note">{fixedText(window.fixed)}</span>
      )}
    </fieldset>
  );
}

function fixedText({ fromUnixMs, toUnixMs }: { fromUnixMs: number; toUnixMs: number }): string {
  const [from, to] = [new Date(fromUnixMs), new Date(toUnixMs)];
  const isOneDay = from.toDateString() === to.toDateString();
  return `${from.toLocaleString()} – ${isOneDay ? to.toLocaleTimeString() : to.toLocaleString()}`;
}
