/**
 * What went over the wire under which number: the identity (device, epoch, seq) is bound at the first transmission, and
 * a later frame under it must carry the same bytes.
 */
import { crc32, decodeUplink, Envelope, readEnvelope, UplinkTag } from "@tidegate/proto";
import type { Findings } from "./findings.js";

export interface Sent {
  readonly tag: number;
  readonly bodyCrc: number;
  /** The reading inside, when it is telemetry; each is unique to its device. */
  readonly reading: number | null;
}

/** A message's place: its epoch and its number. */
export interface Numbered {
  readonly epoch: number;
  readonly seq: number;
}

/** One per world; keeps every number ever sent. */
export class WireLog {
  readonly #findings: Findings;
  readonly #envelope = new Envelope();
  /** By `device/epoch`, then by number. */
  readonly #sent = new Map<string, Map<number, Sent>>();
  readonly #deliveredOn = new Map<string, number>();
  readonly #welcomedOn = new Map<string, number>();
  /** Devices whose card went back in time: their numbers may be bound anew. */
  readonly #forgiven: ReadonlySet<string>;

  constructor(findings: Findings, forgiven: ReadonlySet<string>) {
    this.#findings = findings;
    this.#forgiven = forgiven;
  }

  /** A frame left the device under its epoch. */
  sent(device: string, epoch: number, frame: Uint8Array): Numbered | null {
    if (readEnvelope(frame, this.#envelope) !== null || this.#envelope.seq === 0) return null;
    const { seq, body: tag, bodyStart, bodyEnd } = this.#envelope;
    const bodyCrc = crc32(frame.subarray(bodyStart, bodyEnd));
    const numbers = this.#of(device, epoch);
    const known = numbers.get(seq);
    if (known === undefined) numbers.set(seq, { tag, bodyCrc, reading: readingIn(frame, tag) });
    else if (known.bodyCrc !== bodyCrc && !this.#forgiven.has(device)) {
      this.#findings.add("I4", `${device}/${epoch}/${seq} was sent with other bytes than before`);
    }
    return { epoch, seq };
  }

  /** The gateway read it from that link; links count upwards. */
  delivered(device: string, { epoch, seq }: Numbered, link: number): void {
    this.#deliveredOn.set(`${device}/${epoch}/${seq}`, link);
  }

  /** The gateway answered a Hello on that link. */
  welcomed(device: string, link: number): void {
    this.#welcomedOn.set(device, link);
  }

  /** Was it read from an older link only than the one that got the last Welcome [P-4]? */
  isBehindWelcome(device: string, epoch: number, seq: number): boolean {
    const link = this.#deliveredOn.get(`${device}/${epoch}/${seq}`);
    return link !== undefined && link < (this.#welcomedOn.get(device) ?? 0);
  }

  of(device: string, epoch: number): ReadonlyMap<number, Sent> {
    return this.#of(device, epoch);
  }

  /** Every epoch a device has sent under. */
  epochsOf(device: string): number[] {
    const head = `${device}/`;
    return [...this.#sent.keys()].filter((key) => key.startsWith(head)).map((key) => Number(key.slice(head.length)));
  }

  #of(device: string, epoch: number): Map<number, Sent> {
    const key = `${device}/${epoch}`;
    let numbers = this.#sent.get(key);
    if (numbers === undefined) {
      numbers = new Map();
      this.#sent.set(key, numbers);
    }
    return numbers;
  }
}

function readingIn(frame: Uint8Array, tag: number): number | null {
  if (tag !== UplinkTag.telemetry) return null;
  const decoded = decodeUplink(frame);
  return decoded.ok && decoded.value.body?.kind === "telemetry" ? readingOf(decoded.value.body.telemetry) : null;
}

/** The one number that a telemetry message of this world carries. */
export function readingOf(telemetry: {
  readonly series: readonly { readonly values: { readonly kind: string; readonly ints?: readonly number[] } }[];
}): number | null {
  return telemetry.series[0]?.values.ints?.[0] ?? null;
}
