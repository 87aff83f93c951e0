/** `tidegate device history`: one signal over time, as a line of blocks and its newest values. */
import { type Command, InvalidArgumentError } from "commander";
import * as z from "zod";
import { UsageError } from "../cli-error.js";
import { inline, plain } from "../plain.js";
import { span } from "../quantities.js";
import { countOption, durationOption, type ReadOptions, readVerb, type Shell } from "../shell.js";
import { sparkline } from "../sparkline.js";
import { csvLine } from "./gaps.js";

/** Width of the line, and so the number of buckets, unless told. */
const POINTS = 60;
/** The API's ceiling. */
const POINTS_MAX = 5_000;
/** Rows below the line. */
const ROWS = 10;
const HOUR_MS = 3_600_000;

const value = z.union([z.number(), z.string(), z.boolean()]).nullable();
const numbers = z.array(z.number().nullable());
const history = z.looseObject({
  unit: z.string().nullable(),
  from: z.number(),
  to: z.number(),
  bucketMs: z.number().nullable(),
  t: z.array(z.number()),
  v: z.array(value).optional(),
  min: numbers.optional(),
  avg: numbers.optional(),
  max: numbers.optional(),
});
type History = z.infer<typeof history>;
const catalog = z.looseObject({ signals: z.array(z.looseObject({ key: z.string() })).default([]) });

interface HistoryOptions extends ReadOptions {
  readonly since: number;
  readonly until?: number;
  readonly points: number;
  readonly csv?: boolean;
}

/** Adds `device history` to the group. */
export function addHistory(group: Command, shell: Shell): void {
  readVerb(group, "history", "show one signal over time")
    .argument("<id>")
    .argument("[signal]", "its key; left out, the device's signals are listed")
    .option("--since <duration>", "how far back, such as 15m or 7d", durationOption, HOUR_MS)
    .option("--until <instant>", "where it ends, such as 2026-05-01T12:00:00Z; now unless told", instantOption)
    .option("--points <count>", "buckets at most; fewer samples are shown as they are", pointsOption, POINTS)
    .option("--csv", "print comma-separated values")
    .action((id: string, signal: string | undefined, options: HistoryOptions) => show(shell, id, signal, options));
}

const pointsOption = countOption(1, POINTS_MAX);

function instantOption(text: string): number {
  const unixMs = Date.parse(text);
  if (Number.isNaN(unixMs)) throw new InvalidArgumentError("Write an instant such as 2026-05-01T12:00:00Z.");
  return unixMs;
}

async function show(shell: Shell, id: string, signal: string | undefined, options: HistoryOptions): Promise<void> {
  const client = shell.client(options);
  const path = `/api/v1/devices/${encodeURIComponent(id)}`;
  if (signal === undefined) {
    const { signals } = await client.call("GET", path, catalog);
    const keys = signals.map(({ key }) => key).join(", ");
    throw new UsageError(
      "no signal is named",
      keys === "" ? "the device has told of none yet" : `name one of: ${keys}`,
    );
  }
  const to = options.until ?? shell.now();
  const query = { signal, from: to - options.since, to, points: options.points };
  const found = await client.call("GET", `${path}/history`, history, { query });
  if (options.json === true) shell.json(found);
  else if (options.csv === true) printCsv(shell, found);
  else printChart(shell, `${id}/${signal}`, found);
}

function printCsv(shell: Shell, found: History): void {
  const { stdout } = shell.context;
  const columns = columnsOf(found);
  stdout.write(csvLine(["time", ...columns.map(([name]) => name)]));
  for (const [at, t] of found.t.entries()) {
    const cells = columns.map(([, column]) => cellOf(column[at] ?? null));
    stdout.write(csvLine([new Date(t).toISOString(), ...cells]));
  }
}

const cellOf = (cell: z.infer<typeof value>): string | number | null =>
  typeof cell === "boolean" ? String(cell) : cell;

function columnsOf(found: History): (readonly [string, readonly z.infer<typeof value>[]])[] {
  if (found.v !== undefined) return [["value", found.v]];
  return [
    ["min", found.min ?? []],
    ["avg", found.avg ?? []],
    ["max", found.max ?? []],
  ];
}

function printChart(shell: Shell, title: string, found: History): void {
  const { paint } = shell;
  const middle = found.v ?? found.avg ?? [];
  if (!middle.some((sample) => sample !== null)) {
    shell.print(`nothing is known of ${plain(title)} from ${clockText(found.from)} to ${clockText(found.to)}`);
    return;
  }
  const unit = found.unit === null || found.unit === "" ? "" : ` ${plain(found.unit)}`;
  const known = [...middle, ...(found.min ?? []), ...(found.max ?? [])].filter((sample) => typeof sample === "number");
  const range = known.length === 0 ? "" : `  ${Math.min(...known)} … ${Math.max(...known)}${unit}`;
  shell.print(`${paint.bold(plain(title))}  ${span(found.to - found.from)} to ${clockText(found.to)}${range}`);
  const drawn = middle.map((sample) => (typeof sample === "number" ? sample : null));
  if (known.length > 0) shell.print(sparkline(drawn));
  const columns = columnsOf(found);
  const rows = found.t
    .map((t, at) => [clockText(t), ...columns.map(([, column]) => shown(column[at] ?? null, unit))])
    .slice(-ROWS);
  shell.table([{ title: "time" }, ...columns.map(([name]) => ({ title: name, right: true }))], rows);
  if (found.bucketMs !== null) shell.remark(`each line holds ${span(found.bucketMs)}; --points shows it finer`);
}

/** A gap is shown as one. */
function shown(cell: z.infer<typeof value>, unit: string): string {
  if (cell === null) return "gap";
  const text = typeof cell === "number" ? String(Number(cell.toPrecision(6))) : inline(cell);
  return `${text}${unit}`;
}

const clockText = (unixMs: number): string => new Date(unixMs).toISOString().slice(0, 19).replace("T", " ");
