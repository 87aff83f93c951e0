/**
 * A device without an SDK: a WebSocket and the codec, so that a test can say exactly what goes over the wire,
 * also what no well-behaved device would say.
 */
import {
  CONSTANT_SERVER_NAME,
  type DownlinkBody,
  decodeDownlink,
  encodeUplink,
  type Hello,
  type UplinkBody,
} from "@tidegate/proto";
import { WebSocket } from "ws";
import { until } from "../src/rehearse/child.js";
import type { Credential } from "../src/rehearse/gateway-process.js";

export interface RawOptions {
  readonly subprotocol?: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string;
  readonly servername?: string;
}

let bootCount = 4711;

export class RawDevice {
  readonly socket: WebSocket;
  readonly heard: DownlinkBody[] = [];
  readonly opened: Promise<void>;
  /** HTTP status of a refused upgrade. */
  refusedWith: number | null = null;
  refusalText = "";
  closedWith: number | null = null;
  readonly #id: string;
  readonly #bootNonce = ++bootCount;

  constructor(credential: Credential, options: RawOptions = {}) {
    const token = options.token === undefined ? credential.token : options.token;
    this.#id = credential.deviceId;
    // ws passes what it does not know on to https, whose types it does not show.
    const tls = { servername: options.servername ?? CONSTANT_SERVER_NAME };
    this.socket = new WebSocket(credential.url, [options.subprotocol ?? "tidegate.v1"], {
      ...tls,
      ca: options.ca ?? credential.ca,
      perMessageDeflate: false,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...options.headers },
    });
    this.opened = new Promise((resolve, reject) => {
      this.socket.once("open", () => resolve());
      this.socket.once("error", reject);
      this.socket.once("unexpected-response", (_request, response) => {
        this.refusedWith = response.statusCode ?? 0;
        response.on("data", (chunk: Buffer) => {
          this.refusalText += chunk.toString("utf8");
        });
        response.once("end", () => reject(new Error(`refused with ${this.refusedWith}`)));
      });
    });
    this.opened.catch(() => {}); // a test that expects the refusal asks for it
    this.socket.on("error", () => {});
    this.socket.on("close", (code) => {
      this.closedWith = code;
    });
    this.socket.on("message", (data) => {
      const decoded = decodeDownlink(data as Buffer); // the gateway sends no fragments
      if (decoded.ok && decoded.value !== null) this.heard.push(decoded.value);
    });
  }

  say(body: UplinkBody, seq = 0, gap = 0): void {
    this.socket.send(encodeUplink({ seq, gap, body }));
  }

  /** Hello, Welcome, and the first heartbeat, which is the first sign of use. */
  async greet(changes: Partial<Hello> = {}): Promise<Extract<DownlinkBody, { kind: "welcome" }>["welcome"]> {
    await this.opened;
    this.hello(changes);
    await this.hears("welcome");
    const welcome = this.last("welcome").welcome;
    this.say({
      kind: "heartbeat",
      heartbeat: { uptimeMs: 1000, unixMs: 0, ping: 0, nextSeq: changes.nextSeq ?? 1, oldest: changes.oldest ?? 1 },
    });
    return welcome;
  }

  hello(changes: Partial<Hello> = {}): void {
    this.say({
      kind: "hello",
      hello: {
        protocol: 1,
        deviceId: this.#id,
        // Each raw device is a boot of its own unless a test says otherwise.
        bootNonce: this.#bootNonce,
        attempt: 1,
        epoch: 0,
        nextSeq: 1,
        oldest: 1,
        ackedSeq: 0,
        uptimeMs: 1000,
        maxRxBytes: 0,
        catalogHash: 0,
        firmware: "raw",
        model: "test",
        sleepMs: 0,
        lastCommand: 0,
        outboxFrames: 0,
        proof: new Uint8Array(0),
        closing: false,
        ...changes,
      },
    });
  }

  telemetry(seq: number, value: number, gap = 0): void {
    const series = [{ signal: 1, dtMs: [], periodUs: 0, quality: 0, values: { kind: "ints" as const, ints: [value] } }];
    this.say(
      { kind: "telemetry", telemetry: { base: { kind: "uptime", uptimeMs: 1000 }, series, bootNonce: 0 } },
      seq,
      gap,
    );
  }

  /** Waits until a message of that kind was heard. */
  hears(kind: DownlinkBody["kind"], timeoutMs = 10_000): Promise<void> {
    return until(`the gateway says ${kind}`, () => this.heard.some((message) => message.kind === kind), timeoutMs);
  }

  last<K extends DownlinkBody["kind"]>(kind: K): Extract<DownlinkBody, { kind: K }> {
    const found = this.heard.filter((message) => message.kind === kind).at(-1);
    if (found === undefined) throw new Error(`the gateway never said ${kind}`);
    return found as Extract<DownlinkBody, { kind: K }>; // filtered by kind above
  }

  async closes(timeoutMs = 10_000): Promise<number> {
    await until("the gateway closes the link", () => this.closedWith !== null, timeoutMs);
    return this.closedWith ?? 0;
  }

  end(): void {
    this.socket.terminate();
  }
}
