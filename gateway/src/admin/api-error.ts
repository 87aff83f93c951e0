/** Failures as the API answers them: `{error:{code,what,why,fix}}` with the status of the error's row. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ZodError } from "zod";
import { asGatewayError, ERRORS, GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";

export interface ErrorBody {
  readonly error: { readonly code: string; readonly what: string; readonly why: string; readonly fix: string };
}

/** The JSON shape of a failure; never carries a cause or a stack. */
export function errorBody(error: GatewayError): ErrorBody {
  return { error: { code: error.code, what: ERRORS[error.code].what, why: error.why, fix: error.fix } };
}

/** Answer anything thrown by a handler. Internals are logged, never shown. */
export function answerError(thrown: unknown, context: Context, log: Logger): Response {
  const error = fromHttp(thrown) ?? asGatewayError(thrown);
  if (error.code !== "E_INTERNAL") return errorResponse(error, context);
  log.error(
    { error: error.why, stack: error.cause instanceof Error ? error.cause.stack : undefined },
    "a request failed",
  );
  return errorResponse(
    new GatewayError("E_INTERNAL", "something unexpected happened; the log has the details"),
    context,
  );
}

/** A failure as an answer, never cached; 401 names the scheme to use. */
export function errorResponse(error: GatewayError, context: Context): Response {
  if (error.httpStatus === 401) context.header("WWW-Authenticate", 'Bearer realm="tidegate"');
  context.header("Cache-Control", "no-store");
  return context.json(errorBody(error), error.httpStatus);
}

/** What hono itself refuses: malformed JSON, a body of the wrong type. */
function fromHttp(thrown: unknown): GatewayError | null {
  if (!(thrown instanceof HTTPException) || thrown.status >= 500) return null;
  return new GatewayError("E_BAD_REQUEST", thrown.message === "" ? "the request is malformed" : thrown.message);
}

const NAME_FIELDS: ReadonlySet<PropertyKey> = new Set(["id", "deviceId", "name"]);

/** The first problem of a request, with the field it is in. */
export function badRequest(problem: ZodError): GatewayError {
  const issue = problem.issues[0];
  const field = issue?.path.at(-1);
  const isName = issue?.code === "invalid_format" && field !== undefined && NAME_FIELDS.has(field);
  const where = issue === undefined || issue.path.length === 0 ? "the body" : issue.path.map(String).join(".");
  const why = `${where}: ${issue?.message ?? "does not fit"}`;
  return new GatewayError(isName ? "E_NAME_INVALID" : "E_BAD_REQUEST", why);
}
