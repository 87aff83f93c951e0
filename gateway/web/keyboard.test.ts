/**
 * Every page of the dashboard with the keyboard alone, in a real browser over a fake gateway: Tab comes to everything one
 * can act on, one can see where it is, and on each page one control is worked by its key.
 */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { waveHistory } from "../src/admin/testing/wave-history.js";
import { BrowserBench, withBrowser } from "./testing/browser-bench.js";

/** More than any page has; a walk that does not come round ends here. */
const STOPS_MAX = 150;

/** Things to act on that are there to be seen and not switched off; of radio buttons only the chosen one is a stop. */
const ACTIONABLE = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.getClientRects().length > 0)
  .filter((one) => one.type !== "radio" || one.checked)`;
const NAME = `(one) => one.tagName.toLowerCase() + " " +
  (one.getAttribute("aria-label") ?? (one.textContent.trim() || one.id || one.name)).slice(0, 40)`;
/** Where the focus is: again at a stop, or a new one that can or cannot be seen. */
const STOP = `(() => {
  const one = document.activeElement;
  if (one === null || one === document.body || one === document.documentElement) return "nowhere";
  if (stops.has(one)) return "again";
  stops.add(one);
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
  const isSeen = (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  return isSeen ? "seen" : "no mark at " + (${NAME})(one);
})()`;

interface Visit {
  readonly hash: string;
  /** Text of the page that says it is there. */
  readonly shows: string;
  /** What is worked, with which key, and what shows that it was. */
  readonly control: string;
  readonly key: "Enter" | "Space";
  readonly leadsTo: string;
}

const VISITS: readonly Visit[] = [
  { hash: "#/overview", shows: ".device", control: ".device a", key: "Enter", leadsTo: "nav[aria-label^='Pages of']" },
  {
    hash: "#/devices",
    shows: "tbody tr",
    control: "button[aria-expanded]",
    key: "Space",
    leadsTo: "button[aria-expanded='true']",
  },
  {
    hash: "#/devices/attic-7/charts",
    shows: ".figure canvas",
    control: "button.chip:text('5 min')",
    key: "Space",
    leadsTo: "button.chip[aria-pressed='true']:text('5 min')",
  },
  {
    hash: "#/explore?signals=attic-7/temperature",
    shows: ".figure canvas",
    control: "button.chip:text('24 h')",
    key: "Enter",
    leadsTo: "button.chip[aria-pressed='true']:text('24 h')",
  },
  {
    hash: "#/sinks",
    shows: ".card",
    control: "button[aria-label='Pause broker'], button:text('Pause')",
    key: "Space",
    leadsTo: "button:text('Resume')",
  },
  { hash: "#/gaps", shows: "tbody tr", control: "tbody a", key: "Enter", leadsTo: "nav[aria-label^='Pages of']" },
  {
    hash: "#/serial",
    shows: ".card",
    control: ".card summary",
    key: "Space",
    leadsTo: ".card details[open]",
  },
  {
    hash: "#/logs",
    shows: ".entry",
    control: "button.chip:text('Pause')",
    key: "Space",
    leadsTo: "button.chip[aria-pressed='true']",
  },
  {
    hash: "#/settings",
    shows: "tbody tr",
    control: "button:text('Log out')",
    key: "Enter",
    leadsTo: "text=Administrator password",
  },
];

withBrowser.describe("the dashboard by keyboard", () => {
  const bench = new BrowserBench();
  beforeAll(() => bench.start());
  afterAll(() => bench.stop());
  afterEach(() => bench.close());

  /** Something on every page. */
  async function enter(): Promise<void> {
    await bench.open();
    const { host } = bench.t;
    host.historyOf = waveHistory;
    const line = { path: "/dev/ttyUSB1", baud: 115_200, trusted: false, state: "open" as const, device: "bed-1" };
    const counts = { messageCount: 9, noiseCount: 0, crcErrorCount: 0, droppedCount: 0, openCount: 1 };
    const chatter = [{ atUnixMs: Date.now(), text: "boot" }];
    host.serialNow = { lines: [{ ...line, ...counts, problem: null, chatter }], ports: [] };
    const range = { epoch: 77, fromSeq: 4, toSeq: 9, sink: null, atUnixMs: Date.now() };
    host.gapList = [{ ...range, id: 1, device: "cellar", reason: "evicted" }];
    host.logRing.write(JSON.stringify({ level: 30, time: new Date().toISOString(), msg: "device online" }));
    await bench.logIn();
  }

  /** Tabs until it comes round; what it did not come to, and stops without a mark. */
  async function walk(): Promise<readonly string[]> {
    const { page } = bench;
    const problems: string[] = [];
    await page.evaluate("window.stops = new Set(); document.activeElement?.blur()");
    let stop = "";
    for (let i = 0; i < STOPS_MAX && stop !== "again"; i++) {
      await page.keyboard.press("Tab");
      stop = String(await page.evaluate(STOP));
      if (stop.startsWith("no mark")) problems.push(stop);
    }
    if (stop !== "again") problems.push("does not come round");
    const missed = await page.evaluate(`${ACTIONABLE}.filter((one) => !stops.has(one)).map(${NAME})`);
    return [...problems, ...(missed as string[]).map((name) => `never at ${name}`)];
  }

  it("comes to everything on every page, shows where it is, and works one control of each", async () => {
    await enter();
    const { page } = bench;
    const found: Record<string, readonly string[]> = {};
    for (const { hash, shows, control, key, leadsTo } of VISITS) {
      await bench.visit(hash);
      await page.locator(shows).first().waitFor();
      found[hash] = await walk();
      await page.locator(control).first().focus();
      await page.keyboard.press(key);
      await page.locator(leadsTo).first().waitFor();
    }
    expect(found).toEqual(Object.fromEntries(VISITS.map(({ hash }) => [hash, []])));
    expect(bench.problems).toEqual([]);
  });
});
