/**
 * The whole examination: load the configuration, look at everything at once, judge. Edge room `cli`.
 *
 *   configuration ─▶ gateway.json ─▶ /healthz, sinks ─┐
 *   node, database, clock, folder, ports, … ──────────┴─▶ checks in the order of the report
 *
 * No check takes longer than CHECK_MS_MAX, whatever hangs: a DNS server, a disk, a gateway.
 */
import { resolve } from "node:path";
import type { Config } from "../../config/config.js";
import { loadConfig } from "../../config/load.js";
import type { Clock } from "../../core/clock.js";
import { asGatewayError } from "../../core/errors.js";
import type { CliContext } from "../context.js";
import { askHealth, askSinks } from "./ask-gateway.js";
import { certificateCheck } from "./certificate-check.js";
import { type Check, skipped, warn } from "./check.js";
import { diskCheck, folderCheck, spaceCheck } from "./disk-checks.js";
import type { GatewayFileFacts, HealthFacts, RunningFacts, SinkReport } from "./facts.js";
import { type ConfigOutcome, configurationCheck, portCheck, runningCheck, tokenCheck } from "./gateway-checks.js";
import { clockCheck, databaseCheck, nodeCheck } from "./machine-checks.js";
import type { Probes } from "./probes.js";
import { noSerialCheck, serialCheck } from "./serial-check.js";
import { sinkCheck } from "./sink-check.js";
import { storeCheck } from "./store-check.js";

/** Longest wait for one check, in ms. */
export const CHECK_MS_MAX = 3_000;

export interface ExamineOptions {
  readonly config?: string;
  readonly dataDir?: string;
}

/** What is known before the checks begin. */
interface Situation {
  readonly config: Config | null;
  readonly outcome: ConfigOutcome;
  /** null: neither named nor configured. */
  readonly dataDir: string | null;
  readonly gatewayFile: GatewayFileFacts;
  readonly running: RunningFacts | null;
  readonly health: HealthFacts | null;
  /** null: no gateway told. */
  readonly reports: ReadonlyMap<string, SinkReport> | null;
}

/** Every check, in the order of the report. Never throws. */
export async function examine(context: CliContext, options: ExamineOptions, probes: Probes): Promise<Check[]> {
  const situation = await survey(context, options, probes);
  const bounded = new Bounded(context.clock);
  const groups = [
    machineChecks(probes, bounded),
    [configurationCheck(situation.outcome)],
    folderChecks(situation, probes, bounded),
    portChecks(situation, probes, bounded),
    [runningCheck(situation.gatewayFile, situation.health)],
    accessChecks(context, situation, probes, bounded),
    sinkChecks(situation, probes, bounded),
    serialChecks(situation, probes, bounded),
  ];
  return (await Promise.all(groups.flat())).flat();
}

async function survey(context: CliContext, options: ExamineOptions, probes: Probes): Promise<Situation> {
  const { config, outcome } = load(context, options);
  const named = options.dataDir === undefined ? null : resolve(context.files.cwd, options.dataDir);
  const dataDir = named ?? config?.gateway.dataDir ?? null;
  const within = <T>(work: Promise<T>, otherwise: T): Promise<T> => settled(context.clock, work, otherwise);
  const absent: GatewayFileFacts = { state: "absent" };
  const gatewayFile = dataDir === null ? absent : await within(probes.gatewayFile(dataDir), absent);
  const base = { config: config === null ? null : withDataDir(config, dataDir), outcome, dataDir, gatewayFile };
  if (gatewayFile.state !== "running" || dataDir === null)
    return { ...base, running: null, health: null, reports: null };
  const ca = gatewayFile.url.startsWith("https:") ? await within(probes.siteRoot(dataDir), null) : null;
  const door = { http: context.http, url: gatewayFile.url, ca };
  const [health, reports] = await Promise.all([
    within<HealthFacts>(askHealth(door), { status: null, error: `no answer within ${CHECK_MS_MAX} ms` }),
    within(askSinks(door, readToken(context, dataDir)), null),
  ]);
  return { ...base, running: gatewayFile, health, reports };
}

function load(context: CliContext, options: ExamineOptions): { config: Config | null; outcome: ConfigOutcome } {
  try {
    const { config, file } = loadConfig(context.files, { configPath: options.config ?? null, env: context.env });
    return { config, outcome: { file, error: null } };
  } catch (thrown) {
    return { config: null, outcome: { error: asGatewayError(thrown) } };
  }
}

const withDataDir = (config: Config, dataDir: string | null): Config =>
  dataDir === null ? config : { ...config, gateway: { ...config.gateway, dataDir } };

