/** `tidegate device history` against canned answers of the API, and backups as the command line asks for them. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sparkline } from "./sparkline.js";
import { ADMIN_TOKEN, FakeApi } from "./testing/fake-api.js";
import { cli, NOW } from "./testing/fake-context.js";

const PATH = "GET /api/v1/devices/attic-7/history";
const RAW = {
  unit: "°C",
  from: NOW - 60_000,
  to: NOW,
  bucketMs: null,
  t: [NOW - 3_000, NOW - 2_000, NOW - 1_000],
  v: [20.25, null, 21],
};

let api: FakeApi;
beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.stop());

function run(line: string) {
  const env = { TIDEGATE_URL: api.url, TIDEGATE_TOKEN_FILE: "/site/token" };
  return cli(["device", "history", ...line.split(" ")], { files: { "/site/token": ADMIN_TOKEN }, env });
}

describe("a signal over time", () => {
  it("is a line of blocks and its newest values, with gaps shown as gaps", async () => {
    api.on(PATH, [200, RAW]);
    const { exitCode, out } = await run("attic-7 temperature --since 1m");
    expect(exitCode).toBe(0);
    expect(out).toContain("▁ █");
    expect(out).toContain("20.25 … 21 °C");
    expect(out).toMatch(/gap$/m);
    const query = new URL(api.seen.at(-1)?.path ?? "", api.url).searchParams;
    expect(query.get("signal")).toBe("temperature");
    expect(Number(query.get("to")) - Number(query.get("from"))).toBe(60_000);
  });

  it("shows buckets with their bounds, and says how long they are", async () => {
    const buckets = { ...RAW, bucketMs: 60_000, v: undefined, min: [1, null, 3], avg: [2, null, 4], max: [3, null, 5] };
    api.on(PATH, [200, buckets]);
    const { out, err } = await run("attic-7 temperature");
    expect(out).toMatch(/time\s+min\s+avg\s+max/);
    expect(out).toContain("1 … 5 °C");
    expect(err).toContain("each line holds 1 min");
  });

  it("comes as CSV with an empty cell for a gap, and as the API's JSON", async () => {
    api.on(PATH, [200, RAW]);
    const { out } = await run("attic-7 temperature --csv");
    const lines = out.split("\r\n");
    expect(lines[0]).toBe("time,value");
    expect(lines[1]).toBe(`${new Date(NOW - 3_000).toISOString()},20.25`);
    expect(lines[2]).toBe(`${new Date(NOW - 2_000).toISOString()},`);
    expect(JSON.parse((await run("attic-7 temperature --json")).out)).toEqual(RAW);
  });

  it("that is not named lists what the device has; one without samples says so", async () => {
    api.on("GET /api/v1/devices/attic-7", [200, { signals: [{ key: "temperature" }, { key: "door" }] }]);
    expect(await run("attic-7")).toMatchObject({ exitCode: 2, err: expect.stringContaining("temperature, door") });
    api.on(PATH, [200, { ...RAW, t: [], v: [] }]);
    expect((await run("attic-7 temperature")).out).toContain("nothing is known");
  });

  it("keeps texts of a device from the terminal", async () => {
    api.on(PATH, [200, { ...RAW, unit: "\u001b[2J", v: ["\u001b]0;x\u0007", null, "b"] }]);
    const { out } = await run("attic-7 temperature");
    expect(out).not.toContain("\u001b");
  });
});

describe("a sparkline", () => {
  it("spans the blocks, leaves gaps open, and lies in the middle when nothing moves", () => {
    expect(sparkline([0, 7])).toBe("▁█");
    expect(sparkline([1, null, 1])).toBe("▄ ▄");
    expect(sparkline([null])).toBe(" ");
    expect(sparkline([])).toBe("");
  });
});
