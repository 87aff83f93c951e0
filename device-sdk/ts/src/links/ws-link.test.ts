/** The wss link against a real WebSocket server on a real TLS socket of this machine. */
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { CONSTANT_SERVER_NAME, Reason, SUBPROTOCOL } from "@tidegate/proto";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { makeCa, type TestCa } from "../testing/certificates.js";
import type { Link, LinkClosed } from "./link.js";
import { type WsLinkOptions, wsConnect } from "./ws-link.js";

let ours: TestCa;
let theirs: TestCa;
beforeAll(async () => {
  ours = await makeCa("site CA");
  theirs = await makeCa("somebody else");
});

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

interface Gateway {
  readonly port: number;
  readonly sockets: WebSocket[];
  readonly headers: Record<string, unknown>[];
  readonly resumed: boolean[];
  readonly serverNames: (string | false)[];
}

/** A gateway that upgrades everybody, or answers with a status instead. */
async function gateway(
  ca: TestCa,
  { name = CONSTANT_SERVER_NAME, status = 0, headers = {} as Record<string, string> } = {},
): Promise<Gateway> {
  const server: Server = createServer(await ca.issue(name));
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols: () => SUBPROTOCOL });
  const seen: Gateway = { port: 0, sockets: [], headers: [], resumed: [], serverNames: [] };
  server.on("secureConnection", (socket: TLSSocket & { servername?: string | false }) => {
    seen.resumed.push(socket.isSessionReused());
    seen.serverNames.push(socket.servername ?? false);
  });
  server.on("upgrade", (request, socket, head) => {
    seen.headers.push(request.headers);
    if (status !== 0) {
      const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} No\r\n${lines.join("")}content-length: 0\r\nconnection: close\r\n\r\n`);
      return;
    }
    wss.handleUpgrade(request, socket, head, (ws) => seen.sockets.push(ws));
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanUps.push(() => {
    for (const ws of seen.sockets) ws.terminate();
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(seen, { port: (server.address() as AddressInfo).port }); // listening on TCP
}

/** Open one link and wait for its first event. */
function open(connect: ReturnType<typeof wsConnect>) {
  const frames: Uint8Array[] = [];
  const ended: LinkClosed[] = [];
  const writable = vi.fn();
  const first = new Promise<Link | LinkClosed>((resolve) => {
    const link: Link = connect({
      opened: () => resolve(link),
      frame: (bytes) => frames.push(bytes),
      writable,
      closed: (closed) => {
        ended.push(closed);
        resolve(closed);
      },
    });
    cleanUps.push(() => link.abort());
  });
  return { first, frames, ended, writable };
}

function link(opened: Link | LinkClosed): Link {
  if ("kind" in opened) throw new Error(`the link did not open: ${opened.detail}`);
  return opened;
}

function options(port: number, more: Partial<WsLinkOptions> = {}): WsLinkOptions {
  return { url: `wss://127.0.0.1:${port}/v1/device`, token: "secret", ca: ours.pem, ...more };
}

describe("trust", () => {
  test("a pinned CA with the constant name is accepted at any address", async () => {
    const { port, headers, serverNames } = await gateway(ours);
    const { first } = open(wsConnect(options(port)));
    expect(link(await first).writable).toBe(true);
    expect(serverNames).toEqual([CONSTANT_SERVER_NAME]);
    expect(headers[0]).toMatchObject({ authorization: "Bearer secret", "sec-websocket-protocol": SUBPROTOCOL });
    expect(headers[0]).not.toHaveProperty("sec-websocket-extensions");
  });

  test("another CA is refused, also at the second attempt", async () => {
    const { port, headers } = await gateway(theirs);
    const connect = wsConnect(options(port));
    expect(await open(connect).first).toMatchObject({ kind: "untrusted" });
    expect(await open(connect).first).toMatchObject({ kind: "untrusted" });
    expect(headers).toEqual([]);
  });

  test("another name under the right CA is refused, also at the second attempt", async () => {
    const { port, headers } = await gateway(ours, { name: "other.example" });
    const connect = wsConnect(options(port));
    expect(await open(connect).first).toMatchObject({ kind: "untrusted" });
    expect(await open(connect).first).toMatchObject({ kind: "untrusted" });
    expect(headers).toEqual([]);
  });

  test("without a pin the system's CAs count, which do not know ours", async () => {
    const { port } = await gateway(ours);
    const { url, token } = options(port);
    expect(await open(wsConnect({ url, token: token ?? "" })).first).toMatchObject({ kind: "untrusted" });
  });

  test("an environment that turns verification off changes nothing", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    cleanUps.push(() => vi.unstubAllEnvs());
    const { port } = await gateway(theirs);
    expect(await open(wsConnect(options(port))).first).toMatchObject({ kind: "untrusted" });
  });

  test.each([
    ["http://127.0.0.1/", undefined, /neither wss nor ws/],
    ["gateway.local", undefined, /no URL/],
    ["ws://gateway.local/v1/device", undefined, /neither private nor authentic/],
    ["ws://127.0.0.1/v1/device", "pem", /no TLS/],
  ])("%s is refused before anything is sent", (url, ca, message) => {
    expect(() => wsConnect({ url, ...(ca === undefined ? {} : { ca }) })).toThrow(message);
  });

  test.each([
    ["a token with a line end", { token: "secret\n" }, /token/],
    ["a ca that is a path", { ca: "/etc/tidegate/ca.pem" }, /ca is no certificate/],
    ["a cert without its key", { cert: "x" }, /together/],
  ])("%s is refused before anything is sent", (_, more, message) => {
    expect(() => wsConnect({ url: "wss://gateway.local/", ...more })).toThrow(message);
  });

  test("plain ws is allowed to this machine, and elsewhere when said outright", () => {
    expect(() => wsConnect({ url: "ws://localhost:1/" })).not.toThrow();
    expect(() => wsConnect({ url: "ws://gateway.local/", insecure: true })).not.toThrow();
  });

  test("the second link resumes the TLS session of the first", async () => {
    const { port, resumed, sockets } = await gateway(ours);
    const connect = wsConnect(options(port));
    const one = open(connect);
    await one.first;
    sockets[0]?.send(new Uint8Array([1]));
    await vi.waitFor(() => expect(one.frames).toHaveLength(1)); // the tickets came before it
    link(await one.first).close(1000);
    await open(connect).first;
    expect(resumed).toEqual([false, true]);
  });
});

