/**
 * The process: reads its surroundings, starts the gateway, says so, and waits for a signal.
 *
 *   SIGTERM, SIGINT, the parent's IPC channel closing ─▶ ordered stop ─▶ exit 0
 *   SIGHUP ─▶ certificates read again          the disk failed ─▶ exit 74, nothing unwritten was acked
 *   systemd is told: ready, alive, reloading, stopping (assembly/service-word.ts)
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { DestinationStream } from "pino";
import { PasswordHasher } from "./admin/password.js";
import { banner } from "./assembly/banner.js";
import { DataDir } from "./assembly/data-dir.js";
import { rememberPort, watchFailure } from "./assembly/failure-watch.js";
import { Gateway } from "./assembly/gateway.js";
import type { ReadyFacts } from "./assembly/ready-facts.js";
import { repositoryDir } from "./assembly/repository.js";
import { startPulse } from "./assembly/service-pulse.js";
import { type ServiceManager, serviceManager } from "./assembly/service-word.js";
import { openIdentity } from "./assembly/store.js";
import { errorText } from "./cli/cli-error.js";
import { type LoadedConfig, loadConfig } from "./config/load.js";
import type { ConfigIo } from "./config/locations.js";
import { SystemClock } from "./core/clock.js";
import { asGatewayError, type ExitCode, type GatewayError } from "./core/errors.js";
import { keepHeapsSmall } from "./core/heap.js";
import { createLogger, type Logger } from "./core/log.js";
import { LogRing } from "./core/log-ring.js";
import { Metrics } from "./core/metrics.js";
import { packageDir, packageVersion } from "./core/package-dir.js";
import { SystemRandom } from "./core/random.js";
import type { IdentityStore } from "./model/identity.js";

export interface RunOptions {
  /** The value of `--config`; null when it was not given. */
  readonly configPath: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Serve a page while the configuration is refused; absent: at a terminal, and not as a service. */
  readonly failurePage?: boolean | undefined;
}

/** An ordered stop that takes longer than this has hung; what matters is on disk anyway. */
const STOP_MS_MAX = 10_000;

/**
 * Run the gateway until it is told to stop. Prints errors itself. When the configuration is refused and somebody is
 * there to mend it, a page says so and the gateway starts once it is right (assembly/failure-watch.ts).
 * @returns the exit code: 0 clean, 74 I/O, 75 retryable, 78 configuration.
 */
export async function runGateway(options: RunOptions): Promise<0 | ExitCode> {
  for (;;) {
    const failure = await runOnce(options);
    const isMendable = failure?.exitCode === CONFIG_REFUSED && isAttended(options);
    if (isMendable && (await whileRefused(failure, options)) === "mended") continue;
    // A channel that stays open would keep the process.
    if (failure !== null && process.connected) process.disconnect();
    return failure?.exitCode ?? 0;
  }
}

/** `null`: told to stop. An error has been printed. */
async function runOnce(options: RunOptions): Promise<GatewayError | null> {
  keepHeapsSmall();
  const clock = new SystemClock();
  const startedMs = clock.monoMs();
  let loaded: LoadedConfig;
  try {
    loaded = loadConfig(configIo(), options);
  } catch (thrown) {
    return fail(asGatewayError(thrown));
  }
  const logRing = new LogRing();
  const log = makeLogger(loaded, options, logRing);
  const service = serviceManager({ env: options.env, pid: process.pid, log });
  service?.tell({ status: "starting: the store is opened and checked" });
  const ended = waitForEnd();
  let gateway: Gateway;
  try {
    gateway = await Gateway.start(loaded, {
      clock,
      random: new SystemRandom(),
      log,
      logRing,
      metrics: new Metrics(),
      version: packageVersion(),
      webDir: join(packageDir(), "dist", "web"),
      isService: service !== null || options.env["STATE_DIRECTORY"] !== undefined,
      onFatal: (error) => ended.fatal(error),
    });
  } catch (thrown) {
    ended.forget();
    return fail(asGatewayError(thrown));
  }
  rememberPort(gateway.facts.dataDir, Number(new URL(gateway.facts.dashboardUrl).port));
  announce(gateway, clock.monoMs() - startedMs);
  service?.tell({ state: "READY" });
  const stopPulse = service === null ? null : startPulse(service, clock, gateway.pulse);
  ended.onHangup(() => void reload(gateway, service));
  const fatal = await ended.promise;
  if (fatal !== null) {
    // No farewell: whatever is in memory was not acked, and the disk is not to be trusted with more.
    return fail(fatal);
  }
  log.info({}, "stopping");
  stopPulse?.();
  service?.tell({ state: "STOPPING", status: "stopping: devices are told, the last data is written" });
  const cancel = clock.after(STOP_MS_MAX, () => process.exit(0));
  await Promise.all([gateway.stop(), service?.settled()]);
  cancel();
  log.info({}, "stopped");
  return null;
}

