/** The simulator's parts, for checkers, benchmarks and worlds. Names are listed one by one; everything else is inside. */
export { Fleet } from "./fleet.js";
