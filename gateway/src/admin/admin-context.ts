/** What every route of the admin API gets: the request's environment, and the parts it works with. */
import type { HttpBindings } from "@hono/node-server";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Clock } from "../core/clock.js";
import type { AdminAuth, Credential } from "./admin-auth.js";
import type { AdminHost } from "./admin-host.js";
import { badRequest } from "./api-error.js";
import { ErrorSchema } from "./api-schemas.js";
import type { LiveFeed } from "./live-feed.js";
import type { StaticAssets } from "./static-assets.js";

/** `credential` is set on every route but the public ones. */
export type AdminEnv = { Bindings: HttpBindings; Variables: { credential: Credential } };
export type AdminApp = OpenAPIHono<AdminEnv>;

export interface RouteParts {
  readonly host: AdminHost;
  readonly auth: AdminAuth;
  readonly feed: LiveFeed;
  readonly clock: Clock;
  readonly assets: StaticAssets;
  /** Connections are TLS: cookies are marked Secure. */
  readonly secure: boolean;
}

/** An app whose failed validations throw the API's own error. */
export function newApp(): AdminApp {
  return new OpenAPIHono<AdminEnv>({
    defaultHook: (result) => {
      if (!result.success) throw badRequest(result.error);
    },
  });
}

/** The peer, for throttling and the audit table. */
export function peerAddress(context: Context<AdminEnv>): string {
  return context.env.incoming.socket.remoteAddress ?? "unknown";
}

/** Who does it, for the audit table. */
export function actor(context: Context<AdminEnv>): string {
  return `${context.get("credential").kind}@${peerAddress(context)}`;
}

/** A JSON answer in an OpenAPI route. */
export function answer<T>(schema: T, description: string) {
  return { content: { "application/json": { schema } }, description };
}

/** A required JSON body in an OpenAPI route. */
export function body<T>(schema: T) {
  return { content: { "application/json": { schema } }, required: true };
}

/** Every failure has one shape. */
export const FAILURE = { default: answer(ErrorSchema, "What, why, and what to do") } as const;

export const SECURITY: { [scheme: string]: string[] }[] = [{ adminToken: [] }, { session: [] }];
