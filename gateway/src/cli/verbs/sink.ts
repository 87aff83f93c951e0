/** `tidegate sink ls | test | pause | resume | quarantine | requeue | forget`: where telemetry goes. */
import type { Command } from "commander";
import * as z from "zod";
import { inline } from "../plain.js";
import { ago, grouped, span, waited } from "../quantities.js";
import { countOption, gatewayVerb, type ReadOptions, readVerb, type Shell } from "../shell.js";

const problem = z.looseObject({ code: z.string(), why: z.string(), fix: z.string() }).nullable();
const sink = z.looseObject({
  name: z.string(),
  state: z.string(),
  target: z.string(),
  protocol: z.string().nullable().default(null),
  lastError: problem.default(null),
  retryInMs: z.number().nullable().default(null),
  deliveredCount: z.number(),
  quarantinedCount: z.number().default(0),
  backlog: z.looseObject({ count: z.number(), ageMs: z.number(), orphaned: z.boolean().default(false) }),
});
type Sink = z.infer<typeof sink>;
const sinks = z.looseObject({ sinks: z.array(sink) });
const tested = z.looseObject({
  ok: z.boolean(),
  elapsedMs: z.number(),
  protocol: z.string().nullable(),
  error: problem,
});

const quarantined = z.looseObject({
  recordId: z.number(),
  device: z.string(),
  epoch: z.number(),
  seq: z.number(),
  reason: z.string(),
  at: z.string(),
  state: z.string(),
  canRequeue: z.boolean(),
});
type Quarantined = z.infer<typeof quarantined>;
const quarantine = z.looseObject({ records: z.array(quarantined) });

/** Most records the API lists at once. */
const QUARANTINE_MAX = 1_000;

const pathOf = (name: string, verb?: string): string =>
  `/api/v1/sinks/${encodeURIComponent(name)}${verb === undefined ? "" : `/${verb}`}`;

/** Adds `sink ls | test | pause | resume | quarantine | requeue | forget` to the program. */
export function addSink(program: Command, shell: Shell): void {
  const group = program.command("sink").description("where telemetry goes: state, backlog, tests");
  readVerb(group, "ls", "list all sinks").action(async (options: ReadOptions) => {
    const answer = await shell.client(options).call("GET", "/api/v1/sinks", sinks);
    if (options.json === true) shell.json(answer);
    else if (answer.sinks.length === 0) shell.print("no sinks; add one to tidegate.yaml, see docs/configuration.md");
    else showList(shell, answer.sinks);
  });
  readVerb(group, "test", "connect once, beside the running connection")
    .argument("<name>")
    .action(async (name: string, options: ReadOptions) => {
      const answer = await shell.client(options).call("POST", pathOf(name, "test"), tested);
      if (options.json === true) shell.json(answer);
      else showTest(shell, name, answer);
      if (!answer.ok) shell.exitCode = 1;
    });
  for (const [verb, summary] of [
    ["pause", "stop sending; the backlog is kept"],
    ["resume", "go on sending; one that waits to try again does it now"],
  ] as const) {
    gatewayVerb(group, verb, summary)
      .argument("<name>")
      .action(async (name: string, options: ReadOptions) => {
        const found = await shell.client(options).call("POST", pathOf(name, verb), sink);
        shell.print(`${found.name} is ${found.state}`);
      });
  }
  addQuarantine(group, shell);
  gatewayVerb(group, "forget", "forget the place of a sink that left the configuration")
    .argument("<name>")
    .action(async (name: string, options: ReadOptions) => {
      const { sinks: all } = await shell.client(options).call("GET", "/api/v1/sinks", sinks);
      const stranded = all.find((known) => known.name === name)?.backlog.count ?? 0;
      await shell.client(options).call("DELETE", pathOf(name), z.null());
      const records = stranded === 1 ? "1 record" : `${grouped(stranded)} records`;
      shell.print(`${inline(name)} is forgotten; it had not taken ${records} of those still stored`);
    });
}

function addQuarantine(group: Command, shell: Shell): void {
  readVerb(group, "quarantine", "records this sink would not take, newest first")
    .argument("<name>")
    .option("--limit <count>", "how many at most", countOption(1, QUARANTINE_MAX), 100)
    .action(async (name: string, { limit, ...options }: ReadOptions & { limit: number }) => {
      const answer = await shell
        .client(options)
        .call("GET", pathOf(name, "quarantine"), quarantine, { query: { limit } });
      if (options.json === true) shell.json(answer);
      else if (answer.records.length === 0) shell.print("nothing is in quarantine");
      else showQuarantine(shell, answer.records);
    });
  gatewayVerb(group, "requeue", "send quarantined records again, byte for byte")
    .argument("<name>")
    .argument("<id>", "id of the record, or `all`")
    .action(async (name: string, id: string, options: ReadOptions) => {
      const client = shell.client(options);
      const query = { query: { limit: QUARANTINE_MAX } };
      const ids =
        id === "all"
          ? (await client.call("GET", pathOf(name, "quarantine"), quarantine, query)).records
              .filter((record) => record.canRequeue)
              .map((record) => String(record.recordId))
              .reverse()
          : [id];
      for (const one of ids) {
        await client.call("POST", pathOf(name, `quarantine/${encodeURIComponent(one)}/requeue`), z.null());
      }
      const what = ids.length === 1 ? "1 record is" : `${grouped(ids.length)} records are`;
      shell.print(`${what} sent again; \`tidegate sink quarantine ${inline(name)}\` says what came of it`);
    });
}

function showQuarantine(shell: Shell, records: readonly Quarantined[]): void {
  const rows = records.map((record) => [
    String(record.recordId),
    inline(record.device),
    `${record.epoch}/${record.seq}`,
    record.state,
    ago(record.at, shell.now()),
    inline(record.reason),
  ]);
  const columns = [
    { title: "id", right: true },
    { title: "device" },
    { title: "epoch/number" },
    { title: "state" },
    { title: "noted" },
    { title: "reason" },
  ];
  shell.table(columns, rows);
}

function showList(shell: Shell, list: readonly Sink[]): void {
  const { paint } = shell;
  const rows = list.map((s) => {
    const state = s.backlog.orphaned ? "not configured" : s.state;
    return [
      s.name,
      {
        text: s.retryInMs === null ? state : `${state}, again in ${span(s.retryInMs)}`,
        paint: state === "up" ? paint.good : paint.warn,
      },
      s.target,
      grouped(s.deliveredCount),
      s.backlog.count === 0 ? "none" : `${grouped(s.backlog.count)}, ${span(s.backlog.ageMs)}`,
      s.lastError === null ? "" : `${s.lastError.why}; ${s.lastError.fix}`,
    ];
  });
  const columns = [
    { title: "sink" },
    { title: "state" },
    { title: "target" },
    { title: "delivered", right: true },
    { title: "backlog", right: true },
    { title: "last error" },
  ];
  shell.table(columns, rows);
}

function showTest(shell: Shell, name: string, answer: z.infer<typeof tested>): void {
  if (answer.ok) {
    shell.print(`${name} answers: ${answer.protocol ?? "connected"} in ${waited(answer.elapsedMs)}`);
    return;
  }
  const { code, why, fix } = answer.error ?? {
    code: "E_SINK_UNAVAILABLE",
    why: "no reason was given",
    fix: "see the log",
  };
  shell.pairs([
    [name, `${code} after ${waited(answer.elapsedMs)}`],
    ["why", why],
    ["do", fix],
  ]);
}
