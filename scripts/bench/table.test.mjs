// The table of the benchmark, as printed.

import { describe, expect, it } from "vitest";
import { makeRow } from "./result.mjs";
import { renderTable } from "./table.mjs";

const MACHINE = { cpu: "2 × Example", load: null, versions: { tidegate: "0.1.0", nats: null } };
const SPEC = { id: "T1", title: "ingest", unit: "1/s", against: "fastest", direction: "atLeast", target: 4 };

describe("the table of the benchmark", () => {
  it("shows machine, versions, one line per row, and below it what each contender cost", () => {
    const ours = [{ value: 463_000, columns: { "CPU s/million": 2.5 } }];
    const peer = [{ value: 90_000, columns: { "CPU s/million": 8 } }];
    const rows = [makeRow(SPEC, { ours, mosquitto: peer }, ["nats is not installed: apt-get install nats-server"])];
    expect(renderTable(MACHINE, rows)).toMatchInlineSnapshot(`
      "cpu: 2 × Example
      versions: tidegate 0.1.0, nats absent

      row  measure       ours     peers             ratio  target          met
      T1   ingest (1/s)  463,000  mosquitto 90,000  5.14×  ≥ 4× mosquitto  yes

      T1
        ours       CPU s/million 2.5 · rounds 463,000
        mosquitto  CPU s/million 8 · rounds 90,000
        note: nats is not installed: apt-get install nats-server"
    `);
  });

  it("shows what could not be measured as a dash, and its verdict as unknown", () => {
    const text = renderTable(MACHINE, [makeRow(SPEC, { ours: [], nats: [] }, [])]);
    expect(text).toMatch(/^T1 +ingest \(1\/s\) +– +nats – +– +≥ 4× fastest +unknown$/m);
  });
});
