// Pictures of emulated boards on the dashboard, beside virtual devices: the list, one board, the serial lines.
//
//   node scripts/screenshots/boards.mjs --out FOLDER [--boards microbit,mps2,uno,mega,native]
//
// Needs `npm run build`, chromium, and what the boards need; see firmware-sim/README.md. With `ethernet` among them all
// lines are good.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { Child, pause, until } from "../../firmware-sim/dist/rehearse/child.js";
import { GatewayProcess } from "../../firmware-sim/dist/rehearse/gateway-process.js";
import { findCommand } from "../testing/requires.mjs";
import { inRoot } from "../workspace/report.mjs";

/** Charts and rates need something to show. */
const HISTORY_MS = 20_000;
/** A first build of lwIP and mbedTLS included. */
const READY_MS_MAX = 400_000;

const { values } = parseArgs({
  options: {
    out: { type: "string", default: "." },
    boards: { type: "string", default: "microbit,mps2,uno,mega,native" },
  },
});
const out = resolve(values.out);
const dir = mkdtempSync(join(tmpdir(), "tidegate-boards-picture-"));
mkdirSync(out, { recursive: true });
const gateway = await GatewayProcess.start({ dir });
const sim = new Child(process.execPath, [
  ...[inRoot("firmware-sim/bin/tidegate-sim.js"), "run", "--data-dir", gateway.dataDir],
  ...["--devices", "3", "--board", values.boards, "--rate", "2"],
  ...(values.boards.includes("ethernet") ? [] : ["--byte-errors", "0.1%"]),
]);
try {
  await until("all are online", () => sim.words.includes("are online"), READY_MS_MAX);
  await pause(HISTORY_MS);
  await takePictures();
} finally {
  await sim.stop();
  await gateway.stop();
  rmSync(dir, { recursive: true, force: true });
}

async function takePictures() {
  const { body } = await gateway.call("POST", "/api/v1/login-codes");
  const browser = await chromium.launch({
    executablePath: findCommand("chromium") ?? undefined,
    args: ["--no-sandbox"],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  try {
    await page.goto(`${gateway.adminUrl}${body.path}`);
    await page.waitForURL((at) => !at.pathname.startsWith("/login"));
    for (const [name, hash] of [
      ["boards-devices", "#/devices"],
      ["boards-one", `#/devices/sim-${values.boards.split(",")[0]}-1`],
      ["boards-serial", "#/serial"],
    ]) {
      await page.goto(`${gateway.adminUrl}/${hash}`);
      await page.waitForTimeout(3_000);
      await page.screenshot({ path: join(out, `${name}.png`) });
      console.log(`  ${join(out, `${name}.png`)}`);
    }
  } finally {
    await browser.close();
  }
}
