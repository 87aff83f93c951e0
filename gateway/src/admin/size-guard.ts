/**
 * No request body longer than 64 KiB is held in memory, whether its length was announced or not.
 *
 * Hono's own body-limit middleware rebuilds requests in a way that needs patched globals on Node; this one reads a
 * chunked body itself, with the ceiling, and hands a plain Request on.
 */
import { createMiddleware } from "hono/factory";
import { GatewayError } from "../core/errors.js";
import type { AdminEnv } from "./admin-context.js";
import { BODY_BYTES_MAX } from "./api-schemas.js";
import { isUnsafe } from "./guard-rules.js";

const tooLarge = (): GatewayError => new GatewayError("E_TOO_LARGE", `the body is longer than ${BODY_BYTES_MAX} bytes`);

export const sizeGuard = createMiddleware<AdminEnv>(async (c, next) => {
  if (!isUnsafe(c.req.method)) return await next();
  // Node's parser refuses a body that is longer than its Content-Length.
  if (Number(c.req.header("content-length") ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  if (c.req.header("transfer-encoding") !== undefined) {
    const body = await readBounded(c.env.incoming);
    c.req.raw = new Request(c.req.url, { method: c.req.method, headers: c.req.header(), body });
  }
  return await next();
});

async function readBounded(incoming: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw tooLarge();
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
