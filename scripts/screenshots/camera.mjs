// A browser that takes each page three times, and writes down what is wrong with it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { findCommand } from "../testing/requires.mjs";
import { Report } from "../workspace/report.mjs";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [
  ["light", { width: 1280, height: 800 }],
  ["dark", { width: 1280, height: 800 }],
  ["360", { width: 360, height: 740 }],
];
const WAIT_MS_MAX = 30_000;
/** Charts are drawn anew after a change of size or colours. */
const SETTLE_MS = 700;

/** One browser, one page. */
export class Camera {
  #out;
  #browser;
  #page;
  #isIn = false;
  findings = [];
  count = 0;

  constructor(out, browser, page) {
    this.#out = out;
    this.#browser = browser;
    this.#page = page;
    page.setDefaultTimeout(WAIT_MS_MAX);
    page.on("pageerror", (error) => this.findings.push(String(error)));
  }

  static async open(out) {
    const executablePath = findCommand("chromium");
    if (executablePath === null) {
      throw new Report({
        what: "there is no browser",
        why: "the pictures are taken with Chromium",
        action: "apt-get install chromium",
      });
    }
    const browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"],
    });
    return new Camera(out, browser, await browser.newPage({ viewport: VIEWS[0][1], timezoneId: "Europe/Berlin" }));
  }

  get page() {
    return this.#page;
  }

  async close() {
    await this.#browser.close();
  }

  /** Go there, prepare it, and take it in light, dark and narrow. */
  async take({ name, hash, prepare, isLoggedOut = false }, stage) {
    const page = this.#page;
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(VIEWS[0][1]);
    if (!isLoggedOut && !this.#isIn) await this.#logIn(stage);
    if (hash !== undefined) await page.evaluate((to) => location.assign(to), hash);
    await prepare(page, stage);
    for (const [view, size] of VIEWS) {
      await page.emulateMedia({ colorScheme: view === "dark" ? "dark" : "light" });
      await page.setViewportSize(size);
      await page.waitForTimeout(SETTLE_MS);
      await page.screenshot({ path: join(this.#out, `${name}-${view}.png`), fullPage: true });
      this.count += 1;
      await this.#inspect(`${name}-${view}`, stage.url);
    }
  }

  async #logIn(stage) {
    await this.#page.goto(await stage.loginLink());
    await this.#page.getByRole("heading", { name: "Devices" }).waitFor();
    this.#isIn = true;
  }

  async #inspect(name, url) {
    const page = this.#page;
    const { violations } = await page.evaluate(`${axeSource}; axe.run(document)`);
    for (const { id, impact, nodes } of violations) {
      if (impact === "serious" || impact === "critical") this.findings.push(`${name}: ${id} ${nodes[0]?.html}`);
    }
    const overflowPx = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
    if (overflowPx > 0) this.findings.push(`${name}: ${overflowPx} px wider than the screen`);
    const foreign = await page.evaluate(
      (own) =>
        performance
          .getEntriesByType("resource")
          .filter((entry) => !entry.name.startsWith(own))
          .map((e) => e.name),
      url,
    );
    for (const address of foreign) this.findings.push(`${name}: fetched ${address}`);
  }
}
