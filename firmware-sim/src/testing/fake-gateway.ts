/**
 * A very small gateway in the test's own process: wss for devices, and the three admin calls a simulator makes.
 * It keeps everything in memory, acks at once, and gives every boot a new epoch.
 */
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import {
  type CommandUpdate,
  type Downlink,
  decodeUplink,
  encodeDownlink,
  type Hello,
  SUBPROTOCOL,
  type Uplink,
  type UplinkBody,
} from "@tidegate/proto";
import { type WebSocket, WebSocketServer } from "ws";
import { makeCertificate } from "./certificate.js";

/** A reliable message as it was stored. */
export interface Stored {
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly gap: number;
  readonly body: UplinkBody | null;
  readonly frame: Buffer;
}

interface Session {
  readonly socket: WebSocket;
  readonly device: string;
  readonly epoch: number;
}

const KEEPALIVE_MS = 30_000;
export const ADMIN_TOKEN = "test-admin-token";

export class FakeGateway {
  readonly stored: Stored[] = [];
  readonly hellos: Hello[] = [];
  readonly sessions = new Map<string, Session>();
  /** Devices of the admin side: id → token. */
  readonly tokens = new Map<string, string>();
  readonly models = new Map<string, string>();
  /** Acks are held back while this is false. */
  isAcking = true;
  byes = 0;
  readonly #marks = new Map<string, number>();
  readonly #devices: TlsServer;
  readonly #admin: Server;
  readonly #sockets: WebSocketServer;
  readonly ca: string;
  #nextEpoch = 1_000;
  #nextToken = 1;

  private constructor(cert: string, key: string) {
    this.ca = cert;
    this.#devices = createServer({ cert, key });
    this.#sockets = new WebSocketServer({ server: this.#devices, handleProtocols: () => SUBPROTOCOL });
    this.#sockets.on("connection", (socket) => this.#accept(socket));
    this.#admin = createHttpServer((request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (part) => {
        text += part;
      });
      request.on("end", () => {
        const isKnown = request.headers.authorization === `Bearer ${ADMIN_TOKEN}`;
        const { status, value } = isKnown
          ? this.#answerTo(`${request.method} ${request.url}`, text)
          : { status: 401, value: refusal("who are you") };
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
      });
    });
  }

  static async start(): Promise<FakeGateway> {
    const { cert, key } = await makeCertificate();
    const gateway = new FakeGateway(cert, key);
    await new Promise<void>((resolve) => gateway.#devices.listen(0, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => gateway.#admin.listen(0, "127.0.0.1", resolve));
    return gateway;
  }

  get devicesUrl(): string {
    return `wss://127.0.0.1:${portOf(this.#devices)}/v1/device`;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${portOf(this.#admin)}`;
  }

  updates(device: string): CommandUpdate[] {
    return this.stored.flatMap((message) =>
      message.device === device && message.body?.kind === "commandUpdate" ? [message.body.commandUpdate] : [],
    );
  }

  /** Send a command to a device that is online. */
  command(device: string, { id, name, args }: { id: number; name: string; args: unknown }): void {
    const command = { id, code: 0, name, deadlineUptimeMs: 0, atMostOnce: false };
    this.#send(this.sessions.get(device)?.socket, {
      kind: "command",
      command: { ...command, args: Buffer.from(JSON.stringify(args)) },
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#devices.closeAllConnections();
    this.#admin.closeAllConnections();
    await new Promise((resolve) => this.#devices.close(resolve));
    await new Promise((resolve) => this.#admin.close(resolve));
  }

  #accept(socket: WebSocket): void {
    let session: Session | null = null;
    socket.on("error", () => {});
    socket.on("message", (data) => {
      if (!Buffer.isBuffer(data)) return;
      const decoded = decodeUplink(data);
      if (!decoded.ok) throw new Error(decoded.error.code);
      const { body } = decoded.value;
      if (body?.kind === "hello") session = this.#greet(socket, body.hello);
      else if (body?.kind === "bye") this.byes++;
      else if (session !== null && decoded.value.seq > 0) this.#store(session, decoded.value, data);
    });
    socket.on("close", () => {
      if (session !== null && this.sessions.get(session.device) === session) this.sessions.delete(session.device);
    });
  }

  #greet(socket: WebSocket, hello: Hello): Session {
    this.hellos.push(hello);
    const epoch = hello.epoch === 0 ? this.#nextEpoch++ : hello.epoch;
    const session = { socket, device: hello.deviceId, epoch };
    this.sessions.set(hello.deviceId, session);
    const { attempt, bootNonce } = hello;
    const ackedSeq = this.#marks.get(`${hello.deviceId}/${epoch}`) ?? 0;
    const times = { keepaliveMs: KEEPALIVE_MS, unixMs: Date.now() };
    this.#send(socket, {
      kind: "welcome",
      welcome: { attempt, bootNonce, epoch, ackedSeq, ...times, window: 64, wantCatalog: true, maxUplinkBytes: 65_536 },
    });
    return session;
  }

  #store({ socket, device, epoch }: Session, { seq, gap, body }: Uplink, frame: Buffer): void {
    const key = `${device}/${epoch}`;
    const mark = this.#marks.get(key) ?? 0;
    if (seq - gap > mark + 1) throw new Error(`${key}: ${seq} (gap ${gap}) after ${mark}`);
    if (seq > mark) {
      this.#marks.set(key, seq);
      this.stored.push({ device, epoch, seq, gap, body, frame: Buffer.from(frame) });
    }
    if (this.isAcking) this.#send(socket, { kind: "ack", ack: { seq: Math.max(seq, mark) } });
  }

  #send(socket: WebSocket | undefined, body: NonNullable<Downlink>): void {
    socket?.send(encodeDownlink(body));
  }

  #answerTo(call: string, text: string): { status: number; value: unknown } {
    if (call === "GET /api/v1/devices") {
      const devices = [...this.tokens.keys()].map((id) => ({ id, model: this.models.get(id) ?? "", revoked: false }));
      return { status: 200, value: { devices } };
    }
    if (call === "POST /api/v1/devices") {
      const { deviceId } = JSON.parse(text);
      if (this.tokens.has(deviceId)) return { status: 409, value: refusal("a device of that id exists") };
      return { status: 201, value: this.#credential(deviceId) };
    }
    const replaced = /^POST \/api\/v1\/devices\/([\w-]+)\/credential$/.exec(call)?.[1];
    if (replaced !== undefined) return { status: 201, value: this.#credential(replaced) };
    return { status: 404, value: refusal("no such call") };
  }

  #credential(deviceId: string) {
    const token = `token-${this.#nextToken++}`;
    this.tokens.set(deviceId, token);
    return { deviceId, token, url: this.devicesUrl, ca: this.ca };
  }
}

function refusal(what: string) {
  return { error: { code: "E_TEST", what, why: "the test wants it so", fix: "read the test" } };
}

function portOf(server: Server | TlsServer): number {
  return (server.address() as AddressInfo).port; // a listening TCP server
}
