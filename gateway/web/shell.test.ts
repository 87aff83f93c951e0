/**
 * The frame of the dashboard in a real browser over a fake gateway: log in, first run, live values, the way between
 * pages, and a connection that is lost and comes back.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { offline } from "../src/admin/testing/fake-host.js";
import { BrowserBench, NARROW, withBrowser } from "./testing/browser-bench.js";

withBrowser.describe("the frame of the dashboard", () => {
  const bench = new BrowserBench();
  beforeAll(() => bench.start());
  afterAll(() => bench.stop());
  afterEach(() => bench.close());

  it("logs in by link, once, and leaves no code in the address", async () => {
    await bench.open();
    const link = bench.t.server.loginLink();
    await bench.page.goto(link);
    await bench.page.getByRole("heading", { name: "Devices" }).waitFor();
    expect(bench.page.url()).toBe(`${bench.t.url}/`);
    const second = await (await bench.browser.newContext()).newPage();
    await second.goto(link);
    await second.getByText("used already").waitFor();
    expect(second.url()).toBe(`${bench.t.url}/login`);
    await second.context().close();
    expect(bench.problems).toEqual([]);
  });

  it("sets a password at the first run, and logs in with it afterwards", async () => {
    await bench.open({ isNew: true });
    const { page, t } = bench;
    await page.goto(t.server.loginLink());
    await page.getByRole("link", { name: "set one" }).click();
    await page.getByRole("heading", { name: "Welcome to attic-pi" }).waitFor();
    expect(await bench.inspect("welcome")).toEqual([]);
    await page.getByLabel("New password", { exact: true }).fill("correct horse battery");
    await page.getByLabel("The new password again").fill("another horse");
    await page.getByRole("button", { name: "Set password" }).click();
    await page.getByText("differ").waitFor();
    await page.getByLabel("The new password again").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Devices" }).waitFor();
    expect(bench.problems).toEqual([]);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Administrator password").fill("wrong password");
    await page.keyboard.press("Enter");
    await page.getByText("The password is wrong").waitFor();
    expect(await bench.seriousProblems()).toEqual([]);
    await bench.screenshot("login");
    await page.getByLabel("Administrator password").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Devices" }).waitFor();
  });

  it("shows devices first to whoever comes by link, and goes on without a password", async () => {
    await bench.open({ isNew: true });
    await bench.page.goto(bench.t.server.loginLink());
    await bench.page.getByRole("heading", { name: "Devices" }).waitFor();
    await bench.page.getByText("No password is set").waitFor();
    await bench.page.getByRole("link", { name: "set one" }).click();
    await bench.page.getByRole("link", { name: "Not now" }).click();
    await bench.page.getByRole("heading", { name: "Devices" }).waitFor();
  });

  it("shows numbers, what needs attention, and three devices that follow values and presence", async () => {
    await bench.open();
    await bench.logIn();
    const { page, t } = bench;
    expect(await page.locator(".device").count()).toBe(3);
    await page.getByText("3 / 3").waitFor();
    await page.getByText("Backlog of broker").waitFor();
    await page.getByText("31 h").waitFor();
    await page.getByText("121 KiB").waitFor();
    t.host.report("attic-7", { temperature: 22.5 });
    await page.getByText("22.5").waitFor();
    expect(await page.locator(".device", { hasText: "Attic" }).locator(".unit").first().textContent()).toBe("°C");
    t.host.setPresence("cellar", offline());
    await page.locator(".device", { hasText: "Cellar" }).getByText("offline").waitFor();
    await page.locator(".attention").getByText("Offline: Cellar").waitFor();
    expect(await bench.inspect("overview")).toEqual([]);
  });

  it("draws the rate of the minutes before the page was opened", async () => {
    await bench.open();
    bench.t.host.ackedPerSecond = Array.from({ length: 100 }, (_, i) => i % 7);
    await bench.logIn();
    const line = bench.page.getByRole("img", { name: "Messages a second" }).locator("path");
    await expect.poll(async () => (await line.getAttribute("d"))?.split("L").length).toBeGreaterThan(20);
  });

  it("goes from page to page by keyboard, and an address opens its page again", async () => {
    await bench.open();
    await bench.logIn();
    const { page } = bench;
    await page.getByRole("link", { name: "Sinks" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Sinks" }).waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.reload();
    await page.getByRole("heading", { name: "Sinks" }).waitFor();
    await page.goBack();
    await page.getByRole("heading", { name: "Devices" }).waitFor();
    await page.setViewportSize(NARROW);
    await page.getByRole("link", { name: "Gaps" }).click();
    await page.getByRole("heading", { name: "Gaps" }).waitFor();
  });

  it("shows hostile names and texts as text", async () => {
    await bench.open();
    const evil = '<img src=x onerror="document.title=1"><script>1</script>';
    await bench.t.host.devices.rename("attic-7", evil);
    bench.t.host.report("bed-1", { door: evil });
    await bench.logIn();
    const { page } = bench;
    await page.getByRole("heading", { name: evil }).waitFor();
    expect(await page.locator(".values").getByText(evil).count()).toBe(1);
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(await page.title()).toBe("Tidegate");
  });

  it("says when the connection is lost, heals by itself, and loses nothing", async () => {
    await bench.open();
    await bench.logIn();
    const { page, t } = bench;
    const context = page.context();
    await context.setOffline(true);
    t.server.feed.stop();
    await page.getByText("Connection lost").waitFor();
    await bench.screenshot("lost");
    expect(await bench.seriousProblems()).toEqual([]);
    await t.server.feed.start();
    t.host.report("attic-7", { temperature: 23.75 });
    await context.setOffline(false);
    await page.getByText("Connection lost").waitFor({ state: "detached" });
    await page.getByText("23.75").waitFor();
  });

  it("goes to the login page when the session ended, and logs out", async () => {
    await bench.open();
    await bench.logIn();
    await bench.page.getByRole("button", { name: "Log out" }).click();
    await bench.page.getByLabel("Administrator password").waitFor();
    expect((await bench.page.context().cookies()).filter((cookie) => cookie.value !== "")).toEqual([]);
  });
});
