/**
 * One device's session over one link: performs what the session machine decides and hands frames to the conversation.
 * It holds no rules of its own beyond the order of the steps.
 *
 *   link ──message──▶ session ──hello, bye, sweep──▶ session-machine ──effects──▶ link, storage queue, registry
 *                        └──reliable frame, heartbeat──▶ conversation
 */
import { decodeBody, encodeDownlink, type Hello, Reason, readEnvelope, reasonName, UplinkTag } from "@tidegate/proto";
import { asGatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { HelloOutcome } from "../model/spool.js";
import { Conversation, type ConversationWorld, envelope } from "./conversation.js";
import type { HelloVerdict } from "./hello-guard.js";
import * as machine from "./session-machine.js";
import type { DeviceLink, SessionFacts, StreamView } from "./session-ports.js";

/** What the registry hears of its sessions. */
export interface SessionOwner<S extends StreamView> {
  /** A Hello came: judge it, and when it is let in, end an older session of the device. */
  claim(session: Session<S>, hello: Hello): HelloVerdict;
  activated(session: Session<S>): void;
  left(session: Session<S>, reason: Reason): void;
  closed(session: Session<S>): void;
}

/** What a session is given; nothing else of the gateway is known to it. */
export interface SessionWorld<S extends StreamView> extends ConversationWorld<S> {
  readonly owner: SessionOwner<S>;
  readonly log: Logger;
}

const NO_PROOF = new Uint8Array(0);

/** A Hello that the store could not answer is worth another try soon. */
const RETRY_INTERNAL_MS = 5000;

/** Made by the registry for every link; fed with the link's messages and its end. */
export class Session<S extends StreamView = StreamView> {
  readonly link: DeviceLink;
  readonly openedUnixMs: number;
  readonly #world: SessionWorld<S>;
  #state: machine.SessionState;
  #conversation: Conversation<S> | null = null;
  #lastHeardMonoMs: number;
  #helloMonoMs = 0;
  #device: string | null = null;
  /** The largest message the device takes, as its last Hello said. */
  #peerBytesMax = Number.POSITIVE_INFINITY;

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
    this.#lastHeardMonoMs = this.#world.arrivals.monoMs();
    const error = readEnvelope(bytes, envelope);
    if (error !== null) {
      this.#world.counters.malformed.value += 1;
      const reason = error === "too_large" ? Reason.TOO_LARGE : Reason.MALFORMED;
      this.end(reason, `the message could not be decoded: ${error}`);
      return;
    }
    const tag = envelope.body;
    // Numbers belong to reliable bodies; on the others they are ignored [P-41].
    if (tag === UplinkTag.hello || tag === UplinkTag.heartbeat || tag === UplinkTag.bye) {
      this.#control(tag, bytes.subarray(envelope.bodyStart, envelope.bodyEnd));
    } else if (envelope.seq > 0) {
      this.#reliable(bytes);
    } else if (tag >= UplinkTag.hello && tag <= UplinkTag.log) {
      this.#violation("a reliable message without a number");
    }
  }

  /** A text message came, which the protocol does not have. */
  text(): void {
    this.end(Reason.PROTOCOL_VIOLATION, "text messages are not part of the protocol");
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
    this.#conversation?.sweep(nowMonoMs);
  }

  /** The device that this session last spoke for; null before a Hello was let in. Stays after the end. */
  get device(): string | null {
    return this.#device;
  }

  /** The device has spoken since it was welcomed: somebody is there. */
  get isUsed(): boolean {
    return this.#conversation?.isUsed ?? false;
  }

  get isActive(): boolean {
    return this.#conversation !== null;
  }

  /** For the device list; null unless active. */
  facts(): SessionFacts | null {
    return this.#conversation?.facts(this.openedUnixMs) ?? null;
  }

  #control(tag: number, body: Uint8Array): void {
    // Round trips and uptimes are measured with it: here the exact instant counts.
    this.#lastHeardMonoMs = this.#world.clock.monoMs();
    const decoded = decodeBody(tag, body);
    if (!decoded.ok) {
      this.end(Reason.MALFORMED, `the message could not be decoded: ${decoded.error.code}`);
    } else if (decoded.value.kind === "hello") {
      this.#helloMonoMs = this.#lastHeardMonoMs;
      this.#world.counters.hellos.value += 1;
      this.#hello(decoded.value.hello);
    } else if (decoded.value.kind === "heartbeat") {
      this.#conversation?.heartbeat(decoded.value.heartbeat, this.#lastHeardMonoMs);
    } else if (decoded.value.kind === "bye") {
      this.#conversation?.bye();
      this.#dispatch({ type: "bye", reason: decoded.value.bye.reason });
    }
  }

  #hello(hello: Hello): void {
    const isProven = this.link.verify?.(hello) ?? true;
    this.#peerBytesMax = hello.maxRxBytes === 0 ? Number.POSITIVE_INFINITY : hello.maxRxBytes;
    // The secret has done its work: nothing keeps it, or carries it to another thread.
    this.#dispatch({ type: "hello", hello: { ...hello, proof: NO_PROOF }, isProven });
  }

  /** Frames that come without a session belong to an older one, or are too early: they are not for us [P-5]. */
  #reliable(bytes: Uint8Array): void {
    const broken = this.#conversation?.reliable(bytes, this.#lastHeardMonoMs) ?? null;
    if (broken !== null) this.#violation(broken);
  }

  #violation(detail: string): void {
    this.#world.counters.violations.value += 1;
    this.end(Reason.PROTOCOL_VIOLATION, detail);
  }

  #dispatch(event: machine.SessionEvent): void {
    const next = machine.step(this.#state, event, this.#world.settings, this.link.identity);
    this.#state = next.state;
    for (const effect of next.effects) this.#perform(effect);
  }

  #perform(effect: machine.SessionEffect): void {
    switch (effect.do) {
      case "storeHello":
        void this.#storeHello(effect.hello);
        break;
      case "welcome":
        this.#welcome(effect.hello, effect.outcome);
        break;
      case "leave":
        this.#leave(effect.reason);
        break;
      case "bye":
        this.#bye(effect.reason, effect.detail, effect.retryAfterMs);
        break;
      case "closeLink":
        this.link.close(effect.reason, "");
        this.#world.owner.closed(this);
    }
  }

  /** Fence the older session, then ask the storage queue behind everything gathered from it [P-4]. */
  async #storeHello(hello: Hello): Promise<void> {
    const verdict = this.#world.owner.claim(this, hello);
    if (verdict.let === "out") {
      this.end(Reason.CLONED_IDENTITY, "two devices take turns under this id", verdict.lockedOutMs);
      return;
    }
    // The device has given this link up; nothing of it counts.
    if (verdict.let === "drop") {
      this.#world.counters.lateHellos.value += 1;
      this.end(Reason.TAKEOVER, "a later Hello of this boot was answered already");
      return;
    }
    this.#device = hello.deviceId;
    const receivedUnixMs = this.#world.clock.unixMs();
    try {
      await this.#world.host.intake.barrier(hello.deviceId);
      const outcome = await this.#world.host.hello({ ...hello, receivedUnixMs });
      this.#dispatch({ type: "decided", hello, outcome });
    } catch (thrown) {
      this.#helloFailed(hello, thrown);
    }
  }

  #helloFailed(hello: Hello, thrown: unknown): void {
    const error = asGatewayError(thrown);
    if (error.code === "E_BAD_REQUEST") {
      this.#world.counters.violations.value += 1;
      this.#dispatch({ type: "refused", hello, detail: error.why });
      return;
    }
    this.#world.log.warn({ device: hello.deviceId, error: error.code, why: error.why }, "hello not answered");
    this.end(Reason.INTERNAL, "the gateway could not answer; try again", RETRY_INTERNAL_MS);
  }

  #welcome(hello: Hello, outcome: HelloOutcome): void {
    this.#conversation = new Conversation(this.#world, this.link, { hello, atMonoMs: this.#helloMonoMs }, outcome);
    this.#world.owner.activated(this);
  }

  #leave(reason: Reason): void {
    this.#conversation?.close();
    this.#conversation = null;
    this.#world.owner.left(this, reason);
  }

  #bye(reason: Reason, detail: string, retryAfterMs: number): void {
    const facts = { device: this.#device, remote: this.link.remote, reason: reasonName(reason), detail };
    this.#world.log.info(facts, "session ended by the gateway");
    const told = encodeDownlink({ kind: "bye", bye: { reason, retryAfterMs, detail } });
    const fits = told.length <= this.#peerBytesMax;
    // The reason fits everywhere; the words are for those who have room for them.
    this.link.send(fits ? told : encodeDownlink({ kind: "bye", bye: { reason, retryAfterMs, detail: "" } }));
    this.link.close(reason, detail);
    this.#world.owner.closed(this);
  }
}
