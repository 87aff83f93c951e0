/**
 * `tidegate-sim run`, also reached as `tidegate sim`: virtual devices and emulated boards against a gateway, until it
 * is told to stop or its time is over; then what became of every message.
 */
import type { Clock } from "@tidegate/device-sdk";
import { AdminClient } from "../admin-client.js";
import { BoardFleet, type WantedBoard } from "../boards/board-fleet.js";
import type { BoardKind } from "../boards/board-kind.js";
import { buildImages } from "../boards/images.js";
import { type Credential, CredentialStore } from "../credential.js";
import { enrol, type WantedDevice } from "../enrol.js";
import type { FaultKind } from "../faults/schedule.js";
import { type LaunchedFleet, launch } from "../launch.js";
import { FileLedger } from "../ledger.js";
import { addTally, NO_TALLY } from "../tally.js";
import type { RunIo, RunOptions } from "./run-options.js";
import { listenForStop } from "./stop-wish.js";
import { type Output, type Summary, statusText, summaryText, troubleText } from "./terminal.js";

const STATUS_EVERY_MS = 1_000;
/** How long a device may wait for its last acks. */
const DRAIN_MS = 3_000;
const CLEAR_LINE = "\r\u001b[2K";

/** What runs: one fleet of each sort, either perhaps empty. */
interface Running {
  readonly virtual: LaunchedFleet;
  readonly boards: BoardFleet | null;
}

/** Run a fleet. @returns 0; 1 when its time was over before every device had been online @throws SimError */
export async function runFleet(options: RunOptions, io: RunIo): Promise<number> {
  const ledger = options.ledgerFile === null ? null : new FileLedger(options.ledgerFile, () => io.clock.unixMs());
  // Before the clock of --duration runs: a cold build takes a while.
  const builds = await buildFor(options, io);
  const wish = listenForStop(io.clock, options.durationMs);
  try {
    const credentials = await Promise.race([credentialsFor(options), wish.promise.then(() => null)]);
    if (credentials === null) return 0;
    const startedMs = io.clock.monoMs();
    const running = await start(options, { credentials, builds, ledger, io });
    const status = showStatus(running, options, io);
    const why = await wish.promise;
    status.stop();
    await Promise.all([running.virtual.stop(DRAIN_MS), running.boards?.stop()]);
    const summary = summaryOf(running, options, io.clock.monoMs() - startedMs);
    io.out.write(options.json ? `${JSON.stringify(summary)}\n` : summaryText(summary));
    return why === "planned" && summary.everOnline < summary.devices ? 1 : 0;
  } finally {
    wish.forget();
    ledger?.close();
  }
}

/** The virtual devices' first, then the boards'. */
async function credentialsFor(options: RunOptions): Promise<Credential[]> {
  const { gateway, credentialsDir } = options;
  const store = credentialsDir === null ? null : new CredentialStore(credentialsDir);
  const wanted = [...wantedDevices(options), ...wantedBoards(options).map(({ device }) => device)];
  return enrol(new AdminClient(gateway), wanted, { store, gatewayId: gateway.gatewayId });
}

function wantedDevices({ devices, prefix }: RunOptions): WantedDevice[] {
  return Array.from({ length: devices }, (_, index) => {
    const number = String(index + 1).padStart(4, "0");
    return { id: `${prefix}-${number}`, name: `Simulated ${prefix} ${index + 1}` };
  });
}

function wantedBoards({ boards, prefix }: RunOptions): { kind: WantedBoard["kind"]; device: WantedDevice }[] {
  if (boards === null) return [];
  return boards.kinds.flatMap((kind) =>
    Array.from({ length: boards.perKind }, (_, index) => ({
      kind,
      // Short: a small board has 31 characters for it.
      device: {
        id: `${prefix}-${kind.name}-${index + 1}`,
        name: `Emulated ${kind.name} ${index + 1}`,
        model: kind.model,
      },
    })),
  );
}

type Builds = ReadonlyMap<BoardKind, string>;

function buildFor({ boards, json }: RunOptions, io: RunIo): Promise<Builds> {
  if (boards === null) return Promise.resolve(new Map());
  if (!json) io.err.write(`making the firmware of ${boards.kinds.map(({ name }) => name).join(", ")}\n`);
  return buildImages(boards.kinds, io.env["PATH"] ?? "");
}

