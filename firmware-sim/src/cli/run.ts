/**
 * `tidegate-sim run`, also reached as `tidegate sim`: a fleet against a gateway, until it is told to stop or its time
 * is over; then what became of every message.
 */
import type { Clock } from "@tidegate/device-sdk";
import { AdminClient } from "../admin-client.js";
import { type Credential, CredentialStore } from "../credential.js";
import { enrol } from "../enrol.js";
import type { FaultKind } from "../faults/schedule.js";
import { type LaunchedFleet, launch } from "../launch.js";
import { FileLedger } from "../ledger.js";
import type { RunIo, RunOptions } from "./run-options.js";
import { listenForStop } from "./stop-wish.js";
import { type Output, type Summary, statusText, summaryText, troubleText } from "./terminal.js";

const STATUS_EVERY_MS = 1_000;
/** How long a device may wait for its last acks. */
const DRAIN_MS = 3_000;
const CLEAR_LINE = "\r\u001b[2K";

/** Run a fleet. @returns 0; 1 when its time was over before every device had been online @throws SimError */
export async function runFleet(options: RunOptions, io: RunIo): Promise<number> {
  const ledger = options.ledgerFile === null ? null : new FileLedger(options.ledgerFile, () => io.clock.unixMs());
  const wish = listenForStop(io.clock, options.durationMs);
  try {
    const credentials = await Promise.race([credentialsFor(options), wish.promise.then(() => null)]);
    if (credentials === null) return 0;
    const startedMs = io.clock.monoMs();
    const launched = await launchFor(options, { credentials, ledger, io });
    const status = showStatus(launched, options, io);
    const why = await wish.promise;
    status.stop();
    await launched.stop(DRAIN_MS);
    const summary = summaryOf(launched, options, io.clock.monoMs() - startedMs);
    io.out.write(options.json ? `${JSON.stringify(summary)}\n` : summaryText(summary));
    return why === "planned" && summary.everOnline < summary.devices ? 1 : 0;
  } finally {
    wish.forget();
    ledger?.close();
  }
}

async function credentialsFor({ gateway, credentialsDir, devices, prefix }: RunOptions): Promise<Credential[]> {
  const wanted = Array.from({ length: devices }, (_, index) => {
    const number = String(index + 1).padStart(4, "0");
    return { id: `${prefix}-${number}`, name: `Simulated ${prefix} ${index + 1}` };
  });
  const store = credentialsDir === null ? null : new CredentialStore(credentialsDir);
  return enrol(new AdminClient(gateway), wanted, { store, gatewayId: gateway.gatewayId });
}

function launchFor(
  options: RunOptions,
  { credentials, ledger, io }: { credentials: readonly Credential[]; ledger: FileLedger | null; io: RunIo },
): Promise<LaunchedFleet> {
  const { seed, intervalMs, connectsPerS, plan, clockSkewMs, slowLinkBytesPerS, outboxDir, json } = options;
  return launch({
    credentials,
    devicesUrl: options.gateway.devicesUrl,
    ...{ seed, intervalMs, connectsPerS, plan, clockSkewMs, slowLinkBytesPerS, outboxDir, ledger },
    clock: io.clock,
    onTrouble: (detail) => io.err.write(troubleText(detail)),
    onReady: () => {
      if (!json && io.out.isTTY !== true) io.out.write(`all ${credentials.length} devices are online\n`);
      if (process.connected) process.send?.({ type: "ready", devices: credentials.map(({ deviceId }) => deviceId) });
    },
  });
}

function showStatus({ fleet }: LaunchedFleet, { json }: RunOptions, io: RunIo): { stop(): void } {
  if (json || io.out.isTTY !== true) return { stop: () => {} };
  return repeat(io.clock, io.out, () => statusText(fleet.online, fleet.devices.length, fleet.tally));
}

function repeat(clock: Clock, out: Output, text: () => string): { stop(): void } {
  let cancel: () => void = () => {};
  const show = (): void => {
    out.write(CLEAR_LINE + text());
    cancel = clock.after(STATUS_EVERY_MS, show);
  };
  show();
  return {
    stop: () => {
      cancel();
      out.write(CLEAR_LINE);
    },
  };
}

function summaryOf({ fleet, faultCounts }: LaunchedFleet, options: RunOptions, elapsedMs: number): Summary {
  const faults: Record<FaultKind, number> = faultCounts();
  return {
    devices: options.devices,
    everOnline: fleet.everOnline,
    seed: options.seed,
    elapsedMs: Math.round(elapsedMs),
    ...fleet.tally,
    faults,
    losses: fleet.losses,
    troubles: fleet.troubleCount,
  };
}
