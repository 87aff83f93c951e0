/** Working stand-ins for what a session needs: a link that records, an intake over plain numbers, a store. */
import {
  type Downlink,
  type DownlinkBody,
  decodeDownlink,
  encodeUplink,
  type Heartbeat,
  type Hello,
  type UplinkBody,
} from "@tidegate/proto";
import { ACCEPT, admit, type Verdict } from "../../model/admit.js";
import type { HelloOutcome, HelloRequest } from "../../model/spool.js";
import type { CommandChannel, DeviceLink, ReliableFrame, SessionHost, StreamView } from "../session-ports.js";

export function hello(changes: Partial<Hello> = {}): Hello {
  return {
    protocol: 1,
    deviceId: "pump-7",
    bootNonce: 11,
    attempt: 1,
    epoch: 0,
    nextSeq: 1,
    oldest: 1,
    ackedSeq: 0,
    uptimeMs: 1000,
    maxRxBytes: 0,
    catalogHash: 0,
    firmware: "",
    model: "",
    sleepMs: 0,
    lastCommand: 0,
    outboxFrames: 0,
    proof: new Uint8Array(0),
    closing: false,
    ...changes,
  };
}

export function uplink(body: UplinkBody, seq = 0, gap = 0): Uint8Array {
  return encodeUplink({ seq, gap, body });
}

export function telemetry(
  seq: number,
  options: { gap?: number; uptimeMs?: number; unixMs?: number; boot?: number } = {},
) {
  const base =
    options.uptimeMs !== undefined
      ? { kind: "uptime" as const, uptimeMs: options.uptimeMs }
      : options.unixMs !== undefined
        ? { kind: "unix" as const, unixMs: options.unixMs }
        : { kind: "none" as const };
  const series = [
    { signal: 1, dtMs: [], periodUs: 0, quality: 0, values: { kind: "floats" as const, floats: [21.5] } },
  ];
  const body: UplinkBody = { kind: "telemetry", telemetry: { base, series, bootNonce: options.boot ?? 0 } };
  return uplink(body, seq, options.gap ?? 0);
}

export function heartbeat(changes: Partial<Heartbeat> = {}): Uint8Array {
  const value = { uptimeMs: 0, unixMs: 0, ping: 0, nextSeq: 0, oldest: 0, ...changes };
  return uplink({ kind: "heartbeat", heartbeat: value });
}

/** Records what the gateway sent, decoded. */
export class FakeLink implements DeviceLink {
  readonly remote = "10.0.0.7:4711";
  readonly messageBytesMax = 65_536;
  readonly sent: Downlink[] = [];
  closedWith: { reason: number; detail: string } | null = null;

  constructor(
    readonly identity: string | null = "pump-7",
    readonly nackEveryMs = 1_000,
  ) {}

  send(message: Uint8Array): void {
    const decoded = decodeDownlink(message);
    if (!decoded.ok) throw new Error(`the session sent garbage: ${decoded.error.code}`);
    this.sent.push(decoded.value);
  }

  close(reason: number, detail: string): void {
    this.closedWith ??= { reason, detail };
  }

  /** All messages of one kind. */
  of<K extends DownlinkBody["kind"]>(kind: K): Extract<DownlinkBody, { kind: K }>[] {
    // The filter is the narrowing; TypeScript cannot see it through a generic kind.
    return this.sent.filter((message) => message?.kind === kind) as Extract<DownlinkBody, { kind: K }>[];
  }
}

export interface FakeStream extends StreamView {
  accepted: number;
  durable: number;
  readonly listener: Parameters<SessionHost["intake"]["open"]>[1];
}

/** An intake that accepts by the rules and acks when the test says so. */
export class FakeHost implements SessionHost<FakeStream> {
  readonly requests: HelloRequest[] = [];
  readonly frames: ReliableFrame[] = [];
  readonly announced: { nextSeq: number; oldest: number; ended: boolean }[] = [];
  readonly offsets: { bootNonce: number; offsetUnixMs: number }[] = [];
  readonly ready: CommandChannel[] = [];
  readonly lost: CommandChannel[] = [];
  outcome: Partial<HelloOutcome> = {};
  /** The stream opened last. */
  stream: FakeStream | null = null;
  answer: (request: HelloRequest) => Promise<void> = () => Promise.resolve();

  readonly intake = {
    barrier: () => Promise.resolve(),
    open: (
      numbers: { deviceKey: number; epoch: number; mark: number },
      listener: FakeStream["listener"],
    ): FakeStream => {
      this.stream = { ...numbers, accepted: numbers.mark, durable: numbers.mark, listener };
      return this.stream;
    },
    close: () => {},
    offer: (stream: FakeStream, frame: ReliableFrame): Verdict => {
      const verdict = admit(stream.accepted, frame.seq, frame.gap);
      if (verdict === ACCEPT) {
        stream.accepted = frame.seq;
        this.frames.push({ ...frame });
      }
      return verdict;
    },
    announce: (_stream: FakeStream, nextSeq: number, oldest: number, ended = false) => {
      this.announced.push({ nextSeq, oldest, ended });
    },
  };

  async hello(request: HelloRequest): Promise<HelloOutcome> {
    this.requests.push(request);
    await this.answer(request);
    return {
      deviceKey: 1,
      epoch: 77,
      renumbered: false,
      ackedSeq: 0,
      wantCatalog: false,
      lastWireId: 0,
      bootOffsets: [],
      ...this.outcome,
    };
  }

  saveBootOffset(_deviceKey: number, bootNonce: number, offsetUnixMs: number): void {
    this.offsets.push({ bootNonce, offsetUnixMs });
  }

  commandsReady(channel: CommandChannel): void {
    this.ready.push(channel);
  }

  commandsLost(channel: CommandChannel): void {
    this.lost.push(channel);
  }
}
