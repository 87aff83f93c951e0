/**
 * The admin API as one hono app: the guards in front, the routes behind.
 *
 *   request ─▶ headers ─▶ Host ─▶ Origin (unsafe methods) ─▶ credential (all but three) ─▶ size ─▶ route
 *                          403     403                        401                            413
 */
import { createMiddleware } from "hono/factory";
import { GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { type AdminApp, type AdminEnv, newApp, type RouteParts } from "./admin-context.js";
import { answerError, errorResponse } from "./api-error.js";
import { isUnsafe, originAllowed } from "./guard-rules.js";
import { activityRoutes } from "./routes/activity.js";
import { backupRoutes } from "./routes/backup.js";
import { commandRoutes } from "./routes/commands.js";
import { deviceRoutes } from "./routes/devices.js";
import { loginRoutes } from "./routes/login.js";
import { observeRoutes } from "./routes/observe.js";
import { liveRoutes, loginPage, pageRoutes } from "./routes/pages.js";
import { serialRoutes } from "./routes/serial.js";
import { sinkRoutes } from "./routes/sinks.js";
import { SECURITY_HEADERS } from "./security-headers.js";
import { sizeGuard } from "./size-guard.js";

export interface AppParts extends RouteParts {
  readonly log: Logger;
  /** Is this a Host header the gateway is reached by? */
  readonly hostAllowed: (host: string | undefined) => boolean;
}

/** The whole API as one app; serve its `fetch`. */
export function createAdminApp(parts: AppParts): AdminApp {
  const app = newApp();
  app.onError((error, c) => answerError(error, c, parts.log));
  app.notFound((c) => errorResponse(new GatewayError("E_NOT_FOUND", "the API has no such address"), c));
  app.use(headers, crossSiteGuard(parts), credentialGuard(parts), sizeGuard);
  pageRoutes(app, parts);
  liveRoutes(app, parts);
  observeRoutes(app, parts);
  loginRoutes(app, parts);
  deviceRoutes(app, parts);
  commandRoutes(app, parts);
  sinkRoutes(app, parts);
  serialRoutes(app, parts);
  activityRoutes(app, parts);
  backupRoutes(app, parts);
  describe(app, parts.host.version);
  return app;
}

const headers = createMiddleware<AdminEnv>(async (c, next) => {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
  if (c.req.path.startsWith("/api/") || c.req.path === "/metrics") c.header("Cache-Control", "no-store");
  await next();
});

function crossSiteGuard({ hostAllowed }: AppParts) {
  return createMiddleware<AdminEnv>(async (c, next) => {
    const host = c.req.header("host");
    if (!hostAllowed(host)) throw hostRefused(host);
    const { method } = c.req;
    if (isUnsafe(method) && !originAllowed(c.req.header("origin"), host, c.req.header("sec-fetch-site"))) {
      throw originRefused();
    }
    await next();
  });
}

/** Shared with the WebSocket door. */
export function hostRefused(host: string | undefined): GatewayError {
  return new GatewayError("E_FORBIDDEN", `the gateway is not reached by the name ${JSON.stringify(host ?? "")}`, {
    fix: "use its address or localhost, or add the name to admin.names",
  });
}

/** Shared with the WebSocket door. */
export function originRefused(): GatewayError {
  return new GatewayError("E_FORBIDDEN", "the request comes from another site", { fix: "use the gateway's own page" });
}

/** Shared with the WebSocket door. */
export function noCredential(): GatewayError {
  return new GatewayError("E_UNAUTHORIZED", "no valid token or session came with the request");
}

function credentialGuard({ auth, assets }: AppParts) {
  const isPublicFile = (name: string): boolean => assets.files.get(name)?.isPublic === true;
  return createMiddleware<AdminEnv>(async (c, next) => {
    const credential = auth.check(c.req.header("authorization"), c.req.header("cookie"));
    if (credential !== null) c.set("credential", credential);
    if (credential !== null || isPublic(c.req.method, c.req.path, isPublicFile)) return await next();
    const wantsPage = c.req.method === "GET" && c.req.path === "/" && c.req.header("accept")?.includes("text/html");
    return wantsPage === true ? loginPage(c, assets.login) : errorResponse(noCredential(), c);
  });
}

/** Health, the login page with its files, and logging in: all there is without a credential. */
function isPublic(method: string, path: string, isPublicFile: (name: string) => boolean): boolean {
  if (method === "POST") return path === "/api/v1/login";
  if (method !== "GET" && method !== "HEAD") return false;
  return path === "/healthz" || path === "/login" || (path.startsWith("/assets/") && isPublicFile(path.slice(8)));
}

function describe(app: AdminApp, version: string): void {
  const schemes = app.openAPIRegistry;
  schemes.registerComponent("securitySchemes", "adminToken", { type: "http", scheme: "bearer" });
  schemes.registerComponent("securitySchemes", "session", { type: "apiKey", in: "cookie", name: "tidegate_session" });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: { title: "Tidegate admin API", version, license: { name: "Apache-2.0" } },
  });
}
