/**
 * The page in a real browser over a fake gateway: log in by link, see devices live, send a command, lose the connection
 * and get it back. Screenshots go to a temporary folder, or to TIDEGATE_SCREENSHOTS.
 */
import { mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { FakeHost, offline } from "../src/admin/testing/fake-host.js";
import { startTestServer, type TestServer } from "../src/admin/testing/test-server.js";
// @ts-expect-error plain JavaScript without types
import { buildWeb } from "./build.mjs";

const withBrowser = requires("chromium");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "tidegate-web-"));
const screenshots = process.env["TIDEGATE_SCREENSHOTS"] ?? folder;
const WIDE = { width: 1200, height: 800 };
const NARROW = { width: 360, height: 740 };

withBrowser.describe("the live page", () => {
  let browser: Browser;
  let t: TestServer;
  let page: Page;
  const webDir = join(folder, "web");
  const problems: string[] = [];

  beforeAll(async () => {
    await buildWeb(webDir);
    browser = await chromium.launch({
      executablePath: withBrowser.path("chromium"),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await page?.context().close();
    await t?.stop();
  });

  async function open(
    options: { colorScheme?: "light" | "dark"; size?: typeof WIDE; port?: number } = {},
  ): Promise<void> {
    problems.length = 0;
    t = await startTestServer({ webDir, liveLimits: { statusMs: 300, beatMs: 500 } }, new FakeHost(Date.now()));
    t.host.report("attic-7", { temperature: 21.4 });
    t.host.report("bed-1", { temperature: 18.25 });
    t.host.report("bed-1", { door: "closed" }, "");
    t.host.report("cellar", { temperature: 11 });
    const context = await browser.newContext({
      viewport: options.size ?? WIDE,
      colorScheme: options.colorScheme ?? "light",
    });
    page = await context.newPage();
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (line) => {
      if (line.type() === "error") problems.push(line.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(t.url)) problems.push(`left the gateway: ${request.url()}`);
    });
  }

  async function logIn(): Promise<void> {
    await page.goto(t.server.loginLink());
    await page.getByRole("heading", { name: "Devices" }).waitFor();
    await page.getByText("21.4").waitFor();
  }

  async function seriousProblems(): Promise<string[]> {
    // The page's policy forbids injected scripts; the debugger's door is not bound by it.
    const result = await page.evaluate(`${axeSource}; axe.run(document)`);
    const { violations } = result as { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  }

  it("logs in by link, once, and leaves no code in the address", async () => {
    await open();
    const link = t.server.loginLink();
    await page.goto(link);
    await page.getByRole("heading", { name: "Devices" }).waitFor();
    expect(page.url()).toBe(`${t.url}/`);
    const second = await (await browser.newContext()).newPage();
    await second.goto(link);
    await second.getByText("used already").waitFor();
    expect(second.url()).toBe(`${t.url}/login`);
    await second.context().close();
    expect(problems).toEqual([]);
  });

  it("logs in by password, and says so when it is wrong", async () => {
    await open();
    await t.ask("PUT", "/api/v1/password", { body: { password: "correct horse battery" } });
    await page.goto(`${t.url}/`);
    await page.getByLabel("Administrator password").fill("wrong password");
    await page.keyboard.press("Enter");
    await page.getByText("The password is wrong").waitFor();
    expect(await seriousProblems()).toEqual([]);
    await page.screenshot({ path: join(screenshots, "login.png") });
    await page.getByLabel("Administrator password").fill("correct horse battery");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Devices" }).waitFor();
  });

  it("shows three devices live, with units and ages, and follows values and presence", async () => {
    await open();
    await logIn();
    expect(await page.locator(".device").count()).toBe(3);
    await page.getByText("3 / 3").waitFor();
    await page.getByText("Backlog of broker").waitFor();
    t.host.report("attic-7", { temperature: 22.5 });
    await page.getByText("22.5").waitFor();
    expect(await page.locator(".device", { hasText: "Attic" }).locator(".unit").first().textContent()).toBe("°C");
    t.host.setPresence("cellar", offline());
    await page.locator(".device", { hasText: "Cellar" }).getByText("offline").waitFor();
    await page.screenshot({ path: join(screenshots, "light.png"), fullPage: true });
    expect(await seriousProblems()).toEqual([]);
    expect(problems).toEqual([]);
  });

  it("sends a command with the keyboard alone and shows pending, then applied", async () => {
    await open();
    await logIn();
    await page.getByRole("button", { name: "Command attic-7" }).focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.type('{"seconds": 5');
    await page.keyboard.press("Enter");
    await page.getByText("not JSON").waitFor();
    await page.keyboard.type("}");
    await page.keyboard.press("Enter");
    const line = page.locator(".command-line");
    await line.getByText("pending: waits for the device").waitFor();
    expect(t.host.calls).toContain('submit attic-7 pump {"seconds":5} dashboard');
    const [id = ""] = t.host.commandList.keys();
    t.host.moveCommand(id, "started");
    await line.getByText("pending: running").waitFor();
    t.host.moveCommand(id, "succeeded", '{"litres":2}');
    await line.getByText("applied").waitFor();
    await line.getByText('{"litres":2}').waitFor();
    await page.screenshot({ path: join(screenshots, "command.png"), fullPage: true });
    expect(await seriousProblems()).toEqual([]);
  });

  it("shows hostile names and texts as text", async () => {
    await open();
    const evil = '<img src=x onerror="document.title=1"><script>1</script>';
    await t.host.devices.rename("attic-7", evil);
    t.host.report("bed-1", { door: evil });
    await logIn();
    await page.getByRole("heading", { name: evil }).waitFor();
    expect(await page.locator(".values").getByText(evil).count()).toBe(1);
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(await page.title()).toBe("Tidegate");
  });

  it("says when the connection is lost, heals by itself, and loses nothing", async () => {
    await open();
    await logIn();
    const context = page.context();
    await context.setOffline(true);
    t.server.feed.stop();
    await page.getByText("Connection lost").waitFor();
    await page.screenshot({ path: join(screenshots, "lost.png"), fullPage: true });
    expect(await seriousProblems()).toEqual([]);
    await t.server.feed.start();
    t.host.report("attic-7", { temperature: 23.75 });
    await context.setOffline(false);
    await page.getByText("Connection lost").waitFor({ state: "detached" });
    await page.getByText("23.75").waitFor();
  });

  it("goes to the login page when the session ended, and logs out", async () => {
    await open();
    await logIn();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Administrator password").waitFor();
    expect((await page.context().cookies()).filter((cookie) => cookie.value !== "")).toEqual([]);
  });

  it("is usable at 360 px and in the dark", async () => {
    await open({ colorScheme: "dark", size: NARROW });
    await logIn();
    await page.getByRole("button", { name: "Command bed-1" }).click();
    await page.screenshot({ path: join(screenshots, "narrow-dark.png"), fullPage: true });
    const overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await seriousProblems()).toEqual([]);
    await page.setViewportSize(WIDE);
    await page.screenshot({ path: join(screenshots, "dark.png"), fullPage: true });
  });
});
