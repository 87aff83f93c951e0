// Pictures of every page of the dashboard, in light, in dark and on a phone, of the real thing: a gateway, Mosquitto,
// and simulated devices with a day behind them and some trouble (a gap, a paused sink, a device that is away, a serial
// line that cannot be opened).
//
//   node scripts/screenshots.mjs --out FOLDER [--only overview,charts]       needs `npm run build`, chromium, mosquitto
//
// Each page is looked at by axe-core and measured, too: exit code 1 when something serious is found, a page is wider
// than the phone, or anything is fetched from elsewhere.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { endAll, endOnSignals } from "./bench/harness/processes.mjs";
import { launch } from "./node-version.mjs";
import { Camera } from "./screenshots/camera.mjs";
import { PAGES } from "./screenshots/pages.mjs";
import { Stage } from "./screenshots/stage.mjs";
import { Report } from "./workspace/report.mjs";

/** Takes the pictures; resolves with the exit code. */
export async function main(args) {
  const { values } = parseArgs({ args, options: { out: { type: "string" }, only: { type: "string" } } });
  if (values.out === undefined) {
    throw new Report({
      what: "no folder was given",
      why: "the pictures have to go somewhere",
      action: "node scripts/screenshots.mjs --out FOLDER",
    });
  }
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "tidegate-pictures-"));
  const cleanUp = () => rmSync(folder, { recursive: true, force: true });
  endOnSignals(cleanUp);
  const wanted = values.only?.split(",") ?? null;
  const stage = new Stage(folder);
  const camera = await Camera.open(out);
  try {
    await stage.set();
    for (const page of PAGES) if (wanted === null || wanted.includes(page.name)) await camera.take(page, stage);
    for (const finding of camera.findings) console.log(`  finding  ${finding}`);
    console.log(`  ${camera.count} pictures in ${out}`);
    return camera.findings.length === 0 ? 0 : 1;
  } finally {
    await camera.close();
    await stage.strike();
    await endAll();
    cleanUp();
  }
}

launch(async () => ({ main }));
