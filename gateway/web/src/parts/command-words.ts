/** The states of a command in words that say what they mean for the thing out there. Pure. */
import type { CommandView } from "../../../src/admin/api-schemas.js";

export type Tone = "pending" | "good" | "bad" | "unsure";

const WORDS: Readonly<Record<CommandView["state"], readonly [words: string, tone: Tone]>> = {
  queued: ["pending: waits for the device", "pending"],
  sent: ["pending: sent", "pending"],
  received: ["pending: the device has it", "pending"],
  started: ["pending: running", "pending"],
  succeeded: ["applied", "good"],
  failed: ["failed", "bad"],
  expired: ["expired, was not run", "bad"],
  cancelled: ["cancelled, was not run", "bad"],
  unknown: ["unknown: the device did not say", "unsure"],
};

/** The state in words, and how it should look. @param withTime how long it took, where no column says it */
export function describeState(command: CommandView, withTime = true): { readonly words: string; readonly tone: Tone } {
  const [words, tone] = WORDS[command.state];
  const elapsedMs = Date.parse(command.updatedAt) - Date.parse(command.createdAt);
  const took = withTime && command.state === "succeeded" && elapsedMs >= 0 ? ` after ${Math.round(elapsedMs)} ms` : "";
  return { words: words + took, tone };
}
