/**
 * `tidegate backup create | restore`: everything a gateway cannot make again, as one file.
 *
 *   create   a gateway runs ─▶ POST /api/v1/backup ─┐
 *            none runs ─▶ the data folder, locked ──┴─▶ FILE, 0600, proven by its digests before it gets its name
 *   restore  FILE ─▶ an empty data folder; the first start says what it cannot prove
 */
import { resolve } from "node:path";
import type { Command } from "commander";
import { loadConfig } from "../../config/load.js";
import { repeat } from "../../core/clock.js";
import { GatewayError } from "../../core/errors.js";
import type { ApiClient } from "../client.js";
import type { BackupFacts, BackupPieces } from "../context.js";
import { dataDirOf, type GatewayOptions } from "../find-gateway.js";
import { plain } from "../plain.js";
import { ProgressBar } from "../progress.js";
import { bytes } from "../quantities.js";
import { configVerb, gatewayVerb, type JsonOption, jsonOption, type Shell } from "../shell.js";
import { VERSION } from "../version.js";

/** The gateway copies its databases before the first byte comes: minutes on a slow card. */
const COPY_MS_MAX = 3_600_000;

/** Where nobody knows how far it is, the seconds go on. */
const DRAW_MS = 1_000;

type CreateOptions = GatewayOptions & JsonOption;
type RestoreOptions = JsonOption & { readonly config?: string; readonly dataDir?: string; readonly force?: boolean };

/** Adds `backup create | restore` to the program. */
export function addBackup(program: Command, shell: Shell): void {
  const group = program.command("backup").description("back the gateway up, and bring it back");
  gatewayVerb(
    group,
    "create",
    "write keys, credentials, marks and records into one file, while the gateway runs or not",
  )
    .argument("[file]", "where to; must not exist (tidegate-<gateway>-<time>.tar)")
    .addOption(jsonOption())
    .action((file: string | undefined, options: CreateOptions) => create(shell, file, options));
  configVerb(group, "restore", "put a backup into an empty data folder; no gateway may run on it")
    .argument("<file>")
    .option("--data-dir <folder>", "folder to restore into instead of the configured one")
    .option("--force", "move what is in the folder aside")
    .addOption(jsonOption())
    .action((file: string, options: RestoreOptions) => restore(shell, file, options));
}

async function create(shell: Shell, file: string | undefined, options: CreateOptions): Promise<void> {
  const { context } = shell;
  const bar = new ProgressBar(context.stderr, context.clock);
  const client = runningGateway(shell, options);
  const path = resolve(context.files.cwd, file ?? defaultName(shell, client, options));
  try {
    const facts = client === null ? await fromDisk(shell, path, options, bar) : await fromApi(shell, path, client, bar);
    bar.clear();
    tellCreated(shell, path, facts, options);
  } finally {
    bar.clear();
  }
}

async function fromApi(shell: Shell, path: string, client: ApiClient, bar: ProgressBar): Promise<BackupFacts> {
  const daemon = await shell.context.daemon();
  let total: number | null = null;
  const open = async (): Promise<BackupPieces> => {
    const stop = repeat(shell.context.clock, DRAW_MS, () => bar.show("the gateway copies its databases", 0, null));
    try {
      const answer = await client.download("/api/v1/backup", COPY_MS_MAX);
      total = answer.bytes;
      return answer;
    } finally {
      stop();
    }
  };
  return daemon.saveBackup(path, open, (done) => bar.show("writing", done, total));
}

async function fromDisk(shell: Shell, path: string, options: CreateOptions, bar: ProgressBar): Promise<BackupFacts> {
  const { context } = shell;
  const { config, file } = loadConfig(context.files, { configPath: options.config ?? null, env: context.env });
  const daemon = await context.daemon();
  const gateway = {
    dataDir: dataDirOf(context, options),
    configFile: file,
    gatewayId: config.gateway.id,
    version: VERSION,
    unixMs: context.clock.unixMs(),
  };
  return daemon.backUpStored(
    gateway,
    (open) => daemon.saveBackup(path, open, (done) => bar.show("writing", done, null)),
    (done, total) => bar.show("copying the databases", done, total),
  );
}

/** A client, or null when no gateway runs on this machine: then its data folder is read. */
function runningGateway(shell: Shell, options: GatewayOptions): ApiClient | null {
  try {
    return shell.client(options);
  } catch (error) {
    if (error instanceof GatewayError && error.code === "E_UNREACHABLE") return null;
    throw error;
  }
}

function defaultName(shell: Shell, client: ApiClient | null, options: CreateOptions): string {
  const { context } = shell;
  const isRemote = client !== null && (options.url ?? context.env["TIDEGATE_URL"] ?? "") !== "";
  const id = isRemote
    ? client.url.hostname.replaceAll(/[^A-Za-z0-9]+/g, "-")
    : loadConfig(context.files, { configPath: options.config ?? null, env: context.env }).config.gateway.id;
  const stamp = new Date(context.clock.unixMs()).toISOString().replace(/[-:]/g, "").replace(/\..*/, "Z");
  return `tidegate-${id}-${stamp}.tar`;
}

function tellCreated(shell: Shell, path: string, facts: BackupFacts, options: JsonOption): void {
  const size = facts.files.reduce((sum, file) => sum + file.bytes, 0);
  if (options.json === true) {
    shell.json({ file: path, bytes: size, ...facts });
    return;
  }
  shell.print(`${path}  ${bytes(size)} in ${facts.files.length} files, each with its SHA-256`);
  shell.remark("it holds the keys of the site: keep it as you keep passwords");
}

async function restore(shell: Shell, file: string, options: RestoreOptions): Promise<void> {
  const { context } = shell;
  const dataDir = dataDirOf(context, options);
  const daemon = await context.daemon();
  const bar = new ProgressBar(context.stderr, context.clock);
  const path = resolve(context.files.cwd, file);
  const request = { path, dataDir, force: options.force === true, unixMs: context.clock.unixMs() };
  try {
    const outcome = await daemon.restoreFrom(request, (done, total) => bar.show("reading", done, total));
    bar.clear();
    const { manifest, movedTo, configFile } = outcome;
    if (options.json === true) {
      shell.json({ dataDir, movedTo, configFile, ...manifest });
      return;
    }
    shell.print(`${dataDir} is now as ${plain(manifest.gatewayId)} was at ${plain(manifest.createdAt)}`);
    if (movedTo !== null) shell.print(`what was there before is in ${movedTo}`);
    if (configFile !== null) shell.print(`its configuration is beside it, not in force: ${configFile}`);
    shell.remark("what devices were told since then is noted as unproven at the next start (`tidegate gaps ls`);");
    shell.remark(
      "devices added since are unknown, and those revoked since are let in again: check `tidegate device ls`",
    );
  } finally {
    bar.clear();
  }
}
