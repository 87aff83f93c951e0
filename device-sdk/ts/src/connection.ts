/**
 * Performs what the client machine decides: opens links, sends frames, sets the one timer. It holds no rules.
 *
 *   link events ─▶ dispatch ─▶ step (pure) ─▶ effects ─▶ link · outbox · store · host
 *                                                └─▶ pump: fill the window with what the outbox holds
 *
 * Events of a link that was left are ignored, so a half-open one cannot speak into the next session [P-5].
 */
import {
  CLOSE_CODE,
  type Command,
  type DownlinkBody,
  decodeDownlink,
  encodeUplink,
  MESSAGE_BYTES_MAX,
  type UplinkBody,
} from "@tidegate/proto";
import { IDLE, nextTickMs, sendWindow, step } from "./client-machine.js";
import type {
  ClientEffect,
  ClientEvent,
  ClientLimits,
  ClientState,
  LinkLimits,
  News,
  Surroundings,
} from "./client-state.js";
import { type Clock, uptimeMs } from "./clock.js";
import { withHead } from "./frame-head.js";
import { heartbeatBody, helloBody, type Identity } from "./identity.js";
import type { Connect, Link } from "./links/link.js";
import type { Outbox } from "./outbox.js";
import type { Random } from "./random.js";

/** What a connection needs from the rest of the device. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly connect: Connect;
  readonly outbox: Outbox;
  readonly limits: ClientLimits;
  /** Monotonic ms of the device's boot: where uptime starts. */
  readonly bootMonoMs: number;
  lastCommand(): number;
  /** Make sure the outbox's epoch and numbers are on disk; throws when that fails. Called at every Welcome. */
  saveEpoch(): void;
  command(command: Command): void;
  news(news: News): void;
  /** Messages became durable. */
  acked(seq: number, messages: number): void;
  badFrame(detail: string): void;
}

/** Counts since the device was made; none of them ever falls. */
export interface ConnectionStats {
  framesSent: number;
  framesReceived: number;
  framesBad: number;
  bytesSent: number;
  bytesReceived: number;
  /** Reliable frames that had been sent before. */
  repeated: number;
  sessions: number;
  linkAttempts: number;
}

/** The effects that only concern the outbox. */
type OutboxEffect = Extract<ClientEffect, { do: "release" | "rewind" | "repeatUnacked" | "rotate" | "leaveEpoch" }>;

/** RFC 6455 §7.4.1: nothing went wrong. */
const CLOSE_NORMAL = 1000;

const NO_LINK: LinkLimits = { messageBytesMax: MESSAGE_BYTES_MAX, helloRetryMs: 1_000, retransmitMs: 0 };

/** Performs what the client machine decides, over one link at a time. */
export class Connection {
  readonly #host: ConnectionHost;
  readonly #identity: Identity;
  #state: ClientState = IDLE;
  #link: Link | null = null;
  #cancelTimer: () => void = () => {};
  #pending: ClientEvent[] = [];
  #isDispatching = false;
  readonly #traffic = { heardAtMs: 0, sentAtMs: 0, progressAtMs: 0 };
  readonly stats: ConnectionStats = {
    framesSent: 0,
    framesReceived: 0,
    framesBad: 0,
    bytesSent: 0,
    bytesReceived: 0,
    repeated: 0,
    sessions: 0,
    linkAttempts: 0,
  };

  constructor(host: ConnectionHost, identity: Identity) {
    this.#host = host;
    this.#identity = identity;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The one door for events. Events that arise while one is handled wait for their turn. */
  dispatch(event: ClientEvent): void {
    this.#pending.push(event);
    if (this.#isDispatching) return;
    this.#isDispatching = true;
    try {
      for (let next = this.#pending.shift(); next; next = this.#pending.shift()) this.#handle(next);
    } finally {
      this.#isDispatching = false;
    }
    this.#setTimer();
  }

  /** The outbox has something new. */
  kick(): void {
    if (this.#state.phase.name !== "online" || this.#isDispatching) return;
    if (this.#host.outbox.marks.closing) {
      this.dispatch({ type: "tick" });
      return;
    }
    this.#pump();
    this.#setTimer();
  }

  #handle(event: ClientEvent): void {
    const { state, effects } = step(this.#state, event, this.#surroundings());
    this.#state = state;
    for (const effect of effects) {
      if (!this.#perform(effect)) break;
    }
    this.#pump();
  }

  /** Returns false when the effects after this one no longer hold. */
  #perform(effect: ClientEffect): boolean {
    switch (effect.do) {
      case "openLink":
        this.#openLink();
        return true;
      case "closeLink":
        this.#leave()?.close(effect.reason === 0 ? CLOSE_NORMAL : CLOSE_CODE[effect.reason]);
        return true;
      case "abortLink":
        this.#leave()?.abort();
        return true;
      case "hello":
        this.#send(this.#hello(effect.attempt));
        return true;
      case "heartbeat":
        this.#send(heartbeatBody(effect.ping, this.#host.outbox.marks, this.#uptimeMs()));
        return true;
      case "bye":
        this.#send({ kind: "bye", bye: { reason: effect.reason, retryAfterMs: 0, detail: "" } });
        return true;
      case "command":
        this.#host.command(effect.command);
        return true;
      case "announce":
        this.#host.news(effect.news);
        return true;
      case "adopt":
        return this.#adopt(effect.epoch, effect.ackedSeq);
      case "offerCatalog":
        this.#host.outbox.offerCatalog(this.#identity.catalogParts);
        return this.#saveNumbers();
      default:
        this.#moveOutbox(effect);
        return true;
    }
  }

  #moveOutbox(effect: OutboxEffect): void {
    const { outbox } = this.#host;
    switch (effect.do) {
      case "release":
        this.#release(effect.seq);
        break;
      case "rewind":
        outbox.rewind(effect.seq);
        break;
      case "repeatUnacked":
        outbox.rewindAll();
        break;
      case "rotate":
        outbox.rotate();
        break;
      case "leaveEpoch":
        outbox.leaveEpoch();
        break;
    }
  }

  #openLink(): void {
    this.stats.linkAttempts++;
    const link: Link = this.#host.connect({
      opened: () => this.#onLink(link, { type: "linkOpened" }),
      frame: (bytes) => this.#onFrame(link, bytes),
      writable: () => this.#link === link && this.kick(),
      closed: (closed) => this.#onLink(link, { type: "linkClosed", closed }),
    });
    this.#link = link;
  }

