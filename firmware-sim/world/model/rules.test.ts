/**
 * Why each marked rule of the protocol is there: with all of them no story of a small scope ends badly, and with any one
 * left out there is a story that does [P-1] … [P-12], [P-15] … [P-20].
 */
import { describe, expect, test } from "vitest";
import { commandModel } from "./command-model.js";
import { COMMAND_SCOPES, COMMAND_SWITCHES } from "./command-scopes.js";
import { deliveryModel } from "./delivery-model.js";
import { DELIVERY_SCOPES, DELIVERY_SWITCHES } from "./delivery-scopes.js";
import { explore } from "./explore.js";
import { ALL_ON } from "./switches.js";

const STATES_MAX = 60_000;
const TIMEOUT_MS = 120_000;

describe("delivery, explored", () => {
  test.each(Object.values(DELIVERY_SCOPES).map((scope) => [scope.name, scope] as const))(
    "%s: nothing is lost, doubled, mislabelled or hangs",
    (_, scope) => {
      const { isCut, violation } = explore(deliveryModel(ALL_ON, scope), STATES_MAX);
      expect(violation).toBeNull();
      expect(isCut).toBe(false);
    },
    TIMEOUT_MS,
  );

  test.each(DELIVERY_SWITCHES)(
    "without %s (%s) there is a story that ends badly",
    (off, name) => {
      const { violation } = explore(deliveryModel(new Set([off]), DELIVERY_SCOPES[name]), STATES_MAX);
      expect(violation?.trace.length ?? 0).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  test("a store that trusts its caller stores twice what Hello overtook", () => {
    const trusting = new Set(["P-4", "last word"]);
    const { violation } = explore(deliveryModel(trusting, DELIVERY_SCOPES.links), STATES_MAX);
    expect(violation?.why).toMatch(/stored twice/);
  });
});

describe("commands, explored", () => {
  test.each(Object.values(COMMAND_SCOPES).map((scope) => [scope.name, scope] as const))(
    "%s: nothing runs twice or late, and nothing is said that is not so",
    (_, scope) => {
      const { isCut, violation } = explore(commandModel(ALL_ON, scope), STATES_MAX);
      expect(violation).toBeNull();
      expect(isCut).toBe(false);
    },
    TIMEOUT_MS,
  );

  test.each(COMMAND_SWITCHES)(
    "without %s (%s) there is a story that ends badly",
    (off, name) => {
      const { violation } = explore(commandModel(new Set([off]), COMMAND_SCOPES[name]), STATES_MAX);
      expect(violation?.trace.length ?? 0).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
