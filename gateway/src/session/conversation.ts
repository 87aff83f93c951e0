/**
 * What exists between a Welcome and the end of a session: the stream's numbers, the time mapping, the pings and the
 * way down for commands.
 *
 *   session ──frames, heartbeats──▶ conversation ──▶ intake
 *                                        └── acks, nacks, flow, pings ──▶ link
 */
import {
  type DownlinkBody,
  Envelope,
  encodeAck,
  encodeDownlink,
  type Heartbeat,
  type Hello,
  Reason,
  UplinkTag,
} from "@tidegate/proto";
import type { Clock } from "../core/clock.js";
import type { Instants } from "../core/turn-clock.js";
import { MISSING, VIOLATION } from "../model/admit.js";
import { EntryKind } from "../model/batch.js";
import type { HelloOutcome } from "../model/spool.js";
import { frameInstant, type KnownBoots } from "./frame-instant.js";
import type { SessionCounters } from "./session-counters.js";
import type { SessionLimits } from "./session-machine.js";
import type {
  AckListener,
  CommandChannel,
  DeviceLink,
  ReliableFrame,
  SentCommand,
  SessionFacts,
  SessionHost,
  StreamView,
} from "./session-ports.js";
import { TimeSync } from "./time-sync.js";

/** What every session of this gateway is told and held to. */
export interface SessionSettings extends SessionLimits {
  /** Unacked reliable messages allowed in flight. */
  readonly window: number;
}

/** What a conversation works with; the session's own surroundings. */
export interface ConversationWorld<S extends StreamView> {
  readonly host: SessionHost<S>;
  readonly clock: Clock;
  /** What frames are stamped by: it may stand still within a turn of the event loop. */
  readonly arrivals: Instants;
  readonly settings: SessionSettings;
  readonly counters: SessionCounters;
}

/** One Nack per expected number and second is enough where nothing is lost: the device rewinds at the first [P-2]. */
const NACK_EVERY_MS = 1000;
/** How often a boot's mapping to Unix time is written down [P-23]. */
const SAVE_OFFSET_EVERY_MS = 600_000;
const U32_MAX = 0xffff_ffff;
/** Ping numbers go round in u32; 0 means "no ping". */
const PING_NUMBER_MAX = U32_MAX;

/** Filled for every frame and read at once: one of each serves all conversations. */
export const envelope = new Envelope();
const frame: ReliableFrame = {
  seq: 0,
  gap: 0,
  kind: 0,
  accuracy: 0,
  receivedUnixMs: 0,
  baseUnixMs: 0,
  bodyStart: 0,
  bodyEnd: 0,
};

/**
 * One device's conversation, from Welcome on. Made by `Session`, which ends it with `close`. To the intake it is who
 * hears of acks, and to the dispatcher the way down: further objects would be there ten thousand times.
 */
export class Conversation<S extends StreamView> implements AckListener, CommandChannel {
  readonly stream: S;
  readonly time: TimeSync;
  readonly boots: KnownBoots;
  readonly lastWireId: number;
  readonly #world: ConversationWorld<S>;
  readonly #link: DeviceLink;
  readonly #hello: Hello;
  /** The largest message that the device and the link between take. */
  readonly #peerBytesMax: number;
  #used = false;
  #pingNumber = 0;
  #pingSentMonoMs = 0;
  #pingAwaited = false;
  #offsetSavedMonoMs = Number.NEGATIVE_INFINITY;
  #nackedExpected = 0;
  #nackedMonoMs = 0;
  /** The window that the last Flow told; null: none was sent. */
  #flowWindow: number | null = null;

