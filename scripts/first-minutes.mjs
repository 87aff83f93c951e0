// The first five minutes of a newcomer, typed on a real terminal: `npm start`, the lines that are promised, the login
// link in a browser, live values and charts, a command that is applied, Ctrl-C, and nobody left behind.
//
//   node scripts/first-minutes.mjs         in a fresh clone it installs and builds first; needs chromium and python3
//
//   we ──keys──▶ python3 pty ──▶ npm start ──▶ gateway + three simulated devices ──▶ chromium

import { spawn } from "node:child_process";
import { launch } from "./node-version.mjs";
import { formatDuration, ROOT } from "./workspace/report.mjs";
import { Trial } from "./workspace/trial.mjs";

/** A fresh clone installs and compiles first, on a slow machine. */
const READY_MS_MAX = 15 * 60_000;
const WAIT_MS_MAX = 60_000;
const CTRL_C = "\u0003";

/** What the first screen promises, in this order. */
const PROMISED = [
  /^ {2}tidegate \d+\.\d+\.\d+ · node \d+\.\d+\.\d+ · sqlite 3\.\d+/m,
  /^ {2}devices {4}wss:\/\/\S+:\d+\/v1\/device {3,}CA fingerprint (?:[0-9A-F]{2}:){3}/m,
  /^ {2}dashboard {2}http:\/\/127\.0\.0\.1:\d+\/login#\S+ {3,}open it: live charts, commands, backlog/m,
  /^ {2}sinks {6}none configured; telemetry is kept in \S+ \(add one to tidegate\.yaml\)/m,
  /^ {2}ready in \d+\.\d s/m,
];

/** Plays it; resolves with the exit code. */
export async function main() {
  const trial = new Trial();
  try {
    const startedAtMs = Date.now();
    const say = (text) => console.log(`  ${text} after ${formatDuration(Date.now() - startedAtMs)}`);
    typeNpmStart(trial);
    await trial.until("the first screen", READY_MS_MAX, () => PROMISED.at(-1).test(screen(trial)));
    const missing = PROMISED.filter((line) => !line.test(screen(trial)));
    if (missing.length > 0) throw trial.failure("the promised lines", `not printed: ${missing.join("  ")}`);
    say("ready, with every promised line,");
    await lookAround(/http:\S+\/login#\S+/.exec(screen(trial))[0]);
    say("live values, charts and an applied command");
    trial.child.stdin.write(CTRL_C);
    await trial.leave();
    say("ended by Ctrl-C, nobody left behind");
    return 0;
  } finally {
    trial.remove();
  }
}

/** `npm start` at a terminal: what we write to its stdin is typed, what it prints is the screen. */
function typeNpmStart(trial) {
  const typed = ["npm", "start", "--", "--config", trial.configFile];
  const terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  const child = spawn("python3", ["-c", terminal, ...typed], {
    cwd: ROOT,
    env: { ...trial.env, TERM: "xterm", COLUMNS: "200" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  trial.watch(child);
}

/** What stands on the screen, without colours. */
function screen(trial) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  return trial.output.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
}

async function lookAround(link) {
  // Only now: a fresh clone had no packages before `npm start` installed them.
  const { chromium } = await import("playwright-core");
  const { findCommand } = await import("./testing/requires.mjs");
  const browser = await chromium.launch({
    executablePath: findCommand("chromium") ?? "chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(WAIT_MS_MAX);
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    await page.goto(link);
    await page.getByText("3 / 3").waitFor();
    await changes(page, page.locator(".device", { hasText: "Greenhouse 1" }).locator(".values"));
    await page.getByRole("link", { name: "Greenhouse 1", exact: true }).click();
    await page.getByRole("link", { name: "Charts" }).click();
    await page.locator(".figure canvas").first().waitFor();
    const readout = page.locator(".figure", { hasText: "Temperature" }).locator(".readout");
    await readout.getByText("last").waitFor();
    await changes(page, readout);
    await page.getByRole("link", { name: "Live" }).click();
    const pump = page.locator(".control", { hasText: "pump" });
    await pump.getByRole("button", { name: "on" }).click();
    await pump.getByText("applied").waitFor();
    await pump.getByText("reported on").waitFor();
    if (problems.length > 0) throw new Error(problems.join("\n"));
  } finally {
    await browser.close();
  }
}

/** Waits until the text there is another one. */
async function changes(page, place) {
  const before = await place.textContent();
  const deadlineMs = Date.now() + WAIT_MS_MAX;
  while ((await place.textContent()) === before) {
    if (Date.now() > deadlineMs) throw new Error(`nothing changed in: ${before}`);
    await page.waitForTimeout(200);
  }
}

launch(async () => ({ main }));
