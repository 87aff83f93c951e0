// `npm run noise`: firmware images on emulated boards, on lines that hit bytes, through the real gateway and a real
// Mosquitto, at full length; every reading and every command accounted for. `npm test` runs a few seconds of the same.
//
//   npm run noise [-- --seconds 60] [--boards microbit,uno] [--shares 0.1%,1%] [--seed 7]
//
// Exit 1 when a reading is absent that no gap lists, a gap is listed that nothing is absent in, a command ran twice,
// or, at 0.1 % and below, anything was lost at all.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SystemClock } from "@tidegate/device-sdk";
import { boardKind, buildImages, proveNoise } from "@tidegate/firmware-sim";
import { findCommand } from "./testing/requires.mjs";

/** Up to here the targets promise that nothing is lost. */
const LOSSLESS_SHARE = 0.001;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    boards: { type: "string", default: "microbit,uno" },
    shares: { type: "string", default: "0.1%,1%" },
    seed: { type: "string", default: "7" },
  },
});

const kinds = values.boards.split(",").map(boardKind);
const shares = values.shares.split(",").map((text) => Number.parseFloat(text) / 100);
const broker = { mosquitto: findCommand("mosquitto"), mosquittoSub: findCommand("mosquitto_sub") };
if (broker.mosquitto === null || broker.mosquittoSub === null) {
  console.error("error: a program is missing\n  why: this needs a broker and a subscriber");
  console.error("  do:  apt-get install mosquitto mosquitto-clients");
  process.exit(2);
}

const dir = mkdtempSync(join(tmpdir(), "tidegate-noise-"));
try {
  const builds = await buildImages(kinds, process.env.PATH ?? "");
  const verdicts = await proveNoise({
    cases: shares.flatMap((byteErrors) => kinds.map((kind) => ({ kind, byteErrors }))),
    ...{ builds, dir, broker, clock: new SystemClock(), path: process.env.PATH ?? "" },
    noiseMs: Number(values.seconds) * 1000,
    seed: Number(values.seed),
  });
  for (const verdict of verdicts) report(verdict);
  process.exitCode = verdicts.every((verdict) => faultsOf(verdict).length === 0) ? 0 : 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function faultsOf({ byteErrors, account, commands, faults }) {
  if (byteErrors > LOSSLESS_SHARE || (account.absent === 0 && commands.succeeded === commands.sent)) return faults;
  return [
    ...faults,
    `${account.absent} readings lost and ${commands.sent - commands.succeeded} commands without a result`,
  ];
}

function report(verdict) {
  const { board, byteErrors, bytesHit, account, commands } = verdict;
  const { arrived, absent, listed, executed } = account;
  const { sent, succeeded, expired, unknown } = commands;
  console.log(
    `${board.padEnd(12)} ${(byteErrors * 100).toFixed(1)} %  hit ${bytesHit} bytes` +
      ` | readings ${arrived} arrived, ${absent} absent, ${listed} listed` +
      ` | commands ${sent} sent, ${succeeded} succeeded, ${expired} too late, ${unknown} unknown; ${executed} executed`,
  );
  for (const fault of faultsOf(verdict)) console.log(`  ! ${fault}`);
}
