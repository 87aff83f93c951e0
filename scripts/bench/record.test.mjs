// A recorded run: one line, with what it was made on.

import { expect, it } from "vitest";
import { recordLine } from "./record.mjs";
import { makeRow } from "./result.mjs";

it("is one line with machine, versions, and each row's numbers, ratio and cost", () => {
  const spec = { id: "T1", title: "ingest", unit: "1/s", against: "peer", direction: "atLeast", target: 4 };
  const ours = [{ value: 500, columns: { "CPU s/million": 4 } }];
  const row = makeRow(spec, { ours, peer: [{ value: 100, columns: {} }] }, ["a note"]);
  const machine = { cpu: "2 × Example", isBusy: false, versions: { tidegate: "0.1.0" } };
  const line = recordLine({ at: "2026-01-01T00:00:00.000Z", mode: "full", machine, rows: [row] });
  expect(line).not.toContain("\n");
  expect(JSON.parse(line)).toMatchObject({
    mode: "full",
    versions: { tidegate: "0.1.0" },
    rows: [{ id: "T1", ours: 500, peers: { peer: 100 }, ratio: 5, met: true, cost: { "CPU s/million": 4 } }],
  });
});
