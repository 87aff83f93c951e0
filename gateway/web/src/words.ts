/** The gateway's short words in sentences for people. Pure. */

const GAP_REASONS: Readonly<Record<string, string>> = {
  evicted: "the device had no room left and dropped them",
  restart: "the device restarted and lost its memory",
  unproven: "acked once by an earlier store; not proven here",
  rollback: "the device went back in time and renumbered what it holds",
  dropped: "dropped here: the disk was full and the policy is drop-oldest",
  sinkHold: "skipped for this sink: it was down longer than its hold",
  quarantined: "damaged, or refused by the sink",
};

/** Why numbers are missing. */
export function gapReasonText(reason: string): string {
  return GAP_REASONS[reason] ?? reason;
}

/** How many records a gap stands for; null when its end is unknown. */
export function gapCount(gap: { readonly fromSeq: number; readonly toSeq: number | null }): number | null {
  return gap.toSeq === null ? null : gap.toSeq - gap.fromSeq + 1;
}

export type SinkTone = "good" | "unsure" | "bad" | "quiet";

const SINK_STATES: Readonly<Record<string, readonly [words: string, tone: SinkTone]>> = {
  up: ["connected", "good"],
  connecting: ["connecting", "unsure"],
  backingOff: ["not connected, tries again", "bad"],
  blocked: ["connected, the broker takes nothing", "bad"],
  paused: ["paused by you", "unsure"],
  stopped: ["not running", "quiet"],
};

/** A sink's state, and how it should look. */
export function sinkStateText(state: string): { readonly words: string; readonly tone: SinkTone } {
  const [words, tone] = SINK_STATES[state] ?? [state, "quiet" as const];
  return { words, tone };
}

/** What is read of a serial line: its state, and who is on it. */
interface LineFacts {
  readonly state: string;
  readonly device: string | null;
  readonly messageCount: number;
  readonly noiseCount: number;
}

/** A serial line's state in words, and how it should look. */
export function serialStateText(line: LineFacts): { readonly words: string; readonly tone: SinkTone } {
  const { state, device, messageCount, noiseCount } = line;
  if (state === "waiting") return { words: "not open, tries again", tone: "bad" };
  if (state === "opening") return { words: "opening", tone: "unsure" };
  if (state === "stopped") return { words: "not running", tone: "quiet" };
  if (device !== null) return { words: "open, a device is on it", tone: "good" };
  if (messageCount > 0) return { words: "open, no device has a session on it now", tone: "unsure" };
  return noiseCount > 0
    ? { words: "open, but nothing on it is a message: check the speed and the firmware", tone: "unsure" }
    : { words: "open, nothing was heard yet", tone: "unsure" };
}

/** What false and true mean, by the class of the device's signal: Home Assistant's vocabulary. */
const BOOLEAN_WORDS: Readonly<Record<string, readonly [no: string, yes: string]>> = {
  door: ["closed", "open"],
  garage_door: ["closed", "open"],
  opening: ["closed", "open"],
  window: ["closed", "open"],
  lock: ["locked", "unlocked"],
  motion: ["clear", "detected"],
  occupancy: ["clear", "detected"],
  smoke: ["clear", "detected"],
  moisture: ["dry", "wet"],
  problem: ["OK", "problem"],
  connectivity: ["disconnected", "connected"],
  battery: ["normal", "low"],
};

/** The words for false and true of a signal of that class. */
export function booleanWords(deviceClass: string): readonly [no: string, yes: string] {
  return BOOLEAN_WORDS[deviceClass] ?? ["off", "on"];
}

/** `1 device`, `3 devices`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
