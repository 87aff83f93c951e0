/** A gateway on real sockets for tests: welcomes everybody, keeps what comes in memory, acks at once. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type DownlinkBody, decodeUplink, encodeDownlink, SUBPROTOCOL, type Uplink } from "@tidegate/proto";
import { type WebSocket, WebSocketServer } from "ws";

export interface TinyGateway {
  readonly url: string;
  readonly received: Uplink[];
  say(body: DownlinkBody): void;
  close(): void;
}

export async function tinyGateway(tls: { cert: string; key: string }): Promise<TinyGateway> {
  const server = createServer(tls);
  const wss = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: () => SUBPROTOCOL });
  const received: Uplink[] = [];
  let latest: WebSocket | null = null;
  wss.on("connection", (socket) => {
    latest = socket;
    const say = (body: DownlinkBody): void => socket.send(encodeDownlink(body));
    socket.on("message", (data: Buffer) => {
      const decoded = decodeUplink(data);
      if (!decoded.ok) throw new Error(decoded.error.detail);
      received.push(decoded.value);
      answer(decoded.value, say);
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    url: `wss://127.0.0.1:${port}/v1/device`,
    received,
    say: (body) => latest?.send(encodeDownlink(body)),
    close: () => {
      for (const client of wss.clients) client.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer({ seq, body }: Uplink, say: (body: DownlinkBody) => void): void {
  if (seq > 0) say({ kind: "ack", ack: { seq } });
  if (body?.kind !== "hello") return;
  const { attempt, bootNonce } = body.hello;
  const rest = { keepaliveMs: 30_000, window: 64, unixMs: 1_700_000_000_000, wantCatalog: true, maxUplinkBytes: 0 };
  say({ kind: "welcome", welcome: { attempt, bootNonce, epoch: 5, ackedSeq: 0, ...rest } });
}
