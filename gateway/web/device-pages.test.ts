/** The pages of devices in a real browser over a fake gateway: the table, and everything about one device. */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { offline } from "../src/admin/testing/fake-host.js";
import { waveHistory } from "../src/admin/testing/wave-history.js";
import { BrowserBench, withBrowser } from "./testing/browser-bench.js";

withBrowser.describe("the pages of devices", () => {
  const bench = new BrowserBench();
  beforeAll(() => bench.start());
  afterAll(() => bench.stop());
  afterEach(() => bench.close());

  /** Log in, with a history and a catalog that has something for every control. */
  async function enter(hash: string): Promise<void> {
    await bench.open();
    const { host } = bench.t;
    host.historyOf = waveHistory;
    const signals = [
      { id: 1, key: "temperature", name: "Temperature", type: 4, unit: "°C", kind: 1 },
      { id: 2, key: "door", name: "Door", type: 7, unit: "", kind: 4, options: ["closed", "open"] },
      { id: 3, key: "pump", name: "Pump", type: 1, unit: "", kind: 4 },
      { id: 4, key: "setpoint", name: "Setpoint", type: 4, unit: "°C", kind: 6, min: 5, max: 35 },
      { id: 5, key: "mode", name: "Mode", type: 7, unit: "", kind: 4, options: ["eco", "heat", "off"] },
    ];
    const hints = { pump: '{"on":true}', setpoint: '{"celsius":21.5}', mode: '{"mode":"eco"}', identify: "{}" };
    const commands = Object.entries(hints).map(([name, argsHint], code) => ({ code, name, argsHint }));
    host.known = host.known.map((facts) => ({ ...facts, catalog: { signals, commands } }));
    host.report("attic-7", { pump: false, setpoint: 20, mode: "eco", door: "open" }, "");
    await bench.logIn();
    await bench.visit(hash);
  }

  it("lists devices: filtered, sorted by keyboard, with their last hour", async () => {
    await enter("#/devices");
    const { page, t } = bench;
    const rows = page.locator("tbody tr");
    await rows.nth(2).waitFor();
    await page.locator("svg.spark path").first().waitFor({ state: "attached" });
    await page.getByRole("button", { name: "Value" }).focus();
    await page.keyboard.press("Enter");
    await page.locator('th[aria-sort="ascending"]', { hasText: "Value" }).waitFor();
    expect(await rows.first().textContent()).toContain("Cellar");
    await page.keyboard.press("Enter");
    await page.locator('th[aria-sort="descending"]', { hasText: "Value" }).waitFor();
    expect(await rows.first().textContent()).toContain("Attic");
    t.host.setPresence("cellar", offline());
    await rows.filter({ hasText: "Cellar" }).getByText("offline").waitFor();
    expect(await bench.inspect("devices")).toEqual([]);
    await page.getByLabel("Filter devices").fill("bed");
    await rows.nth(1).waitFor({ state: "detached" });
    expect(page.url()).toContain("filter=bed");
    await page.getByLabel("Filter devices").fill("nothing like it");
    await page.getByText("No device fits").waitFor();
  });

  it("adds a device and shows its credential once", async () => {
    await enter("#/devices");
    const { page, t } = bench;
    await page.getByRole("button", { name: "Add device" }).click();
    await page.getByLabel("Id").fill("attic-7");
    await page.keyboard.press("Enter");
    await page.getByText("attic-7 exists").first().waitFor();
    await page.getByLabel("Id").fill("shed-1");
    await page.keyboard.press("Enter");
    await page.getByText("tg_secret").waitFor();
    expect(t.host.calls).toContain("add shed-1");
    expect(await bench.inspect("credential")).toEqual([
      "Failed to load resource: the server responded with a status of 409 (Conflict)",
    ]);
    await page.getByRole("button", { name: "I have it" }).click();
    expect(await page.getByText("tg_secret").count()).toBe(0);
    await page.getByRole("link", { name: "shed-1" }).waitFor();
  });

  it("draws controls from the catalog, and shows pending, then applied", async () => {
    await enter("#/devices/attic-7");
    const { page, t } = bench;
    await page.getByRole("button", { name: "pump on" }).focus();
    await page.keyboard.press("Enter");
    const pump = page.locator(".control", { hasText: "pump" });
    await pump.getByText("pending: waits for the device").waitFor();
    const [id = ""] = t.host.commandList.keys();
    t.host.moveCommand(id, "started");
    await pump.getByText("pending: running").waitFor();
    t.host.moveCommand(id, "succeeded", '{"on":true}');
    await pump.getByText("applied").waitFor();
    t.host.report("attic-7", { pump: true }, "");
    await page.locator('.control button[aria-pressed="true"]', { hasText: "on" }).waitFor();
    await page.getByRole("slider", { name: "setpoint" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.getByLabel("mode", { exact: true }).getByRole("combobox").selectOption("heat");
    await page.getByRole("button", { name: "Run identify" }).click();
    await expect.poll(() => t.host.calls.filter((call) => call.startsWith("submit")).length).toBe(4);
    expect(t.host.calls).toEqual(
      expect.arrayContaining([
        'submit attic-7 pump {"on":true} dashboard',
        'submit attic-7 setpoint {"celsius":20.5} dashboard',
        'submit attic-7 mode {"mode":"heat"} dashboard',
        "submit attic-7 identify {} dashboard",
      ]),
    );
    expect(await bench.inspect("device-live")).toEqual([]);
  });

  it("charts every signal with gaps, zooms by dragging, and exports CSV", async () => {
    await enter("#/devices/attic-7/charts?range=1d");
    const { page, t } = bench;
    await page.locator(".figure canvas").nth(4).waitFor();
    t.host.setPresence("attic-7", offline());
    expect(await bench.inspect("device-charts")).toEqual([]);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "CSV" }).click(),
    ]);
    const csv = readFileSync(await download.path(), "utf8").split("\r\n");
    expect(csv[0]).toBe("time,device,signal,unit,value,min,max");
    expect(csv.length).toBeGreaterThan(1000);
    expect(csv.some((line) => line.includes(",attic-7,door,,open,,"))).toBe(true);
    const over = page.locator(".u-over").first();
    const box = await over.boundingBox();
    if (box === null) throw new Error("the chart is not drawn");
    await page.mouse.move(box.x + box.width * 0.2, box.y + 40);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 40, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => page.url()).toContain("from=");
    await expect
      .poll(() => (t.host.historyAsked?.toUnixMs ?? 0) - (t.host.historyAsked?.fromUnixMs ?? 0))
      .toBeLessThan(15 * 3_600_000);
    await page.getByRole("button", { name: "5 min" }).click();
    await expect.poll(() => page.url()).toContain("range=5m");
    expect(bench.problems).toEqual([]);
    // A connection that comes back fills in what was missed at once, not at the next turn.
    await page.getByRole("button", { name: "Pause" }).click();
    t.server.feed.stop();
    await page.getByText("Connection lost").waitFor();
    await t.server.feed.start();
    t.host.historyAsked = null;
    await page.getByText("Connection lost").waitFor({ state: "detached" });
    await expect.poll(() => t.host.historyAsked).not.toBeNull();
  });

  it("tells every command with its latency, and cancels one that waits", async () => {
    await enter("#/devices/attic-7/commands");
    const { page, t } = bench;
    await page.getByLabel("Arguments (JSON, may be empty)").fill('{"on": tru');
    await page.keyboard.press("Enter");
    await page.getByText("not JSON").waitFor();
    await page.getByLabel("Arguments (JSON, may be empty)").fill('{"on": true}');
    await page.keyboard.press("Enter");
    const row = page.locator("tbody tr").first();
    await row.getByText("pending").waitFor();
    await row.getByRole("button", { name: "Cancel" }).click();
    await row.getByText("cancelled").waitFor();
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator("tbody tr").nth(1).waitFor();
    const id = [...t.host.commandList.keys()].at(-1) ?? "";
    t.host.moveCommand(id, "succeeded", '{"on":true}');
    await page.getByText("applied").waitFor();
    expect(await bench.inspect("device-commands")).toEqual([]);
  });

  it("keeps a log of sessions, gaps and lines; renames, and asks twice before it forgets", async () => {
    await enter("#/devices/cellar/log");
    const { page, t } = bench;
    t.host.setPresence("cellar", offline());
    const gap = { id: 1, device: "cellar", epoch: 77, fromSeq: 4, toSeq: 9, sink: null, atUnixMs: Date.now() };
    t.host.gapList = [{ ...gap, reason: "evicted" }];
    t.host.logRing.write(JSON.stringify({ level: 40, time: Date.now(), msg: "hello not answered", device: "cellar" }));
    await page.reload();
    await page.getByText("6 records missing").waitFor();
    await page.getByText("hello not answered").waitFor();
    const note = { level: 5, text: "identify: blinked", t: Date.now() };
    t.host.store([{ device: "cellar", kind: "log", receivedUnixMs: Date.now(), detail: note }]);
    await page.locator(".entry", { hasText: "device" }).getByText("identify: blinked").waitFor();
    await page.locator(".entry", { hasText: "session" }).getByText("offline").waitFor();
    expect(await bench.inspect("device-log")).toEqual([]);
    await page.getByRole("navigation", { name: "Pages of cellar" }).getByRole("link", { name: "Settings" }).click();
    await page.getByLabel("Name").fill("Wine cellar");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Wine cellar" }).waitFor();
    expect(await bench.inspect("device-settings")).toEqual([]);
    await page.getByRole("button", { name: "Forget" }).click();
    expect(t.host.ids.length).toBe(3);
    await page.getByRole("button", { name: "Yes, forget it" }).click();
    await page.getByRole("heading", { name: "Devices" }).waitFor();
    expect(t.host.ids.length).toBe(2);
  });
});
