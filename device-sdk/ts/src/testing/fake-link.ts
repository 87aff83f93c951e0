/** Links without a network: a test opens, feeds and breaks them by hand, and reads what the device sent. */
import {
  type DownlinkBody,
  decodeUplink,
  encodeDownlink,
  MESSAGE_BYTES_MAX,
  Reason,
  type Uplink,
  type UplinkBody,
} from "@tidegate/proto";
import type { Connect, Link, LinkClosed, LinkEvents, LinkTraits } from "../links/link.js";

const TRAITS: LinkTraits = {
  messageBytesMax: MESSAGE_BYTES_MAX,
  helloRetryMs: 1_000,
  retransmitMs: 0,
  needsProof: false,
};

export class FakeLink implements Link {
  readonly traits: LinkTraits;
  /** Everything sent, decoded. */
  readonly sent: Uplink[] = [];
  readonly frames: Uint8Array[] = [];
  state: "opening" | "open" | "closed" | "aborted" = "opening";
  closeCode: number | null = null;
  writable = true;
  readonly #events: LinkEvents;
  /** Called when the device leaves the link, in order or at once. */
  onLeft: () => void = () => {};
  /** Called with each message, in the order sent. */
  onSent: (uplink: Uplink, frame: Uint8Array) => void = () => {};

  constructor(events: LinkEvents, traits: Partial<LinkTraits>) {
    this.#events = events;
    this.traits = { ...TRAITS, ...traits };
  }

  send(frame: Uint8Array): boolean {
    if (this.state !== "open" || !this.writable) return false;
    const decoded = decodeUplink(frame);
    if (!decoded.ok) throw new Error(`the device sent what cannot be decoded: ${decoded.error.detail}`);
    this.sent.push(decoded.value);
    this.frames.push(frame);
    this.onSent(decoded.value, frame);
    return true;
  }

  close(code: number): void {
    this.state = "closed";
    this.closeCode = code;
    this.onLeft();
  }

  abort(): void {
    this.state = "aborted";
    this.onLeft();
  }

  open(): void {
    this.state = "open";
    this.#events.opened();
  }

  /** Say something to the device. Delivered also on a link it has left, as half-open TCP does. */
  say(body: DownlinkBody): void {
    this.#events.frame(encodeDownlink(body));
  }

  sayBytes(bytes: Uint8Array): void {
    this.#events.frame(bytes);
  }

  drained(): void {
    this.writable = true;
    this.#events.writable();
  }

  break(closed: Partial<LinkClosed> = {}): void {
    this.state = "closed";
    this.#events.closed({ kind: "lost", reason: Reason.UNSPECIFIED, detail: "cut", retryAfterMs: 0, ...closed });
  }

  /** Bodies of one kind, in order. */
  bodies<K extends UplinkBody["kind"]>(kind: K): Extract<UplinkBody, { kind: K }>[] {
    return this.sent.flatMap(({ body }) => (isKind(body, kind) ? [body] : []));
  }
}

/** All links a device opened, and the function that opens them. */
export class FakeLine {
  readonly links: FakeLink[] = [];
  readonly connect: Connect;

  constructor(traits: Partial<LinkTraits> = {}, onOpen: (link: FakeLink) => void = () => {}) {
    this.connect = (events) => {
      const link = new FakeLink(events, traits);
      this.links.push(link);
      onOpen(link);
      return link;
    };
  }

  /** The latest link. */
  get link(): FakeLink {
    const link = this.links.at(-1);
    if (!link) throw new Error("no link was opened yet");
    return link;
  }
}

function isKind<K extends UplinkBody["kind"]>(
  body: UplinkBody | null,
  kind: K,
): body is Extract<UplinkBody, { kind: K }> {
  return body?.kind === kind;
}
