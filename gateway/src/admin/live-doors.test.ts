/** Both doors of the live feed over real sockets: WebSocket and server-sent events. */
import { connect } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { LiveMessage } from "./live-messages.js";
import { startTestServer, type TestServer, TOKEN } from "./testing/test-server.js";

let t: TestServer;
beforeEach(async () => {
  t = await startTestServer({ liveLimits: { beatMs: 200, statusMs: 100 } });
});
afterEach(() => t.stop());

const authorization = `Bearer ${TOKEN}`;

function openSocket(query = "", headers: Record<string, string> = { authorization }) {
  const ws = new WebSocket(`${t.url.replace("http", "ws")}/api/v1/live${query}`, { headers });
  const messages: LiveMessage[] = [];
  const state = { ws, messages, code: 0 };
  ws.on("message", (data) => messages.push(JSON.parse(String(data))));
  ws.on("close", (code) => {
    state.code = code;
  });
  ws.on("error", () => {});
  return state;
}

async function openStream(query = "", headers: Record<string, string> = {}) {
  const stop = new AbortController();
  const response = await fetch(`${t.url}/api/v1/live/sse${query}`, {
    headers: { authorization, ...headers },
    signal: stop.signal,
  });
  const state = { response, text: "", ended: false, close: () => stop.abort() };
  const read = async (): Promise<void> => {
    for await (const chunk of response.body ?? []) state.text += Buffer.from(chunk).toString();
    state.ended = true;
  };
  void read().catch(() => {});
  return state;
}

it("shows the same messages on both doors", async () => {
  const socket = openSocket();
  const stream = await openStream();
  await expect.poll(() => socket.messages.length).toBeGreaterThan(0);
  t.host.report("attic-7", { temperature: 21.4 });
  await expect.poll(() => socket.messages.some((m) => m.type === "events")).toBe(true);
  await expect.poll(() => stream.text).toContain('"type":"events"');
  await expect.poll(() => socket.messages.some((m) => m.type === "beat")).toBe(true);
  await expect.poll(() => socket.messages.some((m) => m.type === "status")).toBe(true);
  const event = socket.messages.find((m) => m.type === "events");
  expect(stream.text).toContain(`id: store1:1\ndata: ${JSON.stringify(event)}\n\n`);
  expect(stream.response.headers.get("content-type")).toContain("text/event-stream");
  expect(stream.response.headers.get("content-security-policy")).toContain("default-src 'none'");
  stream.close();
  socket.ws.close();
  await expect.poll(() => t.server.feed.viewerCount).toBe(0);
});

it("resumes where the browser stopped: Last-Event-ID over SSE, after and store over WebSocket", async () => {
  for (let i = 0; i < 10; i++) t.host.report("attic-7", { temperature: i });
  await t.server.feed.freshen();
  await expect.poll(() => t.server.feed.latestOf("attic-7")[0]?.v).toBe(9);
  const stream = await openStream("?after=1&store=old", { "last-event-id": "store1:7" });
  await expect.poll(() => stream.text).toContain('"recovered":true');
  await expect.poll(() => stream.text).toContain("id: store1:10\n");
  expect(stream.text).toContain('"events":[{"device":"attic-7","kind":"data"');
  expect(stream.text.match(/"id":8\b/g)).toHaveLength(1);
  expect(stream.text).not.toContain('"v":6');
  const other = await openStream("", { "last-event-id": "otherstore:7" });
  await expect.poll(() => other.text).toContain('"recovered":false');
  const socket = openSocket("?after=8&store=store1");
  await expect.poll(() => socket.messages.length).toBeGreaterThan(1);
  expect(socket.messages[0]).toMatchObject({ type: "hello", recovered: true });
  expect(socket.messages[1]).toMatchObject({ type: "events", events: [{ id: 9 }, { id: 10 }] });
  for (const open of [stream, other]) open.close();
  socket.ws.close();
});

it("closes the feed of a session that logged out, with 4401", async () => {
  const cookie = await t.cookie();
  const socket = openSocket("", { cookie });
  await expect.poll(() => socket.messages.length).toBeGreaterThan(0);
  await t.ask("POST", "/api/v1/logout", { anonymous: true, headers: { cookie } });
  await expect.poll(() => socket.code).toBe(4401);
});

it("closes a viewer that sends too much, and ignores one that sends a little", async () => {
  const [chatty, loud] = [openSocket(), openSocket()];
  await expect.poll(() => Math.min(chatty.messages.length, loud.messages.length)).toBeGreaterThan(0);
  chatty.ws.send("hello?");
  loud.ws.send("x".repeat(2000));
  await expect.poll(() => loud.code).toBe(1009);
  expect(chatty.ws.readyState).toBe(WebSocket.OPEN);
  chatty.ws.close();
});

it("refuses viewers past the ceiling on both doors", async () => {
  const few = await startTestServer({ liveLimits: { viewersMax: 1 } });
  const url = `${few.url}/api/v1/live/sse`;
  const stop = new AbortController();
  await fetch(url, { headers: { authorization }, signal: stop.signal });
  expect((await fetch(url, { headers: { authorization } })).status).toBe(429);
  const status = await new Promise((resolve) => {
    const ws = new WebSocket(`${few.url.replace("http", "ws")}/api/v1/live`, { headers: { authorization } });
    ws.on("unexpected-response", (_request, answer) => resolve(answer.statusCode));
    ws.on("error", () => {});
  });
  expect(status).toBe(429);
  stop.abort();
  await few.stop();
});

it("tells viewers when the gateway stops, and does not wait for those who stay", async () => {
  const other = await startTestServer();
  const ws = new WebSocket(`${other.url.replace("http", "ws")}/api/v1/live`, { headers: { authorization } });
  const silent = connect(other.port, "127.0.0.1");
  silent.write("GET / HTTP/1.1\r\n");
  silent.on("error", () => {});
  await new Promise((resolve) => ws.once("message", resolve));
  const closed = new Promise((resolve) => ws.once("close", resolve));
  await other.stop();
  expect(await closed).toBe(1001);
  silent.destroy();
});

it("survives garbage instead of an upgrade", async () => {
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(t.port, "127.0.0.1");
    let text = "";
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("close", () => resolve(text));
    socket.write(
      "GET //[ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        `Authorization: ${authorization}\r\n\r\n`,
    );
  });
  expect(answer).toMatch(/^HTTP\/1\.1 404/);
  expect((await t.ask("GET", "/healthz")).status).toBe(200);
});
