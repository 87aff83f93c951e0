/**
 * `tidegate send DEVICE COMMAND [ARGS]`: a command to a device.
 *
 *   POST ─▶ 202 accepted ─▶ (with --wait) ask for the state until it is final ─▶ exit code
 */
import { type Command, Option } from "commander";
import * as z from "zod";
import { GatewayError } from "../../core/errors.js";
import type { ApiClient } from "../client.js";
import { type CommandAnswer, commandShape, isEnded, paintOfState } from "../command-shape.js";
import { inline } from "../plain.js";
import { waited } from "../quantities.js";
import { durationOption, gatewayVerb, jsonOption, type ReadOptions, type Shell } from "../shell.js";

/** Time between two questions for the state, in ms: short at first, then this long. */
const POLL_MS_MAX = 250;
const POLL_MS_MIN = 20;

/** Longest `args`, in characters of JSON. */
const ARGS_CHARS_MAX = 32 * 1024;

const accepted = z.looseObject({ commandId: z.string(), state: z.string(), repeated: z.boolean().default(false) });

interface SendOptions extends ReadOptions {
  readonly wait?: number;
  readonly ttl?: number;
  readonly delivery?: string;
  readonly idempotencyKey?: string;
}

/** Adds `send` to the program. */
export function addSend(program: Command, shell: Shell): void {
  gatewayVerb(program, "send", "send a command to a device")
    .argument("<device>")
    .argument("<command>", "name from the device's catalog, see `tidegate device show`")
    .argument("[args]", "JSON; - reads it from stdin")
    .option("--wait <duration>", "wait that long for the outcome", durationOption)
    .option("--ttl <duration>", "how long it may wait for the device (60s unless configured otherwise)", durationOption)
    .addOption(new Option("--delivery <kind>", "what the device may do twice").choices(["atMostOnce", "atLeastOnce"]))
    .option("--idempotency-key <key>", "the same key again sends nothing new")
    .addOption(jsonOption())
    .action((device: string, command: string, args: string | undefined, options: SendOptions) =>
      send(shell, { device, command, args: args ?? null }, options),
    );
}

interface Wanted {
  readonly device: string;
  readonly command: string;
  readonly args: string | null;
}

async function send(shell: Shell, wanted: Wanted, options: SendOptions): Promise<void> {
  const args = await readArgs(shell, wanted.args);
  const client = shell.client(options);
  const { clock } = shell.context;
  const startedMs = clock.monoMs();
  const body = {
    name: wanted.command,
    ...(args === undefined ? {} : { args }),
    ...(options.ttl === undefined ? {} : { ttlMs: options.ttl }),
    ...(options.delivery === undefined ? {} : { delivery: options.delivery }),
  };
  const headers: Record<string, string> =
    options.idempotencyKey === undefined ? {} : { "idempotency-key": options.idempotencyKey };
  const path = `/api/v1/devices/${encodeURIComponent(wanted.device)}/commands`;
  const first = await client.call("POST", path, accepted, { body, headers });
  const acceptedMs = clock.monoMs() - startedMs;
  const note = first.repeated ? " (known already, by its key)" : "";
  if (options.json !== true) shell.print(`accepted ${first.commandId} in ${waited(acceptedMs)}${note}`);
  if (options.wait === undefined) {
    if (options.json === true) shell.json({ ...first, acceptedMs });
    return;
  }
  const last = await follow(shell, client, first.commandId, options.wait);
  const appliedMs = clock.monoMs() - startedMs;
  if (options.json === true) shell.json({ ...last, acceptedMs, appliedMs });
  else shell.print(outcome(shell, last, appliedMs));
  if (last.state !== "succeeded") shell.exitCode = 1;
}

async function readArgs(shell: Shell, args: string | null): Promise<unknown> {
  if (args === null) return undefined;
  const text = args === "-" ? await shell.context.stdin.readAll(ARGS_CHARS_MAX) : args;
  try {
    return JSON.parse(text);
  } catch {
    throw new GatewayError("E_COMMAND_ARGS", `${inline(text)} is not JSON`, {
      fix: `quote it for the shell: '{"on":true}', 21.5, '"text"'`,
    });
  }
}

async function follow(shell: Shell, client: ApiClient, id: string, waitMs: number): Promise<CommandAnswer> {
  const { clock } = shell.context;
  const untilMs = clock.monoMs() + waitMs;
  let pollMs = POLL_MS_MIN;
  for (;;) {
    const found = await client.call("GET", `/api/v1/commands/${encodeURIComponent(id)}`, commandShape);
    const leftMs = untilMs - clock.monoMs();
    if (isEnded(found.state) || leftMs <= 0) return found;
    const delayMs = Math.min(pollMs, leftMs);
    await new Promise<void>((resolve) => clock.after(delayMs, resolve));
    pollMs = Math.min(POLL_MS_MAX, pollMs * 1.5);
  }
}

function outcome(shell: Shell, command: CommandAnswer, appliedMs: number): string {
  const state = paintOfState(shell.paint, command.state)(command.state);
  if (!isEnded(command.state))
    return `still ${state} after ${waited(appliedMs)}; see \`tidegate command show ${command.commandId}\``;
  const detail = command.error ?? (command.result === null ? "" : inline(command.result));
  return `${state} in ${waited(appliedMs)}${detail === "" ? "" : `  ${inline(detail)}`}`;
}
