/**
 * A gateway in a hundred lines, for the model test: it keeps the delivery rules [P-2] [P-3] [P-4] [P-6] [P-7] [P-8] and
 * remembers everything, so that a test can compare what it stored with what the device did.
 *
 *   link.onSent ─▶ wire of that link ─▶ deliver() ─▶ records, gaps (accepted) ─▶ commit() ─▶ durable, Ack
 *                                                                             └▶ fail()   ─▶ back to durable, Nack
 */
import { decodeUplink, type Hello, Reason, type Uplink } from "@tidegate/proto";
import type { FakeLink } from "./fake-link.js";

export interface Stream {
  readonly epoch: number;
  accepted: number;
  durable: number;
  announced: number;
  isRetired: boolean;
  /** Number to body bytes (hex), in order of number. */
  readonly records: Map<number, string>;
  /** Numbers that are gaps. */
  readonly gaps: Set<number>;
}

/** Frames on their way to the gateway, and whether the device still listens on that link. */
interface Wire {
  readonly link: FakeLink;
  readonly up: Uint8Array[];
}

export class ModelGateway {
  readonly streams = new Map<number, Stream>();
  readonly violations: string[] = [];
  readonly #wires: Wire[] = [];
  #session: { wire: Wire; stream: Stream; isUsed: boolean } | null = null;
  #nextEpoch = 100;
  readonly #attempts = new Map<number, number>();
  window = 8;

  attach(link: FakeLink): void {
    const wire: Wire = { link, up: [] };
    this.#wires.push(wire);
    link.onSent = (_, frame) => wire.up.push(frame);
  }

  /** Let up to `count` frames arrive, from the link with this age (0: the latest); late ones included. */
  deliver(count: number, age = 0): void {
    const wire = this.#wires.at(-1 - age);
    for (let i = 0; i < count && wire; i++) {
      const frame = wire.up.shift();
      if (!frame) return;
      const decoded = decodeUplink(frame);
      if (decoded.ok) this.#take(wire, decoded.value);
    }
  }

  /** The network forgets what was under way on all but the latest link. */
  loseLate(): void {
    for (const wire of this.#wires.slice(0, -1)) wire.up.length = 0;
  }

  commit(): void {
    for (const stream of this.streams.values()) stream.durable = stream.accepted;
    const session = this.#session;
    if (session) session.wire.link.say({ kind: "ack", ack: { seq: session.stream.durable } });
  }

  /** The batch could not be written: everything behind the durable mark is forgotten and asked for again. */
  fail(): void {
    for (const stream of this.streams.values()) {
      for (let seq = stream.durable + 1; seq <= stream.accepted; seq++) {
        stream.records.delete(seq);
        stream.gaps.delete(seq);
      }
      stream.accepted = stream.durable;
    }
    const session = this.#session;
    if (!session) return;
    const nack = { expected: session.stream.durable + 1, reason: Reason.STORAGE_BUSY, retryAfterMs: 50 };
    session.wire.link.say({ kind: "nack", nack });
  }

  #take(wire: Wire, { seq, gap, body }: Uplink): void {
    if (body?.kind === "hello") {
      this.#hello(wire, body.hello);
      return;
    }
    const session = this.#session;
    if (!session || session.wire !== wire) return; // a superseded link [P-5]
    this.#use(session);
    const { stream } = session;
    if (body?.kind === "heartbeat") {
      stream.announced = Math.max(stream.announced, body.heartbeat.nextSeq - 1);
      this.#gapUpTo(stream, body.heartbeat.oldest - 1);
      return;
    }
    if (body?.kind === "bye") this.#session = null;
    else
      this.#reliable(
        session,
        seq,
        gap,
        JSON.stringify(body, (_, value) => (value instanceof Uint8Array ? [...value] : value)),
      );
  }

  #reliable(session: { wire: Wire; stream: Stream }, seq: number, gap: number, body: string): void {
    const { stream, wire } = session;
    const expected = stream.accepted + 1;
    if (seq === 0 || gap >= seq) this.violations.push(`gap ${gap} of ${seq}`);
    if (seq < expected) {
      const recorded = stream.records.get(seq);
      if (recorded !== undefined && recorded !== body) this.violations.push(`conflict at ${seq}`);
      wire.link.say({ kind: "ack", ack: { seq: stream.durable } });
    } else if (seq - gap <= expected) {
      this.#gapUpTo(stream, seq - 1);
      stream.records.set(seq, body);
      stream.accepted = seq;
      stream.announced = Math.max(stream.announced, seq);
    } else {
      const nack = { expected, reason: Reason.OUT_OF_ORDER, retryAfterMs: 0 };
      wire.link.say({ kind: "nack", nack });
    }
  }

  /** A Hello that a half-open link delivers late must not fence the session that a newer one opened [P-5]. */
  #isLate(hello: Hello): boolean {
    const latest = this.#attempts.get(hello.bootNonce) ?? 0;
    this.#attempts.set(hello.bootNonce, Math.max(latest, hello.attempt));
    return hello.attempt <= latest;
  }

  #hello(wire: Wire, hello: Hello): void {
    if (this.#isLate(hello)) return;
    this.commitQuietly();
    const stream = this.#streamFor(hello, wire === this.#wires.at(-1));
    stream.announced = Math.max(stream.announced, hello.nextSeq - 1);
    this.#session = { wire, stream, isUsed: false };
    const { attempt, bootNonce } = hello;
    wire.link.say({
      kind: "welcome",
      welcome: {
        attempt,
        bootNonce,
        epoch: stream.epoch,
        ackedSeq: stream.durable,
        keepaliveMs: 30_000,
        window: this.window,
        unixMs: 0,
        wantCatalog: false,
        maxUplinkBytes: 0,
      },
    });
  }

  /** Hello waits behind everything older in the storage queue [P-4]. */
  commitQuietly(): void {
    for (const stream of this.streams.values()) stream.durable = stream.accepted;
  }

  /** `isLatest`: a late Hello of an earlier boot may well ask for an epoch that is gone; a fresh one never does. */
  #streamFor(hello: Hello, isLatest: boolean): Stream {
    const known = this.streams.get(hello.epoch);
    const isRollback = known && !hello.closing && hello.nextSeq <= known.announced;
    if (known && !known.isRetired && !isRollback) return known;
    if (hello.epoch !== 0 && isLatest)
      this.violations.push(`epoch ${hello.epoch} was ${known ? "retired" : "unknown"}`);
    const epoch = this.#nextEpoch++;
    const fresh: Stream = {
      epoch,
      accepted: 0,
      durable: 0,
      announced: 0,
      isRetired: false,
      records: new Map(),
      gaps: new Set(),
    };
    this.streams.set(epoch, fresh);
    return fresh;
  }

  #use(session: { stream: Stream; isUsed: boolean }): void {
    if (session.isUsed) return;
    session.isUsed = true;
    for (const stream of this.streams.values()) if (stream !== session.stream) stream.isRetired = true;
  }

  #gapUpTo(stream: Stream, seq: number): void {
    for (let missing = stream.accepted + 1; missing <= seq; missing++) stream.gaps.add(missing);
    stream.accepted = Math.max(stream.accepted, seq);
  }
}