describe("refusals before the upgrade [P-31]", () => {
  test.each([
    [401, "refused", {}, 0],
    [403, "refused", {}, 0],
    [503, "busy", { "Retry-After": "7" }, 7_000],
    [503, "busy", { "Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT" }, 0],
    [404, "lost", {}, 0],
  ] as const)("%i is %s", async (status, kind, headers, retryAfterMs) => {
    const { port } = await gateway(ours, { status, headers });
    expect(await open(wsConnect(options(port))).first).toMatchObject({ kind, retryAfterMs });
  });

  test("nobody there is a lost link", async () => {
    expect(await open(wsConnect({ url: "ws://127.0.0.1:9/" })).first).toMatchObject({ kind: "lost" });
  });
});

describe("frames", () => {
  test("go both ways, binary, whole", async () => {
    const { port, sockets } = await gateway(ours);
    const opened = open(wsConnect(options(port)));
    const up = link(await opened.first);
    const received: unknown[] = [];
    sockets[0]?.on("message", (data, isBinary) => received.push([data, isBinary]));
    expect(up.send(new Uint8Array([1, 2, 3]))).toBe(true);
    sockets[0]?.send(new Uint8Array([4, 5]));
    await vi.waitFor(() => expect(opened.frames).toHaveLength(1));
    await vi.waitFor(() => expect(received).toEqual([[Buffer.from([1, 2, 3]), true]]));
    expect([...(opened.frames[0] ?? [])]).toEqual([4, 5]);
  });

  test("a close code of the gateway gives the reason, for a Bye that was lost", async () => {
    const { port, sockets } = await gateway(ours);
    const opened = open(wsConnect(options(port)));
    await opened.first;
    sockets[0]?.close(4004, "revoked");
    await vi.waitFor(() => expect(opened.ended).toHaveLength(1));
    expect(opened.ended[0]).toMatchObject({ kind: "lost", reason: Reason.REVOKED });
  });

  test("a message over 64 KiB ends the link instead of filling the memory", async () => {
    const { port, sockets } = await gateway(ours);
    const opened = open(wsConnect(options(port)));
    await opened.first;
    sockets[0]?.send(new Uint8Array(70_000));
    await vi.waitFor(() => expect(opened.ended).toHaveLength(1));
    expect(opened.frames).toHaveLength(0);
  });

  test("a peer that does not read fills the bounded buffer, and writable comes when it reads again", async () => {
    const { port, sockets } = await gateway(ours);
    const opened = open(wsConnect(options(port, { bufferedBytesMax: 16_384 })));
    const up = link(await opened.first);
    sockets[0]?.pause();
    let accepted = 0;
    while (up.send(new Uint8Array(8_192)) && accepted < 10_000) accepted++;
    expect(accepted).toBeLessThan(10_000);
    expect(up.writable).toBe(false);
    sockets[0]?.resume();
    await vi.waitFor(() => expect(opened.writable).toHaveBeenCalled());
    expect(up.writable).toBe(true);
  });

  test("abort tells nothing more, close lets what was sent arrive", async () => {
    const { port, sockets } = await gateway(ours);
    const connect = wsConnect(options(port));
    const one = open(connect);
    link(await one.first).abort();
    const two = open(connect);
    const up = link(await two.first);
    const got: number[] = [];
    sockets[1]?.on("message", (data: Buffer) => got.push(data.length));
    const closed = new Promise((resolve) => sockets[1]?.once("close", resolve));
    up.send(new Uint8Array(100));
    up.close(4001);
    expect(await closed).toBe(4001);
    expect(got).toEqual([100]);
    expect([one.ended, two.ended]).toEqual([[], []]);
  });
});
