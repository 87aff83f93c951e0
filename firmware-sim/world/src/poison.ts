/**
 * Messages that the broker will not take, whatever happens: it says so, or hangs up whenever it is sent one. Which ones
 * follows from their ids, so that a repeat is refused as the first was; an operator can mend the broker.
 *
 *   id ─hash─▶ below the share? ─▶ refused: PUBACK with a reason, or the connection closed without a word
 */

/** PUBACK codes (MQTT 5 §3.4.2.1) that say the message itself is at fault. */
const TOPIC_NAME_INVALID = 0x90;
const PAYLOAD_FORMAT_INVALID = 0x99;

export interface PoisonProfile {
  /** Part of all messages that is refused, 0 … 1. */
  readonly share: number;
  /** Part of the refused ones that it hangs up on. */
  readonly hangUps: number;
}

/** What becomes of a message: it is taken, its PUBACK carries this code, or the broker closes the connection. */
export type Judgement = "take" | "hangUp" | number;

/** One per broker. */
export class Poison {
  /** Ids that were refused at least once. */
  readonly refused = new Set<string>();
  readonly #profile: PoisonProfile;
  readonly #salt: number;
  #isMended = false;

  /** @param salt makes each world refuse other ones. */
  constructor(profile: PoisonProfile, salt: number) {
    this.#profile = profile;
    this.#salt = salt;
  }

  /** From now on everything is taken. */
  mend(): void {
    this.#isMended = true;
  }

  /** @param id whole, or what ends it. */
  wasRefused(id: string): boolean {
    if (this.refused.has(id)) return true;
    return id.startsWith("/") && [...this.refused].some((refused) => refused.endsWith(id));
  }

  judge(id: string): Judgement {
    if (this.#isMended || this.#profile.share === 0) return "take";
    const hash = this.#hashOf(id);
    if ((hash >>> 8) / 2 ** 24 >= this.#profile.share) return "take";
    this.refused.add(id);
    if ((hash & 0x7f) / 0x80 < this.#profile.hangUps) return "hangUp";
    return (hash & 0x80) === 0 ? TOPIC_NAME_INVALID : PAYLOAD_FORMAT_INVALID;
  }

  #hashOf(id: string): number {
    let hash = this.#salt | 0;
    for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
    return (hash ^ (hash >>> 15)) >>> 0;
  }
}
