/** /api/v1/commands and the way to send one: durable before it is answered, idempotent by key. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { GatewayError } from "../../core/errors.js";
import { ARGS_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX } from "../../model/command.js";
import {
  type AdminApp,
  type AdminEnv,
  actor,
  answer,
  body,
  FAILURE,
  type RouteParts,
  SECURITY,
} from "../admin-context.js";
import {
  CommandAcceptedSchema,
  CommandParams,
  CommandQuerySchema,
  CommandSchema,
  DeviceParams,
  NewCommandSchema,
} from "../api-schemas.js";
import { commandView } from "../views.js";

const base = { tags: ["commands"], security: SECURITY };
const one = { ...base, path: "/api/v1/commands/{commandId}", request: { params: CommandParams } } as const;

const IdempotencyHeader = z.object({
  "idempotency-key": z.string().min(1).max(IDEMPOTENCY_KEY_CHARS_MAX).optional().openapi({
    description: "Repeats within 24 h with the same key return the first command",
  }),
});
const submit = createRoute({
  ...base,
  method: "post",
  path: "/api/v1/devices/{id}/commands",
  summary: "Send a command; answered once it is on disk",
  request: { params: DeviceParams, headers: IdempotencyHeader, body: body(NewCommandSchema) },
  responses: { 202: answer(CommandAcceptedSchema, "Accepted; follow it by its id"), ...FAILURE },
});
const show = createRoute({
  ...one,
  method: "get",
  summary: "One command and its state",
  responses: { 200: answer(CommandSchema, "The command"), ...FAILURE },
});
const cancel = createRoute({
  ...one,
  method: "delete",
  summary: "Cancel a command that was not transmitted yet",
  responses: { 200: answer(CommandSchema, "The command"), ...FAILURE },
});
const list = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/commands",
  summary: "Commands, newest first",
  request: { query: CommandQuerySchema },
  responses: { 200: answer(z.object({ commands: z.array(CommandSchema) }), "Commands"), ...FAILURE },
});

/** Add the routes of commands. */
export function commandRoutes(app: AdminApp, { host }: RouteParts): void {
  app.openapi(submit, async (c) => {
    const { name, args, ttlMs, delivery } = c.req.valid("json");
    const device = c.req.valid("param").id;
    const { command, repeated } = await host.commands.submit({
      device,
      name,
      args: argsText(args),
      delivery: delivery ?? null,
      ttlMs: ttlMs ?? null,
      source: source(c),
      idempotencyKey: c.req.valid("header")["idempotency-key"] ?? null,
    });
    if (!repeated) host.audit(actor(c), "command.send", `${device}/${name} ${command.commandId}`);
    c.header("Location", `/api/v1/commands/${command.commandId}`);
    return c.json({ commandId: command.commandId, state: command.state, repeated }, 202);
  });
  app.openapi(show, async (c) => {
    const { commandId } = c.req.valid("param");
    const command = await host.commands.get(commandId);
    if (command === null) throw new GatewayError("E_COMMAND_UNKNOWN", `no command has the id ${commandId}`);
    return c.json(commandView(command), 200);
  });
  app.openapi(cancel, async (c) => {
    const { commandId } = c.req.valid("param");
    const command = await host.commands.cancel(commandId);
    host.audit(actor(c), "command.cancel", commandId);
    return c.json(commandView(command), 200);
  });
  app.openapi(list, async (c) => {
    const { device, state, limit } = c.req.valid("query");
    const query = { limit, ...(device === undefined ? {} : { device }), ...(state === undefined ? {} : { state }) };
    return c.json({ commands: (await host.commands.list(query)).map(commandView) }, 200);
  });
}

/** Any JSON value as the text that travels; none becomes `null`. Errors: E_COMMAND_ARGS. */
function argsText(args: unknown): string {
  const text = JSON.stringify(args ?? null);
  const bytes = Buffer.byteLength(text);
  if (bytes > ARGS_BYTES_MAX) throw new GatewayError("E_COMMAND_ARGS", `the arguments are ${bytes} bytes of JSON`);
  return text;
}

/** Who asks: the dashboard has a session, the CLI says so, everything else is the API. */
function source(context: Context<AdminEnv>): "api" | "cli" | "dashboard" {
  if (context.get("credential").kind === "session") return "dashboard";
  return context.req.header("x-tidegate-client") === "cli" ? "cli" : "api";
}