  constructor(
    world: ConversationWorld<S>,
    link: DeviceLink,
    said: { hello: Hello; atMonoMs: number },
    outcome: HelloOutcome,
  ) {
    this.#world = world;
    this.#link = link;
    this.#hello = said.hello;
    const { maxRxBytes } = said.hello;
    const { sendBytesMax = Number.POSITIVE_INFINITY } = link;
    this.#peerBytesMax = maxRxBytes === 0 ? sendBytesMax : Math.min(sendBytesMax, maxRxBytes);
    this.boots = { current: said.hello.bootNonce, offsets: outcome.bootOffsets };
    this.time = new TimeSync(said.atMonoMs, said.hello.uptimeMs);
    this.lastWireId = outcome.lastWireId;
    this.stream = this.#openStream(outcome);
    this.#welcome(outcome);
    this.#ping(world.clock.monoMs());
  }

  /** The device has shown that it got the Welcome. */
  get isUsed(): boolean {
    return this.#used;
  }

  /**
   * One reliable frame; `envelope` holds its outside.
   * @returns what rule it breaks, or null.
   */
  reliable(bytes: Uint8Array, nowMonoMs: number): string | null {
    const { arrivals, counters, host } = this.#world;
    const tag = envelope.body;
    const isKnown = tag >= UplinkTag.telemetry && tag <= UplinkTag.log;
    frame.seq = envelope.seq;
    frame.gap = envelope.gap;
    // A body of a later version is kept whole: somebody may decode it one day [P-25].
    frame.kind = isKnown ? tag : EntryKind.unknown;
    frame.bodyStart = isKnown ? envelope.bodyStart : 0;
    frame.bodyEnd = isKnown ? envelope.bodyEnd : bytes.length;
    frameInstant(frame, envelope, this, arrivals);
    const verdict = host.intake.offer(this.stream, frame, bytes);
    if (verdict === VIOLATION) return "gap reaches below the first number";
    if (verdict === MISSING) this.#nackMissing(nowMonoMs);
    if (verdict === "paused") counters.droppedWhilePaused.value += 1;
    this.#signOfUse();
    return null;
  }

  heartbeat(heartbeat: Heartbeat, nowMonoMs: number): void {
    if (heartbeat.ping !== 0 && this.#pingAwaited && heartbeat.ping === this.#pingNumber) {
      this.#pingAwaited = false;
      this.time.pingAnswered(this.#pingSentMonoMs, nowMonoMs, heartbeat.uptimeMs);
      this.#saveOffset(nowMonoMs);
    }
    this.#world.host.intake.announce(this.stream, heartbeat.nextSeq, heartbeat.oldest);
    this.#signOfUse();
  }

  /** The device said goodbye: with everything handed over its epoch has no open end [P-6]. */
  bye(): void {
    const next = this.stream.accepted + 1;
    this.#world.host.intake.announce(this.stream, next, next, true);
  }

  /** About once a second: two pings per keepalive, so that the device hears us in time. */
  sweep(nowMonoMs: number): void {
    if (nowMonoMs - this.#pingSentMonoMs >= this.#world.settings.keepaliveMs / 2) this.#ping(nowMonoMs);
  }

  /** Nothing of this conversation counts any more. */
  close(): void {
    this.#world.host.intake.close(this.stream);
    this.#world.host.commandsLost(this);
  }

  facts(connectedUnixMs: number): SessionFacts {
    return {
      device: this.#hello.deviceId,
      remote: this.#link.remote,
      connectedUnixMs,
      epoch: this.stream.epoch,
      acked: this.stream.durable,
      rttMs: Number.isFinite(this.time.rttMs) ? this.time.rttMs : null,
      hello: this.#hello,
    };
  }

  #openStream(outcome: HelloOutcome): S {
    const { host, settings } = this.#world;
    const { deviceKey, epoch, ackedSeq: mark } = outcome;
    return host.intake.open({ device: this.#hello.deviceId, deviceKey, epoch, mark, window: settings.window }, this);
  }

  acked(seq: number): void {
    this.#link.send(encodeAck(seq));
  }

  refused(expected: number, reason: Reason, retryAfterMs: number): void {
    this.#nack(expected, reason, retryAfterMs);
    this.#flow(0);
  }

  resumed(window: number): void {
    this.#flow(window);
  }

  get device(): string {
    return this.#hello.deviceId;
  }

  get epoch(): number {
    return this.stream.epoch;
  }

  get lastCommand(): number {
    return this.#hello.lastCommand;
  }

  get repeatAfterMs(): number {
    return this.#link.repeatAfterMs ?? 0;
  }

  fits(command: { name: string; args: Uint8Array }): boolean {
    return commandBytesMax(command) <= this.#peerBytesMax;
  }

  deadlineUptime(deadlineMonoMs: number): number | null {
    return this.time.deadlineUptime(this.#world.clock.monoMs(), deadlineMonoMs);
  }

  sendCommand(command: SentCommand): void {
    this.#send({ kind: "command", command: { ...command, code: 0 } });
  }

  #welcome(outcome: HelloOutcome): void {
    const { clock, settings } = this.#world;
    this.#send({
      kind: "welcome",
      welcome: {
        attempt: this.#hello.attempt,
        bootNonce: this.#hello.bootNonce,
        epoch: outcome.epoch,
        ackedSeq: outcome.ackedSeq,
        keepaliveMs: settings.keepaliveMs,
        window: settings.window,
        unixMs: Math.floor(clock.unixMs()),
        wantCatalog: outcome.wantCatalog,
        maxUplinkBytes: this.#link.messageBytesMax,
      },
    });
  }

  #signOfUse(): void {
    if (this.#used) return;
    this.#used = true;
    this.#world.host.commandsReady(this);
  }

  #nackMissing(nowMonoMs: number): void {
    const expected = this.stream.accepted + 1;
    const { nackEveryMs = NACK_EVERY_MS } = this.#link;
    if (this.#nackedExpected === expected && nowMonoMs - this.#nackedMonoMs < nackEveryMs) return;
    this.#nackedExpected = expected;
    this.#nackedMonoMs = nowMonoMs;
    this.#nack(expected, Reason.OUT_OF_ORDER, 0);
  }

  #nack(expected: number, reason: Reason, retryAfterMs: number): void {
    this.#world.counters.nacks.value += 1;
    this.#send({ kind: "nack", nack: { expected, reason, retryAfterMs } });
  }

