/** The server-sent-events door of the live feed, for scripts and for networks that break WebSockets. */
import type { ServerResponse } from "node:http";
import type { LiveFeed, ResumePoint } from "./live-feed.js";
import type { Viewer } from "./live-seat.js";
import type { ViewerEntry } from "./live-socket.js";
import { SECURITY_HEADERS } from "./security-headers.js";

/** How long a browser waits before it reconnects by itself. */
const RETRY_MS = 2000;

/** Turn a response into a seat in the feed. The feed's `hasPlace` was asked. */
export function openEventStream(feed: LiveFeed, response: ServerResponse, { from, allowed }: ViewerEntry): void {
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    Connection: "keep-alive",
    "X-Accel-Buffering": "no",
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  const leave = feed.join(responseViewer(response, feed.storeId, allowed), from);
  response.on("error", leave);
  response.on("close", leave);
}

function responseViewer(response: ServerResponse, storeId: string, allowed: () => boolean): Viewer {
  return {
    bufferedBytes: () => response.writableLength,
    send: (frame) => {
      if (!response.destroyed && !response.writableEnded) response.write(frame.sseBytes(storeId));
    },
    allowed,
    close: (why) => {
      if (why === "stuck") response.destroy();
      else response.end();
    },
  };
}

/**
 * Where to go on: the query, or what the browser remembered as `<store>:<id>`. The header is the newer of the two: a
 * browser repeats the query of its first connection. Anything malformed means "from now".
 */
export function resumePoint(after: string | undefined, store: string | undefined, lastEventId?: string): ResumePoint {
  const remembered = /^(?:([0-9A-Za-z_-]{1,64}):)?(\d{1,15})$/.exec(lastEventId ?? "");
  if (remembered !== null) return { after: Number(remembered[2]), store: remembered[1] };
  return after !== undefined && /^\d{1,15}$/.test(after) ? { after: Number(after), store } : {};
}
