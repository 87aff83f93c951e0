/** The version of this program. Edge room `cli`. */
import { packageVersion } from "../core/package-dir.js";

/** `0.1.0`. */
export const VERSION = packageVersion();
