/** The dashboard's pages and files, and the SSE door of the live feed. */
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";
import { GatewayError } from "../../core/errors.js";
import type { AdminApp, AdminEnv, RouteParts } from "../admin-context.js";
import { openEventStream, resumePoint } from "../live-sse.js";
import type { Asset } from "../static-assets.js";

const YEAR_S = 31_536_000;

/** Add the dashboard's pages and files. */
export function pageRoutes(app: AdminApp, { assets }: RouteParts): void {
  app.get("/", (c) => send(c, assets.index, "no-store"));
  app.get("/login", (c) => send(c, assets.login, "no-store"));
  app.get("/assets/:file", (c) => {
    const asset = assets.files.get(c.req.param("file"));
    if (asset === undefined) throw new GatewayError("E_NOT_FOUND", "there is no such file");
    return send(c, asset, `public, max-age=${YEAR_S}, immutable`);
  });
}

/** Add the SSE door; the WebSocket door is an upgrade and stands in admin-server. */
export function liveRoutes(app: AdminApp, { auth, feed }: RouteParts): void {
  app.get("/api/v1/live/sse", (c) => {
    if (!feed.hasPlace()) throw new GatewayError("E_TOO_MANY", "all places for live viewers are taken");
    const credential = c.get("credential");
    const from = resumePoint(c.req.query("after"), c.req.query("store"), c.req.header("last-event-id"));
    openEventStream(feed, c.env.outgoing, { from, allowed: () => auth.holds(credential) });
    return RESPONSE_ALREADY_SENT;
  });
  app.get("/api/v1/live", () => {
    throw new GatewayError("E_BAD_REQUEST", "this address speaks WebSocket", {
      fix: "connect with a WebSocket client, or use /api/v1/live/sse",
    });
  });
}

/** The login page, answered to whoever asks for a page without a session. */
export function loginPage(c: Context<AdminEnv>, login: Asset): Response {
  c.header("WWW-Authenticate", 'Bearer realm="tidegate"');
  return send(c, login, "no-store", 401);
}

function send(c: Context<AdminEnv>, asset: Asset, cacheControl: string, status: 200 | 401 = 200): Response {
  c.header("Content-Type", asset.type);
  c.header("Cache-Control", cacheControl);
  return c.body(asset.bytes, status);
}
