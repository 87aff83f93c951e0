/** /api/v1/serial: the configured serial lines, who is on them, and what else is plugged in. */
import { createRoute } from "@hono/zod-openapi";
import { type AdminApp, answer, FAILURE, type RouteParts, SECURITY } from "../admin-context.js";
import type { SerialFacts } from "../admin-host.js";
import { SerialSchema, type SerialView } from "../api-schemas.js";
import { isoOrEpoch } from "../views.js";

const show = createRoute({
  method: "get",
  path: "/api/v1/serial",
  tags: ["gateway"],
  security: SECURITY,
  summary: "Serial lines of the configuration with state, device and counters; and the ports of this machine",
  responses: { 200: answer(SerialSchema, "Lines in the order of the configuration"), ...FAILURE },
});

/** Add the route of serial lines. */
export function serialRoutes(app: AdminApp, { host }: RouteParts): void {
  app.openapi(show, async (c) => c.json(serialView(await host.serial()), 200));
}

/** A port counts as configured under either of its names. */
function serialView({ lines, ports }: SerialFacts): SerialView {
  const used = new Set(lines.map(({ path }) => path));
  return {
    lines: lines.map(({ problem, chatter, ...line }) => ({
      ...line,
      problem: problem === null ? null : { code: problem.code, why: problem.why, fix: problem.fix },
      chatter: chatter.map(({ atUnixMs, text }) => ({ at: isoOrEpoch(atUnixMs), text })),
    })),
    ports: ports.map((port) => ({ ...port, configured: used.has(port.path) || used.has(port.device) })),
  };
}
