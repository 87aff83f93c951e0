/**
 * A gateway of a few lines, for tests that put a real C device on a real link: it welcomes, acks, remembers what it
 * heard, and lets a test wait for the message it wants. What the gateway proper does with the messages is tested there.
 */
import { type DownlinkBody, decodeUplink, encodeDownlink, type Uplink } from "@tidegate/proto";

const EPOCH = 4711;

/** A gateway of a few lines: welcomes, acks, remembers. */
export class TinyGateway {
  readonly uplinks: Uplink[] = [];
  #say: (message: Uint8Array) => void = () => {};
  #waiting: { matches: (uplink: Uplink) => boolean; found: (uplink: Uplink) => void }[] = [];

  attach(say: (message: Uint8Array) => void): void {
    this.#say = say;
  }

  say(body: DownlinkBody): void {
    this.#say(encodeDownlink(body));
  }

  hear(bytes: Uint8Array): void {
    const decoded = decodeUplink(bytes);
    if (!decoded.ok) throw new Error(`${decoded.error.code}: ${decoded.error.detail}`);
    const uplink = decoded.value;
    this.uplinks.push(uplink);
    if (uplink.body?.kind === "hello") this.#welcome(uplink.body.hello.attempt, uplink.body.hello.bootNonce);
    if (uplink.seq > 0) this.say({ kind: "ack", ack: { seq: uplink.seq } });
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((w) => !w.matches(uplink));
    for (const w of waiting) if (w.matches(uplink)) w.found(uplink);
  }

  #welcome(attempt: number, bootNonce: number): void {
    this.say({
      kind: "welcome",
      welcome: {
        attempt,
        bootNonce,
        epoch: EPOCH,
        ackedSeq: 0,
        keepaliveMs: 30_000,
        window: 16,
        unixMs: 0,
        wantCatalog: true,
        maxUplinkBytes: 1024,
      },
    });
  }

  /** The next uplink that matches, or one heard already. */
  next(matches: (uplink: Uplink) => boolean): Promise<Uplink> {
    const heard = this.uplinks.find(matches);
    if (heard !== undefined) return Promise.resolve(heard);
    return new Promise((found) => this.#waiting.push({ matches, found }));
  }
}
