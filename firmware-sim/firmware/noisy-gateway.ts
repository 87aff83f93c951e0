/**
 * A gateway behind a bad line, for the emulated boards: it admits by [P-2], acks, nacks, lists gaps, sends commands one
 * after the other until they are answered, and can be killed and started again. The line flips bits in both directions.
 *
 *   board ── line ──► hear() ─► admit: stored | duplicate | gap | Nack
 *         ◄─ line ──  say()
 */
import {
  type DownlinkBody,
  decodeUplink,
  encodeDownlink,
  encodeStreamFrame,
  StreamDecoder,
  type Uplink,
} from "@tidegate/proto";

/** xorshift32: the same faults for the same seed, as far as the board's timing allows. */
class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 0x1_0000_0000;
  }
}

/** How often a Nack may be said. */
const NACK_EVERY_MS = 20;

export interface NoiseOptions {
  /** Share of bytes hit, 0 … 1, in each direction. */
  byteErrors: number;
  seed: number;
  /** Monotonic milliseconds. */
  nowMs: () => number;
  write: (bytes: Uint8Array) => void;
}

export class NoisyGateway {
  readonly #options: NoiseOptions;
  readonly #random: Random;
  #decoder = new StreamDecoder();
  #isAlive = true;
  #hasSession = false;
  #epoch = 0;
  #accepted = 0;
  #nackedMs = 0;
  #commandId = 0;
  #ignoredBytes = 0;
  #waiting: { isMet: () => boolean; met: () => void }[] = [];
  /** Numbers stored, by reading: each must be there once. */
  readonly stored: number[] = [];
  readonly gaps: { from: number; to: number }[] = [];
  /** Final results by command id; more than one is a command executed twice. */
  readonly results = new Map<number, number>();
  readonly counts = { hellos: 0, duplicates: 0, nacks: 0, badFrames: 0, epochs: 0 };

  constructor(options: NoiseOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
  }

  get commandsSent(): number {
    return this.#commandId;
  }

  /** The highest number accounted for: stored, or listed as lost. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes the board sent while nobody listened. */
  get ignoredBytes(): number {
    return this.#ignoredBytes;
  }

  /** Resolves when a byte from the board makes the condition true. */
  until(isMet: () => boolean): Promise<void> {
    return new Promise((met) => this.#waiting.push({ isMet, met }));
  }

  /** The process dies; its store stays. */
  kill(): void {
    this.#isAlive = false;
    this.#hasSession = false;
  }

  /** It runs again. */
  start(): void {
    this.#isAlive = true;
    this.#decoder = new StreamDecoder();
  }

  /** Sends the next command, or the last one again while its answer is missing [P-19]. */
  command(): void {
    if (!this.#hasSession) return;
    if (this.#commandId === 0 || this.results.has(this.#commandId)) this.#commandId += 1;
    const args = new TextEncoder().encode(`{"n":${this.#commandId}}`);
    const command = { id: this.#commandId, code: 2, name: "", args, deadlineUptimeMs: 0, atMostOnce: false };
    this.#say({ kind: "command", command });
  }

  hear(chunk: Uint8Array): void {
    if (this.#isAlive) this.#listen(chunk);
    else this.#ignoredBytes += chunk.length;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((w) => !w.isMet());
    for (const w of waiting) if (w.isMet()) w.met();
  }

  #listen(chunk: Uint8Array): void {
    for (const message of this.#decoder.push(this.#hit(chunk))) {
      const decoded = decodeUplink(message);
      if (!decoded.ok) throw new Error(`a sound frame with unsound content: ${decoded.error.code}`);
      this.#onUplink(decoded.value);
    }
    this.counts.badFrames = this.#decoder.stats.crcErrors + this.#decoder.stats.noise;
  }

  #hit(bytes: Uint8Array): Uint8Array {
    return bytes.map((byte) =>
      this.#random.next() < this.#options.byteErrors ? byte ^ (1 << (this.#random.next() * 8)) : byte,
    );
  }

  #say(body: DownlinkBody): void {
    if (this.#isAlive) this.#options.write(this.#hit(encodeStreamFrame(encodeDownlink(body))));
  }

  #onUplink(uplink: Uplink): void {
    if (uplink.body?.kind === "hello") {
      this.#onHello(uplink.body.hello);
    } else if (!this.#hasSession) {
      this.#say({ kind: "sayHello" });
    } else if (uplink.seq > 0) {
      this.#admit(uplink);
    } else if (uplink.body?.kind === "heartbeat") {
      this.#say({ kind: "heartbeat", heartbeat: { uptimeMs: 0, unixMs: 0, ping: 0, nextSeq: 0, oldest: 0 } });
    }
  }

  #onHello(hello: { attempt: number; bootNonce: number; epoch: number }): void {
    this.counts.hellos += 1;
    if (hello.epoch !== this.#epoch || this.#epoch === 0) {
      this.#epoch = ++this.counts.epochs;
      this.#accepted = 0;
    }
    this.#hasSession = true;
    const { attempt, bootNonce } = hello;
    const session = { epoch: this.#epoch, ackedSeq: this.#accepted, keepaliveMs: 5000, window: 8, unixMs: 0 };
    this.#say({
      kind: "welcome",
      welcome: { attempt, bootNonce, ...session, wantCatalog: false, maxUplinkBytes: 1024 },
    });
  }

  #admit(uplink: Uplink): void {
    const expected = this.#accepted + 1;
    if (uplink.seq < expected) {
      this.counts.duplicates += 1;
    } else if (uplink.seq - uplink.gap > expected) {
      if (this.#options.nowMs() - this.#nackedMs < NACK_EVERY_MS) return;
      this.#nackedMs = this.#options.nowMs();
      this.counts.nacks += 1;
      this.#say({ kind: "nack", nack: { expected, reason: 14, retryAfterMs: 0 } });
      return;
    } else {
      if (uplink.seq > expected) this.gaps.push({ from: expected, to: uplink.seq - 1 });
      this.#accepted = uplink.seq;
      this.#store(uplink);
    }
    this.#say({ kind: "ack", ack: { seq: this.#accepted } });
  }

  #store({ seq, body }: Uplink): void {
    this.stored.push(seq);
    if (body?.kind !== "commandUpdate" || body.commandUpdate.state !== 3) return;
    const { id } = body.commandUpdate;
    this.results.set(id, (this.results.get(id) ?? 0) + 1);
  }
}