interface StartNeeds {
  readonly credentials: readonly Credential[];
  readonly builds: Builds;
  readonly ledger: FileLedger | null;
  readonly io: RunIo;
}

async function start(options: RunOptions, { credentials, builds, ledger, io }: StartNeeds): Promise<Running> {
  let waitingFor = (options.devices > 0 ? 1 : 0) + (options.boards === null ? 0 : 1);
  const onReady = (): void => {
    waitingFor -= 1;
    if (waitingFor === 0) tellReady(options, credentials, io);
  };
  const own = credentials.slice(0, options.devices);
  const boards = await startBoards(options, {
    credentials: credentials.slice(options.devices),
    ...{ builds, io, onReady },
  });
  try {
    return { virtual: await launchFor(options, { credentials: own, builds, ledger, io, onReady }), boards };
  } catch (error) {
    await boards?.stop();
    throw error;
  }
}

function tellReady({ json }: RunOptions, credentials: readonly Credential[], { out }: RunIo): void {
  if (!json && out.isTTY !== true) out.write(`all ${credentials.length} devices are online\n`);
  if (process.connected) process.send?.({ type: "ready", devices: credentials.map(({ deviceId }) => deviceId) });
}

async function startBoards(
  options: RunOptions,
  { credentials, builds, io, onReady }: Omit<StartNeeds, "ledger"> & { onReady: () => void },
): Promise<BoardFleet | null> {
  const { boards: wish, seed, intervalMs, plan } = options;
  if (wish === null) return null;
  const kinds = wantedBoards(options).map(({ kind }) => kind);
  return BoardFleet.start({
    boards: credentials.flatMap((credential, index) => {
      const kind = kinds[index];
      return kind === undefined ? [] : [{ kind, credential }];
    }),
    ...{ dataDir: wish.dataDir, rates: wish.rates, builds, intervalMs, seed, plan, onReady },
    devicesUrl: options.gateway.devicesUrl,
    clock: io.clock,
    path: io.env["PATH"] ?? "",
    onTrouble: (detail) => io.err.write(troubleText(detail)),
  });
}

function launchFor(
  options: RunOptions,
  { credentials, ledger, io, onReady }: StartNeeds & { onReady: () => void },
): Promise<LaunchedFleet> {
  const { seed, intervalMs, connectsPerS, plan, clockSkewMs, slowLinkBytesPerS, outboxDir } = options;
  return launch({
    credentials,
    devicesUrl: options.gateway.devicesUrl,
    ...{ seed, intervalMs, connectsPerS, plan, clockSkewMs, slowLinkBytesPerS, outboxDir, ledger },
    clock: io.clock,
    onTrouble: (detail) => io.err.write(troubleText(detail)),
    onReady,
  });
}

function showStatus({ virtual, boards }: Running, { json }: RunOptions, io: RunIo): { stop(): void } {
  if (json || io.out.isTTY !== true) return { stop: () => {} };
  return repeat(io.clock, io.out, () => {
    const online = virtual.fleet.online + (boards?.online ?? 0);
    const count = virtual.fleet.devices.length + (boards?.boards.length ?? 0);
    return statusText(online, count, addTally(virtual.fleet.tally, boards?.tally ?? NO_TALLY));
  });
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

function summaryOf({ virtual, boards }: Running, options: RunOptions, elapsedMs: number): Summary {
  const { fleet } = virtual;
  const faults: Record<FaultKind, number> = virtual.faultCounts();
  const onBoards = boards?.faultCounts();
  if (onBoards !== undefined) {
    for (const kind of ["drop-link", "reboot", "half-open"] as const) faults[kind] += onBoards[kind];
  }
  return {
    devices: options.devices + (boards?.boards.length ?? 0),
    everOnline: fleet.everOnline + (boards?.everOnline ?? 0),
    seed: options.seed,
    elapsedMs: Math.round(elapsedMs),
    ...addTally(fleet.tally, boards?.tally ?? NO_TALLY),
    faults,
    ...(boards === null ? {} : { boards: boards.boards.length, lineErrors: boards.lineErrors }),
    losses: fleet.losses,
    troubles: fleet.troubleCount + (boards?.troubleCount ?? 0),
  };
}
