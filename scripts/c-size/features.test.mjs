// The cuts still fit the sources they cut.

import assert from "node:assert/strict";
import { it } from "vitest";
import { FEATURES, without } from "./features.mjs";

for (const feature of FEATURES) {
  it(`the sources still have what is cut out with: ${feature.name}`, () => {
    const sources = without(feature);
    assert.ok(sources.size > 0);
  });
}

it("says which feature no longer fits the sources", () => {
  const feature = { name: "a feature", cuts: [["a.c", "gone", ""]] };
  assert.throws(() => without(feature, () => "int a;"), /a feature: a\.c has no such text/);
});
