/** Logging in and out, and the administrator's password. */
import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { setCookie } from "hono/cookie";
import { GatewayError } from "../../core/errors.js";
import {
  type AdminApp,
  type AdminEnv,
  actor,
  answer,
  body,
  FAILURE,
  peerAddress,
  type RouteParts,
  SECURITY,
} from "../admin-context.js";
import { LoginCodeSchema, LoginSchema, NewPasswordSchema, SessionSchema } from "../api-schemas.js";
import type { OpenedSession } from "../login-sessions.js";

const base = { tags: ["login"], security: SECURITY };
const DONE = { description: "Done" };

const login = createRoute({
  ...base,
  security: [],
  method: "post",
  path: "/api/v1/login",
  summary: "Open a session with a one-use code or the password; the answer sets a cookie",
  request: { body: body(LoginSchema) },
  responses: { 204: DONE, ...FAILURE },
});
const logout = createRoute({
  ...base,
  method: "post",
  path: "/api/v1/logout",
  summary: "End this session",
  responses: { 204: DONE, ...FAILURE },
});
const session = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/session",
  summary: "Who am I",
  responses: { 200: answer(SessionSchema, "The credential this request carries"), ...FAILURE },
});
const code = createRoute({
  ...base,
  method: "post",
  path: "/api/v1/login-codes",
  summary: "A one-use login code for a browser; only for the bearer of the admin token",
  responses: { 201: answer(LoginCodeSchema, "The code, and the path to open"), ...FAILURE },
});
const password = createRoute({
  ...base,
  method: "put",
  path: "/api/v1/password",
  summary: "Set the administrator's password; a session must give the current one",
  request: { body: body(NewPasswordSchema) },
  responses: { 204: DONE, ...FAILURE },
});

/** Add the routes of logging in, sessions and the password. */
export function loginRoutes(app: AdminApp, parts: RouteParts): void {
  const { auth, host } = parts;
  app.openapi(login, async (c) => {
    const wanted = c.req.valid("json");
    const address = peerAddress(c);
    const opened =
      "code" in wanted
        ? auth.loginWithCode(wanted.code, address)
        : await auth.loginWithPassword(wanted.password, address);
    giveCookie(c, parts, opened);
    host.audit(`session@${address}`, "login", "code" in wanted ? "link" : "password");
    return c.body(null, 204);
  });
  app.openapi(logout, (c) => {
    auth.logout(c.get("credential"));
    giveCookie(c, parts, null);
    return c.body(null, 204);
  });
  app.openapi(session, async (c) => {
    const credential = c.get("credential");
    const passwordSet = await auth.hasPassword();
    const { gatewayId: gateway, version } = host;
    const expiresInMs = auth.remainingMs(credential);
    return c.json({ gateway, version, kind: credential.kind, expiresInMs, passwordSet }, 200);
  });
  app.openapi(code, (c) => {
    if (c.get("credential").kind !== "token") {
      throw new GatewayError("E_FORBIDDEN", "a session cannot open further sessions", { fix: "use the admin token" });
    }
    const issued = auth.issueLoginCode();
    host.audit(actor(c), "login.code", "");
    return c.json({ ...issued, path: `/login#${issued.code}` }, 201);
  });
  app.openapi(password, async (c) => {
    const { password: wanted, current } = c.req.valid("json");
    await auth.setPassword(c.get("credential"), wanted, current, peerAddress(c));
    host.audit(actor(c), "password.set", "");
    return c.body(null, 204);
  });
}

/** Set the session's cookie, or take it back. Never readable by scripts, never sent from other sites. */
function giveCookie(c: Context<AdminEnv>, { auth, secure }: RouteParts, opened: OpenedSession | null): void {
  setCookie(c, auth.cookieName, opened?.secret ?? "", {
    httpOnly: true,
    sameSite: "Strict",
    secure,
    path: "/",
    maxAge: opened === null ? 0 : auth.sessionMs / 1000,
  });
}
