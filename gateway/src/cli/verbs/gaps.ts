/** `tidegate gaps ls | export | verify`: what is missing and why, and the proof that nothing else is. */
import { type Command, Option } from "commander";
import * as z from "zod";
import { Completeness, type StreamReport } from "../completeness.js";
import { inline, plain } from "../plain.js";
import { ago, grouped } from "../quantities.js";
import { countOption, gatewayVerb, jsonOption, type ReadOptions, readVerb, type Shell } from "../shell.js";

/** Entries fetched at once while exporting. */
const PAGE = 10_000;

const gap = z.looseObject({
  id: z.number(),
  device: z.string(),
  epoch: z.number(),
  fromSeq: z.number(),
  toSeq: z.number().nullable(),
  reason: z.string(),
  at: z.string(),
  sink: z.string().nullable().default(null),
});
type GapAnswer = z.infer<typeof gap>;
const page = z.looseObject({ gaps: z.array(gap), next: z.number().nullable().default(null) });

/** Adds `gaps ls | export | verify` to the program. */
export function addGaps(program: Command, shell: Shell): void {
  const group = program.command("gaps").description("the list of everything that is missing, and why");
  readVerb(group, "ls", "list gaps")
    .option("--device <id>", "of one device")
    .option("--after <id>", "entries behind this one", countOption(0, Number.MAX_SAFE_INTEGER))
    .option("--limit <count>", "how many at most", countOption(1, PAGE), 100)
    .action(
      async ({
        device,
        after,
        limit,
        ...options
      }: ReadOptions & { device?: string; after?: number; limit: number }) => {
        const answer = await shell
          .client(options)
          .call("GET", "/api/v1/gaps", page, { query: { device, after, limit } });
        if (options.json === true) shell.json(answer);
        else if (answer.gaps.length === 0) shell.print("no gaps");
        else showList(shell, answer);
      },
    );
  gatewayVerb(group, "export", "write all gaps to stdout, for completeness proofs")
    .option("--device <id>", "of one device")
    .addOption(new Option("--format <format>", "one line per gap").choices(["jsonl", "csv"]).default("jsonl"))
    .action((options: ReadOptions & { device?: string; format: string }) => exportAll(shell, options));
  group
    .command("verify")
    .description("prove from a log of MQTT messages on stdin that a consumer has everything")
    .option("--since-first", "begin with the first number of each device in the log: for a consumer that joined later")
    .addOption(jsonOption())
    .addHelpText("after", `\nWrite the log with:\n  mosquitto_sub -t 'tidegate/#' -q 1 -F '%t %p' > consumer.log\n`)
    .action((options: VerifyOptions) => verify(shell, options));
}

interface VerifyOptions {
  readonly json?: boolean;
  readonly sinceFirst?: boolean;
}

/** No gateway is asked: what the consumer got has to be proof enough. */
async function verify(shell: Shell, options: VerifyOptions): Promise<void> {
  const proof = new Completeness();
  for await (const line of shell.context.stdin.lines()) {
    const space = line.indexOf(" ");
    if (space > 0) proof.take(line.slice(0, space), line.slice(space + 1));
  }
  const streams = proof.report(options.sinceFirst === true);
  const missingCount = streams.reduce((sum, stream) => sum + stream.missingCount, 0);
  if (missingCount > 0 || streams.length === 0) shell.exitCode = 1;
  if (options.json === true) {
    shell.json({
      complete: missingCount === 0 && streams.length > 0,
      missingCount,
      unread: proof.unreadCount,
      streams,
    });
    return;
  }
  if (streams.length === 0) {
    shell.print("no messages of a gateway were on stdin");
    return;
  }
  showStreams(shell, streams);
  if (proof.unreadCount > 0) shell.remark(`${proof.unreadCount} lines were no messages of a gateway`);
  shell.print(missingCount === 0 ? "complete: every number is here or listed" : `missing: ${missingCount} numbers`);
}

function showStreams(shell: Shell, streams: readonly StreamReport[]): void {
  const rows = streams.map((stream) => [
    inline(stream.device),
    String(stream.epoch),
    `${stream.from} … ${stream.to}`,
    grouped(stream.hereCount),
    grouped(stream.listedCount),
    stream.missingCount === 0
      ? { text: "none", paint: shell.paint.good }
      : { text: rangesText(stream), paint: shell.paint.bad },
  ]);
  const columns = [
    { title: "device" },
    { title: "epoch", right: true },
    { title: "numbers" },
    { title: "here", right: true },
    { title: "listed", right: true },
    { title: "missing" },
  ];
  shell.table(columns, rows);
}

function rangesText({ missing, missingCount }: StreamReport): string {
  const shown = missing.slice(0, 5).map(([from, to]) => (from === to ? String(from) : `${from} … ${to}`));
  return `${grouped(missingCount)}: ${shown.join(", ")}${missing.length > 5 ? ", …" : ""}`;
}

function showList(shell: Shell, answer: z.infer<typeof page>): void {
  const rows = answer.gaps.map((g) => [
    String(g.id),
    g.device,
    String(g.epoch),
    range(g),
    g.reason,
    g.sink ?? "all",
    ago(g.at, shell.now()),
  ]);
  const columns = [
    { title: "id", right: true },
    { title: "device" },
    { title: "epoch", right: true },
    { title: "numbers" },
    { title: "reason" },
    { title: "sink" },
    { title: "noted" },
  ];
  shell.table(columns, rows);
  if (answer.next !== null) shell.remark(`more follow: \`tidegate gaps ls --after ${answer.next}\``);
}

function range(g: GapAnswer): string {
  if (g.toSeq === null) return `${g.fromSeq} … unknown`;
  return g.toSeq === g.fromSeq ? String(g.fromSeq) : `${g.fromSeq} … ${g.toSeq}`;
}

const CSV_FIELDS = ["id", "device", "epoch", "fromSeq", "toSeq", "reason", "sink", "at"] as const;

async function exportAll(shell: Shell, options: ReadOptions & { device?: string; format: string }): Promise<void> {
  const client = shell.client(options);
  const { stdout } = shell.context;
  if (options.format === "csv") stdout.write(`${CSV_FIELDS.join(",")}\r\n`);
  let after: number | undefined;
  for (;;) {
    const query = { device: options.device, after, limit: PAGE };
    const answer = await client.call("GET", "/api/v1/gaps", page, { query });
    for (const g of answer.gaps) {
      stdout.write(options.format === "csv" ? csvLine(CSV_FIELDS.map((field) => g[field])) : `${JSON.stringify(g)}\n`);
    }
    // A page that does not move on would be fetched forever.
    if (answer.next === null || answer.next <= (after ?? -1)) return;
    after = answer.next;
  }
}

/** RFC 4180; cells that a spreadsheet would run as a formula are made text. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  const texts = cells.map((cell) => {
    if (cell === null || typeof cell === "number") return String(cell ?? "");
    const text = plain(cell);
    const safe = /^[=+\-@]/.test(text) ? `'${text}` : text;
    return /[",\s]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  });
  return `${texts.join(",")}\r\n`;
}
