/** Every mutant; `npm run mutants` says what catches each. */
import { COMMAND_MUTANTS } from "./command-mutants.js";
import { DEVICE_MUTANTS } from "./device-mutants.js";
import { INTAKE_MUTANTS } from "./intake-mutants.js";
import type { Mutant } from "./mutant.js";
import { SINK_MUTANTS } from "./sink-mutants.js";
import { SPOOL_MUTANTS } from "./spool-mutants.js";
import { STORE_MUTANTS } from "./store-mutants.js";

export const MUTANTS: readonly Mutant[] = [
  ...INTAKE_MUTANTS,
  ...SPOOL_MUTANTS,
  ...STORE_MUTANTS,
  ...SINK_MUTANTS,
  ...COMMAND_MUTANTS,
  ...DEVICE_MUTANTS,
];
