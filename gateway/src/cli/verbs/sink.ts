/** `tidegate sink ls | test | pause | resume`: where telemetry goes. */
import type { Command } from "commander";
import * as z from "zod";
import { grouped, span, waited } from "../quantities.js";
import { gatewayVerb, type ReadOptions, readVerb, type Shell } from "../shell.js";

const problem = z.looseObject({ code: z.string(), why: z.string(), fix: z.string() }).nullable();
const sink = z.looseObject({
  name: z.string(),
  state: z.string(),
  target: z.string(),
  protocol: z.string().nullable().default(null),
  lastError: problem.default(null),
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

const pathOf = (name: string, verb: string): string => `/api/v1/sinks/${encodeURIComponent(name)}/${verb}`;

/** Adds `sink ls | test | pause | resume` to the program. */
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
    ["resume", "go on sending"],
  ] as const) {
    gatewayVerb(group, verb, summary)
      .argument("<name>")
      .action(async (name: string, options: ReadOptions) => {
        const found = await shell.client(options).call("POST", pathOf(name, verb), sink);
        shell.print(`${found.name} is ${found.state}`);
      });
  }
}

function showList(shell: Shell, list: readonly Sink[]): void {
  const { paint } = shell;
  const rows = list.map((s) => {
    const state = s.backlog.orphaned ? "not configured" : s.state;
    return [
      s.name,
      { text: state, paint: state === "up" ? paint.good : paint.warn },
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
