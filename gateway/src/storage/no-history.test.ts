/** What is answered when the history is switched off. */
import { expect, it } from "vitest";
import { NO_HISTORY } from "./no-history.js";

it("says in words that charts over time are off, and how to have them", async () => {
  await expect(NO_HISTORY.read()).rejects.toMatchObject({
    code: "E_HISTORY_OFF",
    why: expect.stringContaining("history.enabled"),
    fix: expect.stringContaining("true"),
  });
});
