/** The pages about the gateway itself in a real browser: sinks, gaps, explore, logs, settings. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { waveHistory } from "../src/admin/testing/wave-history.js";
import { GatewayError } from "../src/core/errors.js";
import type { Gap } from "../src/model/record.js";
import { BrowserBench, withBrowser } from "./testing/browser-bench.js";

withBrowser.describe("the pages of the gateway", () => {
  const bench = new BrowserBench();
  beforeAll(() => bench.start());
  afterAll(() => bench.stop());
  afterEach(() => bench.close());

  async function enter(hash: string): Promise<void> {
    await bench.open();
    bench.t.host.historyOf = waveHistory;
    await bench.logIn();
    await bench.visit(hash);
  }

  it("tells a sink's state and last error in plain words, tests, pauses and resumes it", async () => {
    await enter("#/sinks");
    const { page, t } = bench;
    const card = page.locator(".card", { hasText: "broker.lan" });
    await card.getByText("connected", { exact: true }).waitFor();
    await page.getByText("no longer configured").waitFor();
    await card.getByRole("button", { name: "Test broker" }).click();
    await card.getByText("Works: MQTT 5 in 3 ms.").waitFor();
    await card.getByRole("button", { name: "Pause broker" }).click();
    await card.getByText("paused by you").waitFor();
    await card.getByRole("button", { name: "Resume broker" }).click();
    await expect.poll(() => t.host.calls).toContain("resume broker");
    t.host.sinkError = { code: "E_SINK_REFUSED", why: "the broker refused the password", fix: "check passwordFile" };
    t.host.quarantinedCount = 1;
    await card.getByText("the broker refused the password").waitFor();
    await card.getByText("It tries again in 32 s.").waitFor();
    await card.getByRole("button", { name: "Try now broker" }).click();
    await expect.poll(() => t.host.calls.filter((call) => call === "resume broker")).toHaveLength(2);
    await card.getByText("Records this sink could not take").click();
    await card.getByText("too large").waitFor();
    await card.getByRole("button", { name: "Send again" }).first().click();
    await expect.poll(() => t.host.calls.some((call) => call.startsWith("requeue "))).toBe(true);
    await page.getByRole("button", { name: "Forget old" }).click();
    expect(t.host.calls).not.toContain("forget old");
    await page.getByRole("button", { name: "Yes, forget its place" }).click();
    await expect.poll(() => t.host.calls).toContain("forget old");
    expect(await bench.inspect("sinks")).toEqual([]);
  });

  it("lists what is missing and why, filtered by an address", async () => {
    await enter("#/gaps");
    const { page, t } = bench;
    await page.getByText("Nothing is missing").waitFor();
    expect(await bench.inspect("gaps-none")).toEqual([]);
    const gap = { epoch: 77, fromSeq: 4, toSeq: 9, sink: null, atUnixMs: Date.now() };
    const gaps: Gap[] = [
      { ...gap, id: 1, device: "cellar", reason: "evicted" },
      { ...gap, id: 2, device: "attic-7", toSeq: null, reason: "restart" },
      { ...gap, id: 3, device: "attic-7", sink: "broker", reason: "sinkHold" },
    ];
    t.host.gapList = gaps;
    await page.reload();
    await page.getByText("3 gaps, 12 messages known to be missing").waitFor();
    expect(await page.locator("tbody tr").first().textContent()).toContain("sink broker");
    expect(await bench.inspect("gaps")).toEqual([]);
    await bench.visit("#/gaps?filter=cellar");
    await page.locator("tbody tr").nth(1).waitFor({ state: "detached" });
    await page.getByText("no room left").waitFor();
  });

  it("explores signals of several devices on two axes, and its address brings them back", async () => {
    await enter("#/explore");
    const { page } = bench;
    await page.getByText("Pick signals above").waitFor();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("combobox", { name: "Device" }).selectOption("bed-1");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("combobox", { name: "Signal" }).selectOption("door");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator(".figure canvas").waitFor();
    await page.getByRole("button", { name: "24 h" }).click();
    await expect.poll(() => page.url()).toContain("range=1d");
    await page.locator(".figure canvas").waitFor();
    expect(await bench.inspect("explore")).toEqual([]);
    await page.locator(".u-over").hover({ position: { x: 100, y: 100 } });
    await page.getByText("Attic · Temperature").nth(1).waitFor();
    await page.reload();
    await page.locator(".chip-signal").nth(2).waitFor();
    await page.locator(".figure canvas").waitFor();
    await page.getByRole("button", { name: "Remove bed-1 · Door" }).click();
    await page.locator(".chip-signal").nth(2).waitFor({ state: "detached" });
    expect(bench.problems).toEqual([]);
  });

  it("shows the other signals when one cannot be read, says which, and draws states from the left edge", async () => {
    await enter("#/overview");
    const { page, t } = bench;
    t.host.historyOf = (query) => {
      if (query.device === "cellar") throw new GatewayError("E_STORE_BUSY", "the history is starting");
      if (query.signal !== "door") return waveHistory(query);
      return { unit: null, bucketMs: null, t: [], v: [], before: { t: query.fromUnixMs - 60_000, v: "open" } };
    };
    await bench.visit("#/explore?signals=attic-7/temperature,cellar/temperature&range=1h");
    await page.getByText("Not shown: cellar temperature. The history is starting.").waitFor();
    await page.locator(".figure canvas").waitFor();
    await bench.visit("#/devices/attic-7/charts?range=1h");
    await page.locator(".figure", { hasText: "Door" }).getByText("last open").waitFor();
    await bench.visit("#/explore?signals=cellar/temperature&range=1h");
    await page.getByText("Loading").waitFor();
    expect(bench.problems.filter((problem) => !problem.includes("503"))).toEqual([]);
  });

  it("tells of each serial line who is on it, how clean it is, and what to do when it is not open", async () => {
    await enter("#/serial");
    const { page, t } = bench;
    await page.getByText("npx tidegate serial ls").waitFor();
    expect(await bench.inspect("serial-none")).toEqual([]);
    const line = {
      path: "/dev/serial/by-id/usb-Arduino__www.arduino.cc__0043_8573-if00",
      baud: 115_200,
      trusted: false,
      state: "open" as const,
      device: "bed-1",
      problem: null,
      messageCount: 1234,
      noiseCount: 5,
      crcErrorCount: 2,
      droppedCount: 0,
      openCount: 1,
      chatter: [{ atUnixMs: Date.now(), text: "rst:0x1 (POWERON_RESET) <b>" }],
    };
    const problem = { code: "E_SERIAL_DENIED", why: "this user may not open /dev/ttyUSB1", fix: "usermod -aG dialout" };
    const denied = { ...line, path: "/dev/ttyUSB1", state: "waiting" as const, device: null, problem, chatter: [] };
    const port = {
      path: "/dev/ttyACM9",
      device: "/dev/ttyACM9",
      manufacturer: "ACME",
      serialNumber: "7",
      usbId: "1:2",
    };
    t.host.serialNow = { lines: [line, denied], ports: [port] };
    const first = page.locator(".card").first();
    await first.getByText("open, a device is on it").waitFor();
    expect(await first.locator(".tile", { hasText: "Resyncs" }).locator("b").textContent()).toBe("3");
    await first.getByText("What the board printed").click();
    await first.getByText("rst:0x1 (POWERON_RESET) <b>").waitFor();
    await page.locator(".card").nth(1).getByText("usermod -aG dialout").waitFor();
    await page.getByText("Also plugged in").waitFor();
    expect(await bench.inspect("serial")).toEqual([]);
    await first.getByRole("link", { name: "bed-1" }).click();
    await page.getByRole("heading", { name: "bed-1" }).waitFor();
    await bench.visit("#/overview");
    await page.locator(".attention").getByText("may not open /dev/ttyUSB1").waitFor();
  });

  it("tails the log, newest first, by level and text, and pauses", async () => {
    await enter("#/logs");
    const { page, t } = bench;
    const log = (level: number, msg: string, facts = {}): void =>
      t.host.logRing.write(JSON.stringify({ level, time: new Date().toISOString(), msg, ...facts }));
    await page.getByText("Nothing was logged").waitFor();
    log(30, "device online", { device: "attic-7" });
    log(20, "session left");
    log(50, "the sink is not connected", { why: "<b>refused</b>" });
    const lines = page.locator(".entry");
    await lines.nth(1).waitFor();
    expect(await lines.first().textContent()).toContain("why=<b>refused</b>");
    expect(await bench.inspect("logs")).toEqual([]);
    await page.getByLabel("Level").selectOption("debug");
    await lines.filter({ hasText: "session left" }).waitFor();
    await page.getByLabel("Filter lines").fill("attic-7");
    await lines.nth(1).waitFor({ state: "detached" });
  });

  it("shows the configuration in force with the source of each value, and changes the password", async () => {
    await enter("#/settings");
    const { page } = bench;
    const row = page.locator("tbody tr", { hasText: "gateway.id" });
    await row.getByText("attic-pi").waitFor();
    await page.locator("tbody tr", { hasText: "version" }).getByText("tidegate.yaml:1").waitFor();
    expect(await bench.inspect("settings")).toEqual([]);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download a backup" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("tidegate-attic-pi.tar");
    await page.getByLabel("Current password").fill("something else");
    await page.getByLabel("New password", { exact: true }).fill("correct horse battery");
    await page.getByLabel("The new password again").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.getByText("The current password is wrong").waitFor();
  });
});