/** Exit code 78: the same at the next attempt, so no service manager should try again. */
const CONFIG_REFUSED: ExitCode = 78;

/** A service's failure belongs to its manager; at a terminal a person reads what is wrong, and mends it. */
function isAttended({ failurePage, env }: RunOptions): boolean {
  return failurePage ?? (process.stdout.isTTY === true && env["INVOCATION_ID"] === undefined);
}

async function whileRefused(error: GatewayError, options: RunOptions): Promise<"mended" | "stopped"> {
  const ended = waitForEnd();
  try {
    return await watchFailure(error, {
      io: configIo(),
      options,
      clock: new SystemClock(),
      webDir: join(packageDir(), "dist", "web"),
      say: (text) => process.stderr.write(text),
      stopped: ended.promise.then(() => {}),
    });
  } finally {
    ended.forget();
  }
}

async function reload(gateway: Gateway, service: ServiceManager | null): Promise<void> {
  service?.tell({ state: "RELOADING" });
  await gateway.reload();
  service?.tell({ state: "READY" });
}

export { backUpStored, restoreFrom, saveBackup } from "./assembly/stored-backup.js";

/** Hashes a password as the store keeps it. Errors: E_BAD_REQUEST when it is too short or too long. */
export type HashPassword = (password: string) => Promise<string>;

/**
 * Open identity.db of a gateway that does not run, and close it behind `fn`.
 * Errors: E_DATA_DIR_LOCKED when a gateway runs, E_DATA_DIR, and those of opening the store.
 */
export async function withIdentity<T>(
  dataDir: string,
  fn: (identity: IdentityStore, hashPassword: HashPassword) => Promise<T>,
): Promise<T> {
  const random = new SystemRandom();
  const folder = DataDir.open(dataDir);
  try {
    const storage = await openIdentity(dataDir, random);
    const hasher = new PasswordHasher(random);
    try {
      return await fn(storage.identity, (password) => hasher.hash(password));
    } finally {
      await storage.close();
    }
  } finally {
    folder.release();
  }
}

/** What loading the configuration needs of this machine. */
export function configIo(): ConfigIo {
  return {
    readFile: (path) => readFileSync(path, "utf8"),
    cwd: process.cwd(),
    hostname: hostname(),
    repositoryDir: repositoryDir(packageDir()),
  };
}

function makeLogger(loaded: LoadedConfig, options: RunOptions, ring: LogRing): Logger {
  const { level, format } = loaded.config.log;
  const pretty = process.stdout.isTTY === true && options.env["JOURNAL_STREAM"] === undefined;
  const chosen = format === "auto" ? (pretty ? "pretty" : "json") : format;
  const destination: DestinationStream = { write: (line) => void process.stdout.write(line) };
  const colour = pretty && (options.env["NO_COLOR"] ?? "") === "";
  return createLogger({ level, format: chosen, colour }, destination, ring);
}

interface End {
  /** null: told to stop. An error: the disk failed. */
  readonly promise: Promise<GatewayError | null>;
  fatal(error: GatewayError): void;
  onHangup(reload: () => void): void;
  forget(): void;
}

function waitForEnd(): End {
  let resolve: (error: GatewayError | null) => void = () => {};
  const promise = new Promise<GatewayError | null>((settle) => {
    resolve = settle;
  });
  const stop = (): void => resolve(null);
  let hangup = (): void => {};
  const onHangup = (): void => hangup();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", onHangup);
  // A parent that dies without a signal closes the channel: never stay behind as an orphan.
  process.on("disconnect", stop);
  return {
    promise,
    fatal: (error) => resolve(error),
    onHangup: (reload) => {
      hangup = reload;
    },
    forget: () => {
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
      process.off("SIGHUP", onHangup);
      process.off("disconnect", stop);
    },
  };
}

function announce(gateway: Gateway, elapsedMs: number): void {
  const facts: ReadyFacts = gateway.facts;
  const loginLink = process.stdout.isTTY === true || process.send !== undefined ? gateway.loginLink() : null;
  process.stdout.write(banner(facts, { version: packageVersion(), elapsedMs, loginLink, cwd: process.cwd() }));
  process.send?.({
    type: "ready",
    devicesUrl: facts.devicesUrl,
    dashboardUrl: facts.dashboardUrl,
    dataDir: facts.dataDir,
    adminTokenFile: join(facts.dataDir, "admin.token"),
  });
}

function fail(error: GatewayError): GatewayError {
  process.stderr.write(errorText(error, (text) => text));
  return error;
}
