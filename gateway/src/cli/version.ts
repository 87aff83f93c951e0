/** The version of this program, from its package.json. Edge room `cli`. */
import { readFileSync } from "node:fs";
import * as z from "zod";

const manifest = z.looseObject({ version: z.string() });

/** `0.1.0`. */
export const VERSION = manifest.parse(
  JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")),
).version;
