/**
 * What the verbs share: printing, paint, exit code, and the options that find a gateway. Edge room `cli`.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../config/units.js";
import { ApiClient } from "./client.js";
import type { CliContext } from "./context.js";
import type { GatewayOptions } from "./find-gateway.js";
import { type Paint, paintFor } from "./paint.js";
import { type Cell, type Column, pairs, table } from "./table.js";

/** One run of the command line: its world, and what it has come to. */
export class Shell {
  readonly context: CliContext;
  /** Paint of stdout. */
  readonly paint: Paint;
  /** 0 until a verb says otherwise. */
  exitCode = 0;

  constructor(context: CliContext) {
    this.context = context;
    this.paint = paintFor(context.stdout, context.env);
  }

  print(text: string): void {
    this.context.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** A remark beside the output; it never spoils a pipe. */
  remark(text: string): void {
    this.context.stderr.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.context.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  table(columns: readonly Column[], rows: readonly (readonly Cell[])[]): void {
    // Only a terminal has an edge: what goes to a file or to grep is never cut.
    const { columns: width, isTty } = this.context.stdout;
    this.print(table(columns, rows, isTty ? width : Number.POSITIVE_INFINITY, this.paint.bold));
  }

  pairs(entries: readonly (readonly [string, string])[]): void {
    this.print(pairs(entries, this.paint.dim));
  }

  /** A client of the gateway that the options find. Errors: as `findGateway`. */
  client(options: GatewayOptions): ApiClient {
    return ApiClient.open(this.context, options);
  }

  now(): number {
    return this.context.clock.unixMs();
  }
}

export interface JsonOption {
  readonly json?: boolean;
}

export type ReadOptions = GatewayOptions & JsonOption;

/** A verb that reads the configuration. */
export function configVerb(parent: Command, usage: string, summary: string): Command {
  return parent
    .command(usage)
    .description(summary)
    .option(
      "-c, --config <file>",
      "configuration file (TIDEGATE_CONFIG, ./tidegate.yaml, /etc/tidegate/tidegate.yaml)",
    );
}

/** A verb that speaks to a running gateway. */
export function gatewayVerb(parent: Command, usage: string, summary: string): Command {
  return configVerb(parent, usage, summary)
    .option("--data-dir <folder>", "data folder of a gateway on this machine")
    .option("--url <address>", "address of a gateway anywhere (TIDEGATE_URL)")
    .option("--token-file <file>", "file with the admin token (TIDEGATE_TOKEN_FILE)")
    .option("--ca <file>", "root certificate to trust, in PEM (TIDEGATE_CA_FILE)");
}

/** A verb that reads, with `--json`. */
export function readVerb(parent: Command, usage: string, summary: string): Command {
  return gatewayVerb(parent, usage, summary).addOption(jsonOption());
}

/** `--json`. */
export function jsonOption(): Option {
  return new Option("--json", "print JSON for programs");
}

/** Parser of an option such as `--wait 5s`; gives ms. */
export function durationOption(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === null) throw new InvalidArgumentError("Write a duration with its unit: 250ms, 5s, 2m.");
  return durationMs;
}

/** Parser of a whole number in a range. */
export function countOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(count >= min && count <= max)) throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
    return count;
  };
}
