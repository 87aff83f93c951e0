/**
 * A thousand viewers over real sockets, some of them frozen tabs that never read: everybody else gets everything, and
 * memory and buffers stay bounded.
 */
import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import { LIVE_LIMITS } from "./live-limits.js";
import type { LiveMessage } from "./live-messages.js";
import { startTestServer, type TestServer, TOKEN } from "./testing/test-server.js";

const VIEWERS = LIVE_LIMITS.viewersMax;
const FROZEN = 20;
/** Each of our own ends costs as much as the gateway's, and both are counted here. */
const MEMORY_BYTES_MAX = 250 * 1024 * 1024;
const TEST_MS_MAX = 120_000;
const WAIT = { timeout: 60_000, interval: 50 };
const authorization = `Bearer ${TOKEN}`;

let t: TestServer;
const readers: WebSocket[] = [];
const frozen: Socket[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.terminate();
  for (const socket of frozen.splice(0)) socket.destroy();
  await t.stop();
});

/** The newest value that a viewer has seen, and whether it was told that something was left out. */
interface Seen {
  value: unknown;
  isConflated: boolean;
}

function openReader(): Promise<Seen> {
  const ws = new WebSocket(`${t.url.replace("http", "ws")}/api/v1/live`, { headers: { authorization } });
  readers.push(ws);
  const seen: Seen = { value: null, isConflated: false };
  ws.on("error", () => {});
  return new Promise((resolve) => {
    ws.on("message", (data) => {
      const message = JSON.parse(String(data)) as LiveMessage; // our own server
      if (message.type === "hello") resolve(seen);
      if (message.type === "events") seen.value = message.events.at(-1)?.readings?.[0]?.v ?? seen.value;
      if ("conflated" in message && message.conflated === true) seen.isConflated = true;
    });
  });
}

/** A tab that was suspended: connected, and never reading again. */
function openFrozen(): Promise<void> {
  const socket = connect(t.port, "127.0.0.1");
  frozen.push(socket);
  const headers = `Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nAuthorization: ${authorization}`;
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
  socket.on("error", () => {});
  socket.write(`GET /api/v1/live HTTP/1.1\r\n${headers}\r\n${key}\r\n\r\n`);
  return new Promise((resolve) => {
    socket.once("data", () => {
      socket.pause();
      resolve();
    });
  });
}

/** What the gateway holds for all viewers together, as its metrics say. */
async function bufferedBytes(): Promise<number> {
  const found = /^tidegate_live_buffered_bytes (\S+)$/m.exec(await t.metrics.text());
  return Number(found?.[1] ?? Number.NaN);
}

it(
  "gives a thousand viewers the same, refuses one more, and holds little for those who do not read",
  async () => {
    t = await startTestServer({ liveLimits: { statusMs: 3_600_000, beatMs: 3_600_000 } });
    const before = process.memoryUsage().rss;
    for (let i = 0; i < FROZEN; i++) await openFrozen();
    const seen: Seen[] = [];
    while (seen.length < VIEWERS - FROZEN) {
      const some = Math.min(100, VIEWERS - FROZEN - seen.length);
      seen.push(...(await Promise.all(Array.from({ length: some }, openReader))));
    }
    expect(t.server.feed.viewerCount).toBe(VIEWERS);
    expect((await t.ask("GET", "/api/v1/live/sse")).status).toBe(429);
    for (let i = 1; i <= 50; i++) t.host.report("attic-7", { temperature: i });
    await expect.poll(() => seen.filter(({ value }) => value === 50).length, WAIT).toBe(VIEWERS - FROZEN);
    expect(seen.filter(({ isConflated }) => isConflated)).toEqual([]);
    const perViewerMax = LIVE_LIMITS.viewerBufferBytesMax + LIVE_LIMITS.frameBytesMax;
    expect(await bufferedBytes()).toBeLessThanOrEqual(FROZEN * perViewerMax);
    expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_BYTES_MAX);
  },
  TEST_MS_MAX,
);

it(
  "fills the buffer of a frozen tab up to its cap and no further, while another viewer gets every record",
  async () => {
    t = await startTestServer({ liveLimits: { statusMs: 3_600_000, beatMs: 3_600_000 } });
    for (let i = 0; i < FROZEN; i++) await openFrozen();
    const seen = await openReader();
    const text = "x".repeat(200);
    const perViewerMax = LIVE_LIMITS.viewerBufferBytesMax + LIVE_LIMITS.frameBytesMax;
    // More than any kernel holds for a socket that nobody reads.
    for (let i = 1; t.metrics.read("live_conflations") < FROZEN; i++) {
      expect(i).toBeLessThan(400);
      const readings = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`s${n}`, `${i} ${text}`]));
      for (let n = 0; n < 5; n++) t.host.report("attic-7", readings);
      await expect.poll(() => seen.value, WAIT).toBe(`${i} ${text}`);
      expect(await bufferedBytes()).toBeLessThanOrEqual(FROZEN * perViewerMax);
    }
    expect(seen.isConflated).toBe(false);
    expect(t.server.feed.viewerCount).toBe(FROZEN + 1);
  },
  TEST_MS_MAX,
);
