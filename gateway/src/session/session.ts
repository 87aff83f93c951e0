/**
 * One device's conversation over one link: performs what the session machine decides and carries frames to the
 * intake. It holds no rules of its own beyond the order of the steps.
 *
 *   link ──message──▶ session ──control──▶ session-machine ──effects──▶ link, storage queue, registry
 *                        └──reliable frame──▶ intake ──acked, refused──▶ link
 */
import {
  type Bye,
  type DownlinkBody,
  decodeBody,
  Envelope,
  encodeDownlink,
  type Heartbeat,
  type Hello,
  Reason,
  reasonName,
  readEnvelope,
  UplinkTag,
} from "@tidegate/proto";
import type { Clock } from "../core/clock.js";
import { asGatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import { MISSING, VIOLATION } from "../model/admit.js";
import { EntryKind } from "../model/batch.js";
import type { HelloOutcome } from "../model/spool.js";
import { frameInstant, type KnownBoots } from "./frame-instant.js";
import type { SessionCounters } from "./session-counters.js";
import * as machine from "./session-machine.js";
import type { CommandChannel, DeviceLink, ReliableFrame, SessionFacts, SessionHost, StreamView } from "./session-ports.js";
import { TimeSync } from "./time-sync.js";

export interface SessionSettings extends machine.SessionLimits {
  /** Unacked reliable messages allowed in flight. */
  readonly window: number;
}

/** What the registry hears of its sessions. */
export interface SessionOwner<S extends StreamView> {
  /** A Hello came: end an older session of the device. @returns ms of lock-out for a cloned identity; 0: go on. */
  claim(session: Session<S>, hello: Hello): number;
  activated(session: Session<S>): void;
  left(session: Session<S>, reason: Reason): void;
  closed(session: Session<S>): void;
}

export interface SessionWorld<S extends StreamView> {
  readonly host: SessionHost<S>;
  readonly owner: SessionOwner<S>;
  readonly clock: Clock;
  readonly settings: SessionSettings;
  readonly counters: SessionCounters;
  readonly log: Logger;
}

/** What exists only between Welcome and the end. */
interface Active<S> {
  readonly stream: S;
  readonly outcome: HelloOutcome;
  readonly time: TimeSync;
  readonly boots: KnownBoots;
  readonly channel: CommandChannel;
  /** The device has shown that it got the Welcome. */
  used: boolean;
  /** The latest ping: its number and when it went out; 0 when it was answered. */
  pingNumber: number;
  pingSentMonoMs: number;
  pingAwaited: boolean;
  offsetSavedMonoMs: number;
  nackedExpected: number;
  nackedMonoMs: number;
}

/** One Nack per expected number and second is enough: the device rewinds at the first [P-2]. */
const NACK_EVERY_MS = 1000;
/** How often a boot's mapping to Unix time is written down [P-23]. */
const SAVE_OFFSET_EVERY_MS = 600_000;

const envelope = new Envelope();
const frame: ReliableFrame = { seq: 0, gap: 0, kind: 0, accuracy: 0, receivedUnixMs: 0, baseUnixMs: 0 };

export class Session<S extends StreamView = StreamView> {
  readonly link: DeviceLink;
  readonly openedUnixMs: number;
  readonly #world: SessionWorld<S>;
  #state: machine.SessionState;
  #active: Active<S> | null = null;
  #lastHeardMonoMs: number;
  #helloMonoMs = 0;
  #device: string | null = null;

  constructor(link: DeviceLink, world: SessionWorld<S>) {
    this.link = link;
    this.#world = world;
    this.openedUnixMs = world.clock.unixMs();
    this.#lastHeardMonoMs = world.clock.monoMs();
    this.#state = { name: "awaitingHello", openedMonoMs: this.#lastHeardMonoMs };
  }

  /** One message from the link; read during the call only. */
  message(bytes: Uint8Array): void {
    if (this.#state.name === "closed") return;
    this.#lastHeardMonoMs = this.#world.clock.monoMs();
    const error = readEnvelope(bytes, envelope);
    if (error !== null) {
      this.#world.counters.malformed.value += 1;
      const reason = error === "too_large" ? Reason.TOO_LARGE : Reason.MALFORMED;
      return this.end(reason, `the message could not be decoded: ${error}`);
    }
    const tag = envelope.body;
    const isControl = tag === UplinkTag.hello || tag === UplinkTag.heartbeat || tag === UplinkTag.bye;
    // Numbers belong to reliable bodies; on the others they are ignored [P-41].
    if (isControl) return this.#control(tag, bytes.subarray(envelope.bodyStart, envelope.bodyEnd));
    if (envelope.seq > 0) return this.#reliable(bytes);
    if (tag >= UplinkTag.hello && tag <= UplinkTag.log) this.#violation("a reliable message without a number [P-41]");
  }

  /** The link is gone. */
  linkLost(): void {
    this.#dispatch({ type: "linkLost" });
  }

  /** The gateway ends the session: takeover, shutdown, a revoked credential. */
  end(reason: Reason, detail: string, retryAfterMs = 0): void {
    this.#dispatch({ type: "end", reason, detail, retryAfterMs });
  }

  /** Called about once a second: silence, Hello time-out, pings. */
  sweep(nowMonoMs: number): void {
    this.#dispatch({ type: "sweep", nowMonoMs, lastHeardMonoMs: this.#lastHeardMonoMs });
    const active = this.#active;
    if (active === null) return;
    // An unanswered ping is followed by the next one; two keepalive halves make sure the device hears us in time.
    if (nowMonoMs - active.pingSentMonoMs >= this.#world.settings.keepaliveMs / 2) this.#ping(active, nowMonoMs);
  }

  /** The device that this session last spoke for; null before a Hello was let in. Stays after the end. */
  get device(): string | null {
    return this.#device;
  }

  get isActive(): boolean {
    return this.#active !== null;
  }

  /** For the device list; null unless active. */
  facts(): SessionFacts | null {
    const active = this.#active;
    if (active === null || this.#state.name !== "active") return null;
    return {
      device: this.#state.hello.deviceId,
      remote: this.link.remote,
      connectedUnixMs: this.openedUnixMs,
      epoch: active.stream.epoch,
      acked: active.stream.durable,
      rttMs: Number.isFinite(active.time.rttMs) ? active.time.rttMs : null,
      hello: this.#state.hello,
    };
  }

  #control(tag: number, body: Uint8Array): void {
    const decoded = decodeBody(tag, body);
    if (!decoded.ok) return this.end(Reason.MALFORMED, `the message could not be decoded: ${decoded.error.code}`);
    if (decoded.value.kind === "hello") this.#hello(decoded.value.hello);
    else if (decoded.value.kind === "heartbeat") this.#heartbeat(decoded.value.heartbeat);
    else if (decoded.value.kind === "bye") this.#bye(decoded.value.bye);
  }

  #hello(hello: Hello): void {
    this.#helloMonoMs = this.#lastHeardMonoMs;
    this.#world.counters.hellos.value += 1;
    this.#dispatch({ type: "hello", hello });
  }

  #reliable(bytes: Uint8Array): void {
    const active = this.#active;
    if (active === null) return this.#dispatch({ type: "early" });
    const { clock, counters, host } = this.#world;
    const tag = envelope.body;
    const known = tag >= UplinkTag.telemetry && tag <= UplinkTag.log;
    frame.seq = envelope.seq;
    frame.gap = envelope.gap;
    frame.kind = known ? tag : EntryKind.unknown;
    frameInstant(frame, envelope, active, clock);
    const start = known ? envelope.bodyStart : 0;
    const end = known ? envelope.bodyEnd : bytes.length;
    const verdict = host.intake.offer(active.stream, frame, bytes, start, end);
    if (verdict === VIOLATION) return this.#violation("gap reaches below the first number");
    if (verdict === MISSING) this.#nack(active, active.stream.accepted + 1, Reason.OUT_OF_ORDER, 0);
    if (verdict === "paused") counters.droppedWhilePaused.value += 1;
    this.#signOfUse(active);
  }

  #heartbeat(heartbeat: Heartbeat): void {
    const active = this.#active;
    if (active === null) return this.#dispatch({ type: "early" });
    if (heartbeat.ping !== 0 && active.pingAwaited && heartbeat.ping === active.pingNumber) {
      active.pingAwaited = false;
      active.time.pingAnswered(active.pingSentMonoMs, this.#lastHeardMonoMs, heartbeat.uptimeMs);
      this.#saveOffset(active);
    }
    this.#world.host.intake.announce(active.stream, heartbeat.nextSeq, heartbeat.oldest);
    this.#signOfUse(active);
  }

  #bye(bye: Bye): void {
    const active = this.#active;
    // A device that leaves with everything handed over has no open end; what it announced tells [P-6].
    if (active !== null) {
      this.#world.host.intake.announce(active.stream, active.stream.accepted + 1, active.stream.accepted + 1, true);
    }
    this.#dispatch({ type: "bye", reason: bye.reason });
  }

  #signOfUse(active: Active<S>): void {
    if (active.used) return;
    active.used = true;
    this.#world.host.commandsReady(active.channel);
  }

  #violation(detail: string): void {
    this.#world.counters.violations.value += 1;
    this.end(Reason.PROTOCOL_VIOLATION, detail);
  }

  #nack(active: Active<S>, expected: number, reason: Reason, retryAfterMs: number): void {
    const now = this.#lastHeardMonoMs;
    if (reason === Reason.OUT_OF_ORDER) {
      if (active.nackedExpected === expected && now - active.nackedMonoMs < NACK_EVERY_MS) return;
      active.nackedExpected = expected;
      active.nackedMonoMs = now;
    }
    this.#world.counters.nacks.value += 1;
    this.#send({ kind: "nack", nack: { expected, reason, retryAfterMs } });
  }

  #ping(active: Active<S>, nowMonoMs: number): void {
    active.pingNumber = (active.pingNumber % PING_NUMBER_MAX) + 1;
    active.pingSentMonoMs = nowMonoMs;
    active.pingAwaited = true;
    const unixMs = Math.floor(this.#world.clock.unixMs());
    this.#send({ kind: "heartbeat", heartbeat: { uptimeMs: 0, unixMs, ping: active.pingNumber, nextSeq: 0, oldest: 0 } });
  }

  #saveOffset(active: Active<S>): void {
    const now = this.#lastHeardMonoMs;
    if (active.offsetSavedMonoMs !== 0 && now - active.offsetSavedMonoMs < SAVE_OFFSET_EVERY_MS) return;
    if (this.#state.name !== "active") return;
    active.offsetSavedMonoMs = now;
    const offsetUnixMs = Math.round(this.#world.clock.unixMs() - active.time.uptimeAt(this.#world.clock.monoMs()));
    this.#world.host.saveBootOffset(active.stream.deviceKey, this.#state.hello.bootNonce, offsetUnixMs);
  }

  #dispatch(event: machine.SessionEvent): void {
    const next = machine.step(this.#state, event, this.#world.settings, this.link.identity);
    this.#state = next.state;
    for (const effect of next.effects) this.#perform(effect);
  }

  #perform(effect: machine.SessionEffect): void {
    switch (effect.do) {
      case "storeHello":
        return void this.#storeHello(effect.hello);
      case "welcome":
        return this.#welcome(effect.hello, effect.outcome);
      case "leave":
        return this.#leave(effect.reason);
      case "bye":
        this.#world.log.info(
          { device: this.device, remote: this.link.remote, reason: reasonName(effect.reason), detail: effect.detail },
          "session ended by the gateway",
        );
        this.#send({
          kind: "bye",
          bye: { reason: effect.reason, retryAfterMs: effect.retryAfterMs, detail: effect.detail },
        });
        this.link.close(effect.reason, effect.detail);
        return this.#world.owner.closed(this);
      case "closeLink":
        this.link.close(effect.reason, "");
        return this.#world.owner.closed(this);
    }
  }

  /** Fence the older session, then ask the storage queue behind everything gathered from it [P-4]. */
  async #storeHello(hello: Hello): Promise<void> {
    const lockedOutMs = this.#world.owner.claim(this, hello);
    if (lockedOutMs > 0) {
      return this.end(Reason.CLONED_IDENTITY, "two devices take turns under this id", lockedOutMs);
    }
    this.#device = hello.deviceId;
    const receivedUnixMs = this.#world.clock.unixMs();
    try {
      await this.#world.host.intake.barrier();
      const outcome = await this.#world.host.hello({ ...hello, receivedUnixMs });
      this.#dispatch({ type: "decided", attempt: hello.attempt, outcome });
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (error.code === "E_BAD_REQUEST") {
        this.#world.counters.violations.value += 1;
        return this.#dispatch({ type: "refused", attempt: hello.attempt, detail: error.why });
      }
      this.#world.log.warn({ device: hello.deviceId, error: error.code, why: error.why }, "hello not answered");
      this.end(Reason.INTERNAL, "the gateway could not answer; try again", RETRY_INTERNAL_MS);
    }
  }

  #welcome(hello: Hello, outcome: HelloOutcome): void {
    const { clock, host, settings } = this.#world;
    const stream = host.intake.open(
      { deviceKey: outcome.deviceKey, epoch: outcome.epoch, mark: outcome.ackedSeq, window: settings.window },
      {
        acked: (seq) => this.#send({ kind: "ack", ack: { seq } }),
        refused: (expected, reason, retryAfterMs) => {
          if (this.#active !== null) this.#nack(this.#active, expected, reason, retryAfterMs);
          this.#send({ kind: "flow", flow: { window: 0 } });
        },
        resumed: (window) => this.#send({ kind: "flow", flow: { window } }),
      },
    );
    const time = new TimeSync(this.#helloMonoMs, hello.uptimeMs);
    const active: Active<S> = {
      stream,
      outcome,
      time,
      boots: { current: hello.bootNonce, offsets: outcome.bootOffsets },
      channel: this.#channel(hello, outcome, time),
      used: false,
      pingNumber: 0,
      pingSentMonoMs: 0,
      pingAwaited: false,
      offsetSavedMonoMs: 0,
      nackedExpected: 0,
      nackedMonoMs: 0,
    };
    this.#active = active;
    this.#send({
      kind: "welcome",
      welcome: {
        attempt: hello.attempt,
        bootNonce: hello.bootNonce,
        epoch: outcome.epoch,
        ackedSeq: outcome.ackedSeq,
        keepaliveMs: settings.keepaliveMs,
        window: settings.window,
        unixMs: Math.floor(clock.unixMs()),
        wantCatalog: outcome.wantCatalog,
        maxUplinkBytes: this.link.messageBytesMax,
      },
    });
    this.#ping(active, clock.monoMs());
    this.#world.owner.activated(this);
  }

  #channel(hello: Hello, outcome: HelloOutcome, time: TimeSync): CommandChannel {
    return {
      device: hello.deviceId,
      epoch: outcome.epoch,
      lastCommand: hello.lastCommand,
      lastWireId: outcome.lastWireId,
      deadlineUptime: (deadlineMonoMs) => time.deadlineUptime(this.#world.clock.monoMs(), deadlineMonoMs),
      sendCommand: (command) => this.#send({ kind: "command", command: { ...command, code: 0 } }),
    };
  }

  #leave(reason: Reason): void {
    const active = this.#active;
    if (active === null) return;
    this.#active = null;
    this.#world.host.intake.close(active.stream);
    this.#world.host.commandsLost(active.channel);
    this.#world.owner.left(this, reason);
  }

  #send(message: DownlinkBody): void {
    this.link.send(encodeDownlink(message));
  }
}

/** Ping numbers go round in u32; 0 means "no ping". */
const PING_NUMBER_MAX = 0xffff_ffff;
/** A Hello that the store could not answer is worth another try soon. */
const RETRY_INTERNAL_MS = 5000;
