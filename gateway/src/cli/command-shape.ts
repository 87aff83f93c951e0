/** A command as the API answers it, for the verbs that show one. Edge room `cli`. */
import * as z from "zod";
import type { Paint, Painter } from "./paint.js";

export const commandShape = z.looseObject({
  commandId: z.string(),
  device: z.string(),
  name: z.string(),
  args: z.unknown(),
  delivery: z.string(),
  state: z.string(),
  source: z.string(),
  ttlMs: z.number(),
  transmissions: z.number(),
  updatedAt: z.string(),
  result: z.unknown().default(null),
  error: z.string().nullable().default(null),
});
export type CommandAnswer = z.infer<typeof commandShape>;

const ENDED: ReadonlySet<string> = new Set(["succeeded", "failed", "expired", "cancelled", "unknown"]);

/** Will the state not change any more (`unknown` still may, when the device answers late)? */
export function isEnded(state: string): boolean {
  return ENDED.has(state);
}

/** Good news green, bad news red, not known yellow, on its way dim. */
export function paintOfState(paint: Paint, state: string): Painter {
  if (state === "succeeded") return paint.good;
  if (state === "failed" || state === "expired") return paint.bad;
  return isEnded(state) ? paint.warn : paint.dim;
}
