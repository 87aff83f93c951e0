/** QoS 1 messages sent and not acked: packet ids, whom to tell, and how many more the broker takes. */

/** Whoever sent a message learns of its PUBACK here, with the token it gave. */
export interface AckListener {
  /** @param reasonCode 0 on MQTT 3.1.1; MQTT 5 §2.4 else. */
  acked(token: number, reasonCode: number): void;
}

interface Sent {
  readonly listener: AckListener;
  readonly token: number;
}

const PACKET_ID_MAX = 65_535;

/** The window of one connection; its packet ids end with it. */
export class InFlight {
  readonly #sent = new Map<number, Sent>();
  #nextId = 1;
  readonly #max: number;

  /** @param max how many may be in flight at once, 1 … 65,535. */
  constructor(max: number) {
    this.#max = Math.min(Math.max(1, max), PACKET_ID_MAX);
  }

  get count(): number {
    return this.#sent.size;
  }

  get freeSlots(): number {
    return this.#max - this.#sent.size;
  }

  /** A packet id for a message about to be sent. The caller has seen a free slot. */
  add(listener: AckListener, token: number): number {
    const id = this.takeId();
    this.#sent.set(id, { listener, token });
    return id;
  }

  /** An id nobody uses, for packets that are no part of the window (SUBSCRIBE). */
  takeId(): number {
    while (this.#sent.has(this.#nextId)) this.#advance();
    const id = this.#nextId;
    this.#advance();
    return id;
  }

  /** The broker acked `id`. @returns false when no such message is in flight. */
  ack(id: number, reasonCode: number): boolean {
    const sent = this.#sent.get(id);
    if (sent === undefined) return false;
    this.#sent.delete(id);
    sent.listener.acked(sent.token, reasonCode);
    return true;
  }

  #advance(): void {
    this.#nextId = this.#nextId === PACKET_ID_MAX ? 1 : this.#nextId + 1;
  }
}
