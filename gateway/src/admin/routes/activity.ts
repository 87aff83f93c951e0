/** What happened lately, from memory: log lines of the gateway, and when a device came and went. */
import { createRoute } from "@hono/zod-openapi";
import { type AdminApp, answer, FAILURE, type RouteParts, SECURITY } from "../admin-context.js";
import { DeviceParams, LogQuerySchema, LogsSchema, PresenceLogSchema } from "../api-schemas.js";
import { PresenceLog } from "../presence-log.js";
import { isoTime } from "../views.js";

const logs = createRoute({
  method: "get",
  path: "/api/v1/logs",
  tags: ["gateway"],
  security: SECURITY,
  summary: "The newest log lines of this process, secrets removed; `lastId`: pass as `after`",
  request: { query: LogQuerySchema },
  responses: { 200: answer(LogsSchema, "Lines, oldest first"), ...FAILURE },
});
const presence = createRoute({
  method: "get",
  path: "/api/v1/devices/{id}/presence",
  tags: ["devices"],
  security: SECURITY,
  summary: "When the device came and went since the gateway started",
  request: { params: DeviceParams },
  responses: { 200: answer(PresenceLogSchema, "Changes, oldest first"), ...FAILURE },
});

/** Add the routes of log lines and of presence. */
export function activityRoutes(app: AdminApp, { host, clock }: RouteParts): void {
  const log = new PresenceLog();
  const since = isoOf(clock.unixMs());
  host.devices.onPresence((device, { presence, remote }) =>
    log.note(device, { atUnixMs: clock.unixMs(), presence, remote }),
  );
  app.openapi(logs, (c) => {
    const { after, level, device, limit } = c.req.valid("query");
    const { lines, lastId, droppedCount } = host.logs({ afterId: after, levelMin: level, device, limit });
    const shown = lines.map(({ id, atUnixMs, level, message, facts }) => ({
      id,
      at: isoOf(atUnixMs),
      level,
      message,
      facts: { ...facts },
    }));
    return c.json({ lines: shown, lastId, droppedCount }, 200);
  });
  app.openapi(presence, (c) => {
    const changes = log.of(c.req.valid("param").id);
    const shown = changes.map(({ atUnixMs, presence, remote }) => ({ at: isoOf(atUnixMs), presence, remote }));
    return c.json({ since, changes: shown }, 200);
  });
}

const isoOf = (unixMs: number): string => isoTime(unixMs) ?? new Date(0).toISOString();
