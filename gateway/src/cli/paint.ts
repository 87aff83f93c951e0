/** Colours, when somebody looks at a terminal that has them and did not say NO_COLOR. Edge room `cli`, pure. */
import type { Environment } from "../config/env-overrides.js";
import type { OutputStream } from "./context.js";

export type Painter = (text: string) => string;

/** Meanings, not colours: what a colour says must also stand in words. */
export interface Paint {
  readonly bold: Painter;
  readonly dim: Painter;
  readonly good: Painter;
  readonly warn: Painter;
  readonly bad: Painter;
}

const same: Painter = (text) => text;
const sgr =
  (open: number, close: number): Painter =>
  (text) =>
    `\u001b[${open}m${text}\u001b[${close}m`;

const PLAIN: Paint = { bold: same, dim: same, good: same, warn: same, bad: same };
const COLOURED: Paint = { bold: sgr(1, 22), dim: sgr(2, 22), good: sgr(32, 39), warn: sgr(33, 39), bad: sgr(31, 39) };

/** The paint for a stream: none off a terminal, on a dumb one, or when NO_COLOR is set (no-color.org). */
export function paintFor(stream: OutputStream, env: Environment): Paint {
  const noColor = env["NO_COLOR"] ?? "";
  return stream.isTty && noColor === "" && env["TERM"] !== "dumb" ? COLOURED : PLAIN;
}
