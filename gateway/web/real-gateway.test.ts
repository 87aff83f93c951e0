/**
 * A real browser over the real gateway: a configuration that is refused and mended, and a gateway that is killed under
 * the page and comes back.
 */
import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { BrowserBench, withBrowser } from "./testing/browser-bench.js";
import { RealGateway } from "./testing/real-gateway.js";

/** Whole processes start and stop here: on a loaded machine that takes its time. */
const WAIT_MS_MAX = 60_000;
const WAIT = { timeout: WAIT_MS_MAX, interval: 200 };
const TEST_MS_MAX = 180_000;
vi.setConfig({ testTimeout: TEST_MS_MAX });

withBrowser.describe("the real gateway", () => {
  const bench = new BrowserBench();
  let gateway: RealGateway;
  beforeAll(() => bench.start());
  afterAll(() => bench.stop());
  beforeEach(async () => {
    gateway = await RealGateway.create();
  });
  afterEach(async () => {
    await bench.close();
    await gateway.remove();
  });

  it("says on the dashboard's port what is wrong with the configuration, and starts once it is mended", async () => {
    gateway.configure(
      "storage: { qouta: 2GiB }\nsinks: [ { name: b, type: mqtt, url: 'mqtt://me:hunter2@host:99999' } ]",
    );
    gateway.start("--failure-page");
    await expect.poll(() => gateway.health(), WAIT).toBe(503);
    await bench.openFor(gateway.url);
    const { page } = bench;
    page.setDefaultTimeout(WAIT_MS_MAX);
    await page.goto(gateway.url);
    await page.getByRole("heading", { name: "Tidegate is not running" }).waitFor();
    await page.getByText('storage.qouta: unknown key; did you mean "quota"?').waitFor();
    await page.getByText("tidegate.yaml:5:").first().waitFor();
    expect(await page.content()).not.toContain("hunter2");
    expect(gateway.words).not.toContain("hunter2");
    const answersItself = (problem: string): boolean => problem.includes("status of 503");
    expect((await bench.inspect("failure")).filter((problem) => !answersItself(problem))).toEqual([]);
    writeFileSync(gateway.configFile, "version: 1\n  gateway: {");
    await page.getByText("tidegate.yaml:2:").first().waitFor();
    gateway.configure();
    await page.getByLabel("Administrator password").waitFor();
    expect(page.url()).toBe(`${gateway.url}/`);
    expect(await gateway.stop()).toBe(0);
    // The port is kept for a file that does not say it any more.
    writeFileSync(gateway.configFile, "version: 1\n  gateway: {");
    gateway.start("--failure-page");
    await expect.poll(() => gateway.health(), WAIT).toBe(503);
    expect(await gateway.stop()).toBe(78);
  });

  it("ends with 78 at once where nobody sits, and says the same to the service manager", async () => {
    gateway.configure("nonsense: 1");
    gateway.start();
    expect(await gateway.ends()).toBe(78);
    await expect.poll(() => gateway.words, WAIT).toContain("E_CONFIG_INVALID");
    expect(await gateway.health()).toBe(0);
  });

  it("is seen to be gone when it is killed, comes back by itself, and what was missed is filled in", async () => {
    gateway.start();
    await expect.poll(() => gateway.health(), WAIT).toBe(200);
    gateway.startDevices();
    await bench.openFor(gateway.url);
    const { page } = bench;
    page.setDefaultTimeout(WAIT_MS_MAX);
    await page.goto(await gateway.loginLink());
    await page.getByText("3 / 3").waitFor();
    await bench.visit("#/devices/greenhouse-1/charts?range=5m");
    await page.locator(".figure", { hasText: "Temperature" }).locator(".readout").getByText("last").waitFor();
    await gateway.kill();
    await page.getByText("Connection lost").waitFor();
    expect(await page.locator("main.old").count()).toBe(1);
    const killedAt = Date.now();
    // Away for longer than one reading takes: there is something to fill in.
    await expect.poll(() => Date.now() - killedAt, WAIT).toBeGreaterThan(3000);
    gateway.start();
    await page.getByText("Connection lost").waitFor({ state: "detached" });
    await expect.poll(() => readingsSince(killedAt, gateway), WAIT).toBeGreaterThanOrEqual(3);
    await bench.visit("#/overview");
    await page.getByText("3 / 3").waitFor();
    expect(bench.problems.filter((problem) => !problem.includes("ERR_CONNECTION"))).toEqual([]);
  });
});

/** How many readings of the three seconds that the gateway was away it has now. */
async function readingsSince(killedAt: number, gateway: RealGateway): Promise<number> {
  const path = `/api/v1/devices/greenhouse-1/history?signal=temperature&from=${killedAt}&to=${killedAt + 3000}`;
  const { v } = (await gateway.ask("GET", path)) as { v: unknown[] }; // our own API
  return v.filter((value) => value !== null).length;
}
