/**
 * `npm run model`: the stories that end badly without each rule, and the larger scopes in which none does with all.
 *
 *   npm run model                 each rule switched off, with its shortest story
 *   npm run model -- --states N   and the large scopes, each up to N states
 */
import { parseArgs } from "node:util";
import { commandModel } from "./command-model.js";
import { COMMAND_SCOPES, COMMAND_SWITCHES, LARGE_COMMAND_SCOPES } from "./command-scopes.js";
import { deliveryModel } from "./delivery-model.js";
import { DELIVERY_SCOPES, DELIVERY_SWITCHES, LARGE_SCOPES } from "./delivery-scopes.js";
import { type Exploration, explore } from "./explore.js";
import { ALL_ON } from "./switches.js";

const STATES_MAX = 100_000;

/** @returns the exit code: 0 when every rule is needed and all together are enough. */
export function main(argv: readonly string[]): number {
  const { values } = parseArgs({ args: [...argv], options: { states: { type: "string" } } });
  let wrongCount = 0;
  for (const [off, name] of DELIVERY_SWITCHES) {
    wrongCount += told(off, explore(deliveryModel(new Set([off]), DELIVERY_SCOPES[name]), STATES_MAX));
  }
  for (const [off, name] of COMMAND_SWITCHES) {
    wrongCount += told(off, explore(commandModel(new Set([off]), COMMAND_SCOPES[name]), STATES_MAX));
  }
  if (values.states === undefined) return wrongCount === 0 ? 0 : 1;
  const statesMax = Number(values.states);
  for (const scope of [...Object.values(DELIVERY_SCOPES), ...LARGE_SCOPES]) {
    wrongCount += looked(scope.name, explore(deliveryModel(ALL_ON, scope), statesMax));
  }
  for (const scope of [...Object.values(COMMAND_SCOPES), ...LARGE_COMMAND_SCOPES]) {
    wrongCount += looked(scope.name, explore(commandModel(ALL_ON, scope), statesMax));
  }
  return wrongCount === 0 ? 0 : 1;
}

/** @returns 1 when the rule is not needed in its scope. */
function told(off: string, { stateCount, violation }: Exploration): number {
  console.log(`without ${off}: ${violation?.why ?? "NOTHING HAPPENS"} (${stateCount} states)`);
  for (const line of violation?.trace ?? []) console.log(`    ${line}`);
  return violation === null ? 1 : 0;
}

/** @returns 1 when something went wrong although every rule was kept. */
function looked(name: string, { stateCount, isCut, violation }: Exploration): number {
  const how =
    violation === null ? (isCut ? "nothing wrong so far" : "nothing wrong, whole") : `WRONG: ${violation.why}`;
  console.log(`${name}: ${stateCount} states, ${how}`);
  for (const line of violation?.trace ?? []) console.log(`    ${line}`);
  return violation === null ? 0 : 1;
}
