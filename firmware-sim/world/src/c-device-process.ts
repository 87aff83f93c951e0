/**
 * One life of a device's process with the C edition of the SDK: the compiled code, polled as a board's main loop would,
 * with the same application as the others: it counts upwards. Its memory is RAM: a power cut empties it.
 */
import { type DownlinkBody, decodeDownlink, StreamDecoder } from "@tidegate/proto";
import { type ByteLink, networkLink, wireLink } from "./byte-link.js";
import { C_EVENT, C_FOREVER, C_STATE, CDevice, cEdition } from "./c-edition.js";
import type { DeviceLife } from "./device-life.js";
import type { DeviceParts } from "./device-process.js";
import { ProcessClock, WALL_START_UNIX_MS } from "./process-clock.js";

/** Steps that may follow one another without time passing: more mean that it goes round in circles. */
const POLLS_AT_ONCE_MAX = 2_000;
const BURST_MAX = 30;
const REPLY_AGAIN_MS = 200;
const SIGNAL = 1;
const NO_ROOM = -2;
/** A message of one reading takes about this much of the ring, in bytes. */
const RING_BYTES_PER_MESSAGE = 24;
const RING_BYTES_MIN = 256;
const RING_BYTES_MAX = 32_000;

/** Runs from its construction until `kill`. */
export class CDeviceProcess implements DeviceLife {
  readonly #parts: DeviceParts;
  readonly #clock: ProcessClock;
  readonly #device: CDevice;
  readonly #link: ByteLink;
  /** Sees what the device is told, as the device does. */
  #ears = new StreamDecoder();
  #epoch = 0;
  #isReporting = true;
  #isPolling = false;
  #cancelPoll: () => void = () => {};

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    const { timeline, settings, network, wire, random, traps } = parts;
    this.#clock = new ProcessClock(timeline, { offsetMs: WALL_START_UNIX_MS }, timeline.nowMs);
    const isAlive = (): boolean => this.#clock.isAlive;
    const owner = { isAlive, epoch: () => this.#epoch, dies: () => traps("arrives") };
    const arrived = (): void => {
      if (isAlive()) this.#poll();
    };
    this.#link =
      wire === null ? networkLink(network.connectorOf(settings.id, owner), arrived) : wireLink(wire, arrived);
    const module = cEdition();
    if (module === null) throw new Error("the C edition was not built: make -C device-sdk/c wasm");
    const ringBytes = Math.min(RING_BYTES_MAX, RING_BYTES_MIN + settings.messagesMax * RING_BYTES_PER_MESSAGE);
    this.#device = new CDevice(module, this.#host(random.fork()), { deviceId: settings.id, ringBytes });
    this.#clock.soon(() => this.#poll());
    this.#reportLater();
  }

  get epoch(): number {
    return this.#epoch;
  }

  get isDrained(): boolean {
    return this.#device.isOnline && this.#device.heldCount === 0;
  }

  get facts(): string {
    const { isOnline, heldCount } = this.#device;
    return `C edition, ${isOnline ? "online" : "offline"}, ${heldCount} held, epoch ${this.#epoch}`;
  }

  stopReporting(): void {
    this.#isReporting = false;
  }

  kill(): void {
    this.#clock.kill();
    this.#parts.wire?.plugBoard(null);
    this.#parts.network.deviceDied(this.#parts.settings.id);
  }

  #host(random: DeviceParts["random"]) {
    return {
      open: () => {
        const answer = this.#link.open();
        if (answer === 1) this.#ears = new StreamDecoder();
        return answer;
      },
      // It may die in the middle of a step: then nothing more goes out or comes in.
      send: (bytes: Uint8Array) => (this.#clock.isAlive ? this.#link.send(bytes) : -1),
      recv: (max: number) => {
        if (!this.#clock.isAlive) return null;
        const taken = this.#link.recv(max);
        if (taken !== null) this.#hear(taken);
        return taken;
      },
      close: () => this.#link.close(),
      nowMs: () => this.#clock.monoMs(),
      entropy: () => random.u32(),
      command: (id: number, _name: string, args: string) => this.#command(id, args),
      event: (event: number, arg: number) => this.#event(event, arg),
    };
  }

  /** What an ack frees is told when it arrives: the C edition has no event for it. */
  #hear(bytes: Uint8Array): void {
    for (const message of this.#ears.push(bytes)) {
      const decoded = decodeDownlink(message);
      const body: DownlinkBody | null = decoded.ok ? decoded.value : null;
      if (body?.kind !== "ack" || !this.#device.isOnline) continue;
      const { checker, story, settings } = this.#parts;
      story.tell(settings.id, "acked", this.#epoch, body.ack.seq);
      checker.delivery.acked(settings.id, this.#epoch, body.ack.seq);
    }
  }

  #poll(): void {
    // From inside a poll (a callback, a send that answers at once) the loop that runs looks again.
    if (this.#isPolling) return;
    this.#isPolling = true;
    this.#cancelPoll();
    let waitMs = 0;
    for (let polls = 0; waitMs === 0 && this.#clock.isAlive; polls++) {
      if (polls > POLLS_AT_ONCE_MAX) throw new Error("the C edition asks to be polled again and again");
      waitMs = this.#device.poll();
    }
    this.#isPolling = false;
    if (waitMs !== C_FOREVER) this.#cancelPoll = this.#clock.after(waitMs, () => this.#poll());
  }

  #event(event: number, arg: number): void {
    const { checker, story, settings } = this.#parts;
    if (!this.#clock.isAlive) return;
    if (event === C_EVENT.dropped) checker.delivery.evicted(settings.id, 1);
    if (event === C_EVENT.online) this.#epoch = arg;
    if (event === C_EVENT.online) story.tell(settings.id, "online", arg);
    if (event === C_EVENT.offline) story.tell(settings.id, "offline", arg);
  }

  /** A handler: begins now, ends some time later. */
  #command(id: number, args: string): number {
    const { checker, story, settings, timeline, random, traps } = this.#parts;
    if (!this.#clock.isAlive) return C_STATE.received;
    const { token } = JSON.parse(args) as { token: number }; // written by this world
    story.tell(settings.id, "runs", token);
    checker.commands.ran(settings.id, token, timeline.nowMs);
    if (traps("runs")) return C_STATE.received;
    const state = random.chance(0.1) ? C_STATE.failed : C_STATE.succeeded;
    this.#clock.after(random.spread(1, settings.commandMsMax), () => {
      if (state === C_STATE.succeeded) checker.commands.done(token);
      this.#reply(id, state, String(token));
    });
    return C_STATE.received;
  }

  #reply(id: number, state: number, result: string): void {
    if (this.#device.reply(id, state, result) === NO_ROOM) {
      this.#clock.after(REPLY_AGAIN_MS, () => this.#reply(id, state, result));
    } else this.#poll();
  }

  #reportLater(): void {
    const { random, settings } = this.#parts;
    this.#clock.after(random.waitMs(settings.readingMs), () => {
      if (!this.#isReporting) return;
      const count = random.chance(settings.burst) ? random.between(2, BURST_MAX) : 1;
      for (let i = 0; i < count; i++) this.#report();
      this.#poll();
      this.#reportLater();
    });
  }

  #report(): void {
    const { checker, counter, settings } = this.#parts;
    counter.value += 1;
    checker.delivery.reported(settings.id, counter.value);
    // A refusal is an answer: the application knows that this reading is not on its way.
    if (!this.#device.report(SIGNAL, counter.value)) checker.delivery.evicted(settings.id, 1);
  }
}
