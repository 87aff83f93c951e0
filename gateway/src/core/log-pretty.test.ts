/** Lines as a person on a terminal reads them. */
import { expect, it } from "vitest";
import { createLogger } from "./log.js";
import { LogRing } from "./log-ring.js";

it("pretty lines go to any destination, one text per line, and as facts to the ring", () => {
  const out: string[] = [];
  const ring = new LogRing();
  const log = createLogger({ level: "info", format: "pretty" }, { write: (text) => void out.push(text) }, ring);
  log.info({ device: "attic-7" }, "device online");
  expect(out).toHaveLength(1);
  expect(out[0]).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: device online {"device":"attic-7"}\n$/);
  expect(ring.read({ afterId: 0, levelMin: "info", limit: 10 }).lines).toMatchObject([
    { message: "device online", facts: { device: "attic-7" } },
  ]);
});

it("hostile text in a fact stays on its line", () => {
  const out: string[] = [];
  const log = createLogger({ level: "info", format: "pretty" }, { write: (text) => void out.push(text) });
  log.warn({ device: "a\n\u001b[2Jfake" }, "device refused");
  expect(out.join("").split("\n")).toHaveLength(2);
  expect(out.join("")).not.toContain("\u001b[2J");
});
