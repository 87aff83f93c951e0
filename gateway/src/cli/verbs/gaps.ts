/** `tidegate gaps ls | export`: the list of everything that is missing, and why. */
import { type Command, Option } from "commander";
import * as z from "zod";
import { plain } from "../plain.js";
import { ago } from "../quantities.js";
import { countOption, gatewayVerb, type ReadOptions, readVerb, type Shell } from "../shell.js";

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

/** Adds `gaps ls | export` to the program. */
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