  #ping(nowMonoMs: number): void {
    this.#pingNumber = (this.#pingNumber % PING_NUMBER_MAX) + 1;
    this.#pingSentMonoMs = nowMonoMs;
    this.#pingAwaited = true;
    const unixMs = Math.floor(this.#world.clock.unixMs());
    this.#send({
      kind: "heartbeat",
      heartbeat: { uptimeMs: 0, unixMs, ping: this.#pingNumber, nextSeq: 0, oldest: 0 },
    });
    // Where frames are lost, a device that missed the end of a pause would wait for ever [P-11].
    const isLossy = (this.#link.repeatAfterMs ?? 0) > 0;
    if (isLossy && this.#flowWindow !== null) this.#flow(this.#flowWindow);
  }

  #flow(window: number): void {
    this.#flowWindow = window;
    this.#send({ kind: "flow", flow: { window } });
  }

  #saveOffset(nowMonoMs: number): void {
    if (nowMonoMs - this.#offsetSavedMonoMs < SAVE_OFFSET_EVERY_MS) return;
    this.#offsetSavedMonoMs = nowMonoMs;
    const { clock, host } = this.#world;
    const offsetUnixMs = Math.round(clock.unixMs() - this.time.uptimeAt(clock.monoMs()));
    host.saveBootOffset(this.stream.deviceKey, this.#hello.bootNonce, offsetUnixMs);
  }

  #send(message: DownlinkBody): void {
    this.#link.send(encodeDownlink(message));
  }
}

/** A command's message at its longest: with a wire id and a deadline that take all their bytes. */
function commandBytesMax({ name, args }: { name: string; args: Uint8Array }): number {
  const command = { id: U32_MAX, code: 0, name, args, deadlineUptimeMs: U32_MAX, atMostOnce: true };
  return encodeDownlink({ kind: "command", command }).length;
}
