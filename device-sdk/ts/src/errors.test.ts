/** The table of error codes is public: what the README says and what the SDK has are the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DeviceError, ERROR_CODES } from "./errors.js";

test("every error code stands in the README with its meaning, and no other", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\|$/gm)].map(([, code, about]) => [code, about]);
  expect(rows).toEqual(Object.entries(ERROR_CODES));
});

test("an error says what, why, and what to do", () => {
  const error = new DeviceError("BAD_OPTION", "id is empty", "Give one.");
  expect(error.message).toBe("an option or declaration is not allowed: id is empty. Give one.");
  expect(error.code).toBe("BAD_OPTION");
});
