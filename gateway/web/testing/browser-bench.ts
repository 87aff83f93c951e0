/**
 * A real browser over a fake gateway, for the tests of the dashboard. One browser for a file of tests, one gateway and
 * one page for a test; with TIDEGATE_SCREENSHOTS, pictures of every page go to that folder.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { vi } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { FakeHost } from "../../src/admin/testing/fake-host.js";
import { startTestServer, type TestServer } from "../../src/admin/testing/test-server.js";
// @ts-expect-error plain JavaScript without types
import { buildWeb } from "../build.mjs";

export const withBrowser = requires("chromium");
export const WIDE = { width: 1200, height: 800 };
/** A browser on a loaded machine is slow. Waits end before the test, so that a failure says what was waited for. */
const WAIT_MS_MAX = 20_000;
const TEST_MS_MAX = 60_000;
export const NARROW = { width: 360, height: 740 };
// Here and not in a hook: a test takes its limit when it is declared.
vi.setConfig({ testTimeout: TEST_MS_MAX });
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface OpenOptions {
  readonly colorScheme?: "light" | "dark";
  readonly size?: typeof WIDE;
  /** Is an administrator's password set? Yes unless told. */
  readonly isNew?: boolean;
}

/** `start` once, `open` in each test, `close` after each, `stop` at the end. */
export class BrowserBench {
  readonly #folder = mkdtempSync(join(tmpdir(), "tidegate-web-"));
  /** Null: none are taken, which saves half of the time. */
  readonly #screenshots = process.env["TIDEGATE_SCREENSHOTS"] ?? null;
  /** Errors of the page and requests that left the gateway. */
  readonly problems: string[] = [];
  #browser: Browser | null = null;
  #server: TestServer | null = null;
  #page: Page | null = null;

  get t(): TestServer {
    if (this.#server === null) throw new Error("open first");
    return this.#server;
  }

  get page(): Page {
    if (this.#page === null) throw new Error("open first");
    return this.#page;
  }

  get browser(): Browser {
    if (this.#browser === null) throw new Error("start first");
    return this.#browser;
  }

  async start(): Promise<void> {
    if (this.#screenshots !== null) mkdirSync(this.#screenshots, { recursive: true });
    await buildWeb(join(this.#folder, "web"));
    this.#browser = await chromium.launch({
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
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A gateway with three devices that have said something, and an empty page that watches itself. */
  async open(options: OpenOptions = {}): Promise<void> {
    this.problems.length = 0;
    const host = new FakeHost(Date.now());
    if (options.isNew !== true) host.passwordHash = "set";
    const webDir = join(this.#folder, "web");
    this.#server = await startTestServer({ webDir, liveLimits: { statusMs: 300, beatMs: 500 } }, host);
    host.report("attic-7", { temperature: 21.4 });
    host.report("bed-1", { temperature: 18.25 });
    host.report("bed-1", { door: "closed" }, "");
    host.report("cellar", { temperature: 11 });
    const context = await this.browser.newContext({
      viewport: options.size ?? WIDE,
      colorScheme: options.colorScheme ?? "light",
    });
    this.#page = await context.newPage();
    this.#page.setDefaultTimeout(WAIT_MS_MAX);
    this.#watch(this.#page, this.t.url);
  }

  /** An empty page for another gateway, the real one say; it watches itself, too. */
  async openFor(url: string): Promise<void> {
    this.problems.length = 0;
    this.#page = await (await this.browser.newContext({ viewport: WIDE, colorScheme: "light" })).newPage();
    this.#page.setDefaultTimeout(WAIT_MS_MAX);
    this.#watch(this.#page, url);
  }

  async close(): Promise<void> {
    await this.#page?.context().close();
    await this.#server?.stop();
    this.#page = null;
    this.#server = null;
  }

  /** Log in by link and wait for the first values. */
  async logIn(): Promise<void> {
    await this.page.goto(this.t.server.loginLink());
    await this.page.getByRole("heading", { name: "Devices" }).waitFor();
    await this.page.getByText("21.4").waitFor();
  }

  /** Go to a page by its address behind `#`. */
  async visit(hash: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  }

  /** What axe finds serious. The page's policy forbids injected scripts; the debugger's door is not bound by it. */
  async seriousProblems(rules: readonly string[] = []): Promise<string[]> {
    const options = rules.length === 0 ? {} : { runOnly: rules };
    const result = await this.page.evaluate(`${axeSource}; axe.run(document, ${JSON.stringify(options)})`);
    const { violations } = result as { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  }

  /** By how many pixels the page is wider than the screen. */
  async overflowPx(): Promise<number> {
    return Number(await this.page.evaluate("document.documentElement.scrollWidth - innerWidth"));
  }

  /**
   * Pictures in light, dark and at 360 px; what axe and the width say in each. Empty: all well.
   * @param name of the files
   */
  async inspect(name: string): Promise<string[]> {
    const found: string[] = [];
    for (const [suffix, colorScheme, size] of [
      ["light", "light", WIDE],
      ["dark", "dark", WIDE],
      ["narrow", "light", NARROW],
    ] as const) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.setViewportSize(size);
      await this.screenshot(`${name}-${suffix}`);
      // Only the colours differ in the dark.
      if (suffix === "light") found.push(...(await this.seriousProblems()));
      if (suffix === "dark") found.push(...(await this.seriousProblems(["color-contrast"])));
      if ((await this.overflowPx()) > 0) found.push(`${suffix}: wider than the screen`);
    }
    await this.page.setViewportSize(WIDE);
    return [...found, ...this.problems];
  }

  async screenshot(name: string): Promise<void> {
    if (this.#screenshots === null) return;
    await this.page.waitForTimeout(100); // for the picture only: charts are drawn anew
    await this.page.screenshot({ path: join(this.#screenshots, `${name}.png`), fullPage: true });
  }

  #watch(page: Page, url: string): void {
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("console", (line) => {
      if (line.type() === "error") this.problems.push(line.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith(`blob:${url}`)) {
        this.problems.push(`left the gateway: ${request.url()}`);
      }
    });
  }
}
