/** POST /api/v1/backup: everything a gateway cannot make again, as one file to be kept like a password. */
import { createRoute, z } from "@hono/zod-openapi";
import { type AdminApp, actor, FAILURE, type RouteParts, SECURITY } from "../admin-context.js";

const create = createRoute({
  method: "post",
  path: "/api/v1/backup",
  tags: ["gateway"],
  security: SECURITY,
  summary: "A backup of the running gateway: a tar file with its keys, credentials, marks and records",
  responses: {
    200: { content: { "application/x-tar": { schema: z.string() } }, description: "The file, as it is made" },
    ...FAILURE,
  },
});

/** Add the route of backups. It is a POST although it only reads: no link may start one. */
export function backupRoutes(app: AdminApp, { host }: RouteParts): void {
  app.openapi(create, async (c) => {
    const { fileName, bytes, pieces } = await host.backup();
    host.audit(actor(c), "backup.create", fileName);
    return c.body(streamOf(pieces), 200, {
      "Content-Type": "application/x-tar",
      "Content-Length": String(bytes),
      "Content-Disposition": `attachment; filename="${fileName}"`,
    });
  });
}

/** Pulled piece by piece, so that a slow reader holds nothing in memory. */
function streamOf(pieces: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(Uint8Array.from(value));
      },
      cancel: async () => {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
