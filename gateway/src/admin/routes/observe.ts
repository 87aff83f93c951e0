/** What the gateway says of itself: health, metrics, status, configuration, gaps, history. */
import { createRoute, z } from "@hono/zod-openapi";
import { GatewayError } from "../../core/errors.js";
import { type AdminApp, answer, FAILURE, type RouteParts, SECURITY } from "../admin-context.js";
import {
  ConfigSchema,
  DeviceParams,
  GapQuerySchema,
  GapSchema,
  HistoryQuerySchema,
  HistorySchema,
  RatesSchema,
  StatusSchema,
} from "../api-schemas.js";
import { gapView, statusView } from "../views.js";

const base = { tags: ["gateway"], security: SECURITY };
const HISTORY_MS_DEFAULT = 3600 * 1000;
const HealthSchema = z.object({ status: z.enum(["ok", "starting", "stopping", "failed"]) });

const health = createRoute({
  method: "get",
  path: "/healthz",
  tags: ["gateway"],
  security: [],
  summary: "Is the gateway up? Needs no credential",
  responses: { 200: answer(HealthSchema, "Yes"), 503: answer(HealthSchema, "Starting, stopping or failed") },
});
const metrics = createRoute({
  ...base,
  method: "get",
  path: "/metrics",
  summary: "Prometheus text format",
  responses: { 200: { content: { "text/plain": { schema: z.string() } }, description: "Metrics" }, ...FAILURE },
});
const status = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/status",
  summary: "One page of numbers",
  responses: { 200: answer(StatusSchema, "Status"), ...FAILURE },
});
const rates = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/rates",
  summary: "Records acknowledged per second over the last five minutes",
  responses: { 200: answer(RatesSchema, "Rates, oldest first"), ...FAILURE },
});
const config = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/config",
  summary: "The configuration in force, without secrets, and where each value came from",
  responses: { 200: answer(ConfigSchema, "Configuration"), ...FAILURE },
});
const gaps = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/gaps",
  summary: "The list of everything that is missing, and why",
  request: { query: GapQuerySchema },
  responses: {
    200: answer(
      z.object({ gaps: z.array(GapSchema), next: z.number().nullable() }),
      "Gaps by id; `next`: pass as `after`",
    ),
    ...FAILURE,
  },
});
const history = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/devices/{id}/history",
  tags: ["devices"],
  summary: "One signal over time, in columns; min/avg/max per bucket past `points`; null marks a gap",
  request: { params: DeviceParams, query: HistoryQuerySchema },
  responses: { 200: answer(HistorySchema, "Columns"), ...FAILURE },
});

/** Add the routes that only read: health, metrics, status, configuration, gaps, history. */
export function observeRoutes(app: AdminApp, { host, clock }: RouteParts): void {
  app.openapi(health, (c) => {
    const state = host.health();
    return state === "ok" ? c.json({ status: state }, 200) : c.json({ status: state }, 503);
  });
  app.openapi(metrics, async (c) => {
    const { text, contentType } = await host.metrics();
    return c.text(text, 200, { "Content-Type": contentType });
  });
  app.openapi(status, async (c) => c.json(statusView(host, await host.status()), 200));
  app.openapi(rates, (c) => {
    const { stepMs, perSecond } = host.ackedRates();
    return c.json({ stepMs, acked: [...perSecond] }, 200);
  });
  app.openapi(config, (c) => {
    const { file, effective, sources } = host.config();
    return c.json({ file, effective, sources: { ...sources } }, 200);
  });
  app.openapi(gaps, async (c) => {
    const { device, after, limit } = c.req.valid("query");
    const query = {
      limit,
      ...(device === undefined ? {} : { device }),
      ...(after === undefined ? {} : { afterId: after }),
    };
    const found = (await host.gaps(query)).map(gapView);
    return c.json({ gaps: found, next: found.length < limit ? null : (found.at(-1)?.id ?? null) }, 200);
  });
  app.openapi(history, async (c) => {
    const device = c.req.valid("param").id;
    const { signal, from, to, points } = c.req.valid("query");
    const toUnixMs = to ?? clock.unixMs();
    const fromUnixMs = from ?? toUnixMs - HISTORY_MS_DEFAULT;
    if (!(fromUnixMs < toUnixMs)) throw new GatewayError("E_BAD_REQUEST", "from: must lie before `to`");
    const { unit, bucketMs, t, v, min, avg, max, before } = await host.history.read({
      device,
      signal,
      fromUnixMs,
      toUnixMs,
      pointsMax: points,
    });
    const edge = before === undefined ? {} : { before: before === null ? null : { t: before.t, v: before.v } };
    const columns = { ...edge, ...(v && { v: [...v] }), ...(min && { min: [...min] }), ...(avg && { avg: [...avg] }) };
    const range = { from: fromUnixMs, to: toUnixMs };
    return c.json(
      { device, signal, unit, ...range, bucketMs, t: [...t], ...columns, ...(max && { max: [...max] }) },
      200,
    );
  });
}