/** Empty when it cannot be read: the gateway then refuses, and the token's own check says why. */
function readToken(context: CliContext, dataDir: string): string {
  try {
    return context.files.readFile(resolve(dataDir, "admin.token")).trim();
  } catch {
    return "";
  }
}

type Pending = (Check | Promise<Check | Check[]>)[];

/** Runs checks so that none of them can hold up or end the report. */
class Bounded {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async check(name: string, work: () => Promise<Check | Check[]>): Promise<Check | Check[]> {
    const late = warn(name, `no answer within ${CHECK_MS_MAX / 1000} s`, "look at it by hand: a disk or DNS may hang");
    try {
      return await settled(this.#clock, work(), late, true);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return warn(name, `it could not be looked at: ${why}`, "look at it by hand, and report this");
    }
  }
}

/** The outcome of the work, or `otherwise` when it takes too long or (unless `throws`) fails. */
function settled<T>(clock: Clock, work: Promise<T>, otherwise: T, throws = false): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(CHECK_MS_MAX, () => resolve(otherwise));
    const fail = (error: unknown): void => (throws ? reject(error) : resolve(otherwise));
    work.then(resolve, fail).finally(cancel);
  });
}

const UNFIT = "needs a configuration that fits";

function machineChecks(probes: Probes, bounded: Bounded): Pending {
  const node = probes.node();
  return [
    nodeCheck(node),
    bounded.check("database", async () => databaseCheck(await probes.scratchDatabase(), node)),
    bounded.check("clock", async () => clockCheck(await probes.clock())),
  ];
}

function folderChecks({ dataDir, config, running }: Situation, probes: Probes, bounded: Bounded): Pending {
  if (dataDir === null) return [skipped("data folder", UNFIT)];
  return [
    bounded.check("data folder", async () => folderCheck(await probes.folder(dataDir), running !== null)),
    bounded.check("store", async () => storeCheck(await probes.storeFiles(dataDir), running !== null)),
    bounded.check("free space", async () => {
      const facts = await probes.space(dataDir);
      if (config === null) return [];
      const quotaBytes = config.storage.quotaBytes + config.history.quotaBytes;
      return [spaceCheck(facts, quotaBytes), diskCheck(facts, config.storage.commitIntervalMs)];
    }),
  ];
}

function portChecks({ config, running }: Situation, probes: Probes, bounded: Bounded): Pending {
  if (config === null) return [skipped("ports", UNFIT)];
  const uses = [
    { name: "device port", setting: "devices.listen", listen: config.devices.listen, ownPort: running?.devicesPort },
    { name: "dashboard port", setting: "admin.listen", listen: config.admin.listen, ownPort: running?.adminPort },
  ];
  return uses.map(({ listen, ownPort, ...use }) =>
    bounded.check(use.name, async () => portCheck(await probes.port(listen), { ...use, ownPort: ownPort ?? null })),
  );
}

function accessChecks(context: CliContext, situation: Situation, probes: Probes, bounded: Bounded): Pending {
  const { config, dataDir, running } = situation;
  const token = "admin token";
  const certificates = "certificates";
  const isRunning = running !== null;
  const unixMs = context.clock.unixMs();
  return [
    dataDir === null
      ? skipped(token, UNFIT)
      : bounded.check(token, async () => tokenCheck(await probes.token(dataDir), isRunning)),
    config === null
      ? skipped(certificates, UNFIT)
      : bounded.check(certificates, async () => {
          const { devices, admin } = await probes.certificates(config);
          const first = certificateCheck(certificates, devices, { unixMs, isRunning });
          if (admin === null) return first;
          return [first, certificateCheck("dashboard certificate", admin, { unixMs, isRunning })];
        }),
  ];
}

function sinkChecks({ config, reports }: Situation, probes: Probes, bounded: Bounded): Pending {
  if (config === null) return [skipped("sinks", UNFIT)];
  if (config.sinks.length === 0) return [skipped("sinks", "none is configured; telemetry is kept here")];
  return config.sinks.map((sink) =>
    bounded.check(`sink ${sink.name}`, async () => {
      const report = reports?.get(sink.name) ?? null;
      return sinkCheck({ ...(await probes.sink(sink)), report }, reports !== null);
    }),
  );
}

function serialChecks({ config }: Situation, probes: Probes, bounded: Bounded): Pending {
  if (config === null) return [skipped("serial", UNFIT)];
  if (config.serial.length === 0) {
    return [bounded.check("serial", async () => noSerialCheck(await probes.serialNames()))];
  }
  return config.serial.map(({ path }) =>
    bounded.check(`serial ${path}`, async () => serialCheck(await probes.serial(path))),
  );
}
