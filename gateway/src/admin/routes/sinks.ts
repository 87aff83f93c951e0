/** /api/v1/sinks: where data goes, how far behind it is, and what could not be delivered. */
import { createRoute, z } from "@hono/zod-openapi";
import { GatewayError } from "../../core/errors.js";
import { type AdminApp, actor, answer, FAILURE, type RouteParts, SECURITY } from "../admin-context.js";
import { QuarantinedSchema, SinkParams, SinkSchema, SinkTestSchema, type SinkView } from "../api-schemas.js";
import { quarantinedView, sinkViews } from "../views.js";

const base = { tags: ["sinks"], security: SECURITY };
const QuarantineQuery = z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100) });
const sinkAnswer = { 200: answer(SinkSchema, "The sink"), ...FAILURE };

const list = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/sinks",
  summary: "All sinks with state and backlog; sinks that left the configuration show as orphaned",
  responses: { 200: answer(z.object({ sinks: z.array(SinkSchema) }), "Sinks"), ...FAILURE },
});
const test = createRoute({
  ...base,
  method: "post",
  path: "/api/v1/sinks/{name}/test",
  summary: "Connect once, beside the running connection",
  request: { params: SinkParams },
  responses: { 200: answer(SinkTestSchema, "What came of it"), ...FAILURE },
});
const pause = createRoute({
  ...base,
  method: "post",
  path: "/api/v1/sinks/{name}/pause",
  summary: "Stop sending; the backlog is kept",
  request: { params: SinkParams },
  responses: sinkAnswer,
});
const resume = createRoute({
  ...pause,
  path: "/api/v1/sinks/{name}/resume",
  summary: "Go on sending; a sink that waits for its next attempt makes it now",
});
const quarantine = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/sinks/{name}/quarantine",
  summary: "Records this sink could not take",
  request: { params: SinkParams, query: QuarantineQuery },
  responses: { 200: answer(z.object({ records: z.array(QuarantinedSchema) }), "Records"), ...FAILURE },
});

const requeue = createRoute({
  ...base,
  method: "post",
  path: "/api/v1/sinks/{name}/quarantine/{id}/requeue",
  summary: "Send a quarantined record again, byte for byte; its state in the list says what came of it",
  request: { params: SinkParams.extend({ id: z.coerce.number().int().min(1) }) },
  responses: { 202: { description: "It is sent in its turn, also after a restart" }, ...FAILURE },
});
const forget = createRoute({
  ...base,
  method: "delete",
  path: "/api/v1/sinks/{name}",
  summary: "Forget the place of a sink that left the configuration, and its quarantine",
  request: { params: SinkParams },
  responses: { 204: { description: "Forgotten" }, ...FAILURE },
});

/** Add the routes of sinks. */
export function sinkRoutes(app: AdminApp, parts: RouteParts): void {
  const { host } = parts;
  app.openapi(list, async (c) => c.json({ sinks: await allSinks(parts) }, 200));
  app.openapi(test, async (c) => {
    const { ok, elapsedMs, protocol, error } = await host.sinks.test(c.req.valid("param").name);
    return c.json({ ok, elapsedMs, protocol, error: error === null ? null : { ...error } }, 200);
  });
  app.openapi(pause, async (c) => {
    const { name } = c.req.valid("param");
    await host.sinks.pause(name);
    host.audit(actor(c), "sink.pause", name);
    return c.json(await oneSink(parts, name), 200);
  });
  app.openapi(resume, async (c) => {
    const { name } = c.req.valid("param");
    await host.sinks.resume(name);
    host.audit(actor(c), "sink.resume", name);
    return c.json(await oneSink(parts, name), 200);
  });
  app.openapi(quarantine, async (c) => {
    const { name } = c.req.valid("param");
    await oneSink(parts, name);
    const records = await host.sinks.quarantined(name, c.req.valid("query").limit);
    return c.json({ records: records.map(quarantinedView) }, 200);
  });
  app.openapi(requeue, async (c) => {
    const { name, id } = c.req.valid("param");
    await host.sinks.requeue(name, id);
    host.audit(actor(c), "sink.requeue", `${name} ${id}`);
    return c.body(null, 202);
  });
  app.openapi(forget, async (c) => {
    const { name } = c.req.valid("param");
    await host.sinks.forget(name);
    host.audit(actor(c), "sink.forget", name);
    return c.body(null, 204);
  });
}

async function allSinks({ host }: RouteParts): Promise<SinkView[]> {
  return sinkViews(host.sinks.list(), await host.sinks.backlog());
}

/** Errors: E_SINK_UNKNOWN. */
async function oneSink(parts: RouteParts, name: string): Promise<SinkView> {
  const sink = (await allSinks(parts)).find((known) => known.name === name);
  if (sink === undefined) throw new GatewayError("E_SINK_UNKNOWN", `no sink is called ${name}`);
  return sink;
}
