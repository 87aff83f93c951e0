/**
 * What a session needs from the rest of the gateway, declared by the one who needs it; `gateway.ts` connects it.
 */
import type { Hello, Reason } from "@tidegate/proto";
import type { Verdict } from "../model/admit.js";
import type { HelloOutcome, HelloRequest } from "../model/spool.js";

/** One transport lifetime, as a session uses it: a WebSocket, a serial line, a test's fake. */
export interface DeviceLink {
  /** Where it comes from, for logs and the device list: an address and port, or a path. */
  readonly remote: string;
  /** The device id its credential belongs to; null on a serial line, where each Hello is verified. */
  readonly identity: string | null;
  /** The largest Uplink it carries, in bytes: told in Welcome. */
  readonly messageBytesMax: number;
  /** The largest Downlink it carries, in bytes; absent: any. */
  readonly sendBytesMax?: number;
  /** The link may lose messages: what is not answered for so long is sent again, in ms. Absent: it loses none. */
  readonly repeatAfterMs?: number;
  /** A Nack, or what is sent again because of it, may be lost: so soon it may be said again, in ms. Absent: 1 s. */
  readonly nackEveryMs?: number;
  /** Does the Hello prove that it comes from the device it names? Absent: the link proved that already. */
  verify?(hello: Hello): boolean;
  /** Send one message. A peer that reads too slowly is closed by the link, and counted. */
  send(message: Uint8Array): void;
  /** End the link; `reason` becomes the close code. Closing twice is harmless. */
  close(reason: Reason, detail: string): void;
}

/** The numbers of the session's stream; the intake moves them. */
export interface StreamView {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly accepted: number;
  readonly durable: number;
}

/** One reliable frame's numbers; filled again for every frame. */
export interface ReliableFrame {
  seq: number;
  gap: number;
  kind: number;
  accuracy: number;
  receivedUnixMs: number;
  baseUnixMs: number;
  /** Where in the frame's bytes lies what is kept of it. */
  bodyStart: number;
  bodyEnd: number;
}

/** Who hears what became of a stream's frames. */
export interface AckListener {
  /** Everything up to `seq` is durable [P-3]. */
  acked(seq: number): void;
  /** Frames were taken back: send again from `expected` when told to go on. */
  refused(expected: number, reason: Reason, retryAfterMs: number): void;
  /** The store takes frames again. */
  resumed(window: number): void;
}

/** The way into the spool. `S` is the implementation's own stream type. */
export interface IntakePort<S extends StreamView = StreamView> {
  /** Resolves when what the device's older session, which is closed, has brought is in the storage queue [P-4]. */
  barrier(device: string): Promise<void>;
  open(
    numbers: { device: string; deviceKey: number; epoch: number; mark: number; window: number },
    listener: AckListener,
  ): S;
  close(stream: S): void;
  /** `bytes`, the whole frame, is read during the call only. */
  offer(stream: S, frame: ReliableFrame, bytes: Uint8Array): Verdict | "paused";
  announce(stream: S, nextSeq: number, oldest: number, ended?: boolean): void;
}

/** What a live session offers to the command dispatcher. */
export interface CommandChannel {
  readonly device: string;
  readonly epoch: number;
  /** The highest command id the device had recorded at its Hello [P-18]. */
  readonly lastCommand: number;
  /** The highest wire id the store ever gave this device [P-15]. */
  readonly lastWireId: number;
  /** A command that was not received after so long is transmitted again, in ms; 0: the link loses nothing. */
  readonly repeatAfterMs: number;
  /** Can the device receive it? It stated its largest message in Hello. */
  fits(command: { name: string; args: Uint8Array }): boolean;
  /** A monotonic deadline as the device's uptime, never later than true; null: nothing is left of it [P-16]. */
  deadlineUptime(deadlineMonoMs: number): number | null;
  /** Transmit; the caller made "sent" durable before [P-15]. */
  sendCommand(command: SentCommand): void;
}

/** A command as it goes down. */
export interface SentCommand {
  readonly id: number;
  readonly name: string;
  readonly args: Uint8Array;
  readonly deadlineUptimeMs: number;
  readonly atMostOnce: boolean;
}

/** Facts of a live session for people: the device list and the API. */
export interface SessionFacts {
  readonly device: string;
  readonly remote: string;
  readonly connectedUnixMs: number;
  readonly epoch: number;
  readonly acked: number;
  readonly rttMs: number | null;
  readonly hello: Hello;
}

/** The rest of the world of one session. */
export interface SessionHost<S extends StreamView = StreamView> {
  readonly intake: IntakePort<S>;
  /** In the storage queue. Rejects with E_BAD_REQUEST when the Hello contradicts itself. */
  hello(request: HelloRequest): Promise<HelloOutcome>;
  saveBootOffset(deviceKey: number, bootNonce: number, offsetUnixMs: number): void;
  /** The device showed its first sign of life after Welcome: commands may go down [P-15]. */
  commandsReady(channel: CommandChannel): void;
  commandsLost(channel: CommandChannel): void;
}