  #leave(): Link | null {
    const link = this.#link;
    this.#link = null;
    return link;
  }

  #onLink(link: Link, event: ClientEvent): void {
    if (this.#link !== link) return;
    if (event.type === "linkClosed") this.#link = null;
    else this.#heard();
    this.dispatch(event);
  }

  #onFrame(link: Link, bytes: Uint8Array): void {
    if (this.#link !== link) return;
    this.#heard();
    this.stats.framesReceived++;
    this.stats.bytesReceived += bytes.length;
    const decoded = decodeDownlink(bytes);
    if (decoded.ok) {
      const body: DownlinkBody | null = decoded.value;
      if (body) this.dispatch({ type: "downlink", body });
      return;
    }
    this.stats.framesBad++;
    const detail = `${decoded.error.code}: ${decoded.error.detail}`;
    this.#host.badFrame(detail);
    this.dispatch({ type: "badFrame", detail });
  }

  #adopt(epoch: number, ackedSeq: number): boolean {
    const { outbox } = this.#host;
    const freed = outbox.adopt(epoch, ackedSeq);
    this.#traffic.progressAtMs = this.#now();
    if (freed > 0) this.#host.acked(outbox.marks.ackedSeq, freed);
    if (!this.#saveNumbers()) return false;
    this.stats.sessions++;
    this.#tickIfDraining();
    return true;
  }

  /** Before anything is sent under them; a message that came back from the file under an older number would collide. */
  #saveNumbers(): boolean {
    try {
      this.#host.saveEpoch();
      return true;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#pending.unshift({ type: "epochNotSaved", detail });
      return false;
    }
  }

  #release(seq: number): void {
    const freed = this.#host.outbox.release(seq);
    if (!freed) return;
    this.#traffic.progressAtMs = this.#now();
    this.#host.acked(seq, freed);
    this.#tickIfDraining();
  }

  /** The epoch may be drained now. */
  #tickIfDraining(): void {
    if (this.#host.outbox.marks.closing) this.#pending.push({ type: "tick" });
  }

  /** Fill the window, as far as the link takes it. */
  #pump(): void {
    const { outbox } = this.#host;
    const { phase } = this.#state;
    const window = sendWindow(this.#state, this.#now());
    if (window === 0 || phase.name !== "online" || this.#hasEpochTrouble()) return;
    if (outbox.marks.inFlight === 0) this.#traffic.progressAtMs = this.#now();
    while (this.#link?.writable) {
      const { transmittedSeq } = outbox.queues.current;
      const entry = outbox.transmit(window, phase.messageBytesMax);
      if (!entry) return;
      if (entry.seq <= transmittedSeq) this.stats.repeated++;
      this.#sendFrame(withHead(entry.seq, entry.gap, entry.body));
    }
  }

  #hasEpochTrouble(): boolean {
    return this.#pending.some((event) => event.type === "epochNotSaved");
  }

  #send(body: UplinkBody): void {
    this.#sendFrame(encodeUplink({ seq: 0, gap: 0, body }));
  }

  #sendFrame(frame: Uint8Array): void {
    if (!this.#link?.send(frame)) return; // the link is full or dying: its end or the silence will tell
    this.#traffic.sentAtMs = this.#now();
    this.stats.framesSent++;
    this.stats.bytesSent += frame.length;
  }

  #hello(attempt: number): UplinkBody {
    const { outbox, lastCommand } = this.#host;
    const { capacity: outboxFrames, marks } = outbox;
    const now = { attempt, uptimeMs: this.#uptimeMs(), lastCommand: lastCommand(), outboxFrames };
    return helloBody(this.#identity, marks, now, this.#link?.traits);
  }

  #uptimeMs(): number {
    return uptimeMs(this.#host.clock, this.#host.bootMonoMs);
  }

  #surroundings(): Surroundings {
    const { random, outbox, limits } = this.#host;
    return {
      nowMs: this.#now(),
      bootNonce: this.#identity.bootNonce,
      // Drawn only by the rule that needs it, so that a run replays from one seed.
      get unit() {
        return random.unit();
      },
      marks: outbox.marks,
      traffic: this.#traffic,
      limits,
      link: this.#link?.traits ?? NO_LINK,
    };
  }

  #heard(): void {
    this.#traffic.heardAtMs = this.#now();
  }

  #now(): number {
    return this.#host.clock.monoMs();
  }

  #setTimer(): void {
    this.#cancelTimer();
    this.#cancelTimer = () => {};
    const atMs = nextTickMs(this.#state, this.#surroundings());
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#host.clock.after(Math.max(0, Math.ceil(atMs - this.#now())), () =>
      this.dispatch({ type: "tick" }),
    );
  }
}
