/**
 * Cuts what a broker sends into whole packets, before the parser sees a byte.
 *
 *   byte 0: type, flags │ 1 … 4 bytes: remaining length, 7 bits each │ that many bytes
 *
 * Two reasons: the parser buffers whatever length a packet claims (up to 256 MiB), and it may read past the end of a
 * malformed packet into the next one. Here a packet is at most `bytesMax`, and the parser gets one at a time.
 */
const EMPTY = Buffer.alloc(0);
const HEADER_BYTES_MAX = 5;

/** One per connection; holds at most one packet that has not arrived whole. */
export class PacketFrames {
  /** The start of a packet that has not arrived whole; `#filled` bytes of it are there. */
  #partial: Buffer = EMPTY;
  #filled = 0;
  readonly #bytesMax: number;
  readonly #onPacket: (packet: Buffer) => void;

  /**
   * @param bytesMax largest packet, header included.
   * @param onPacket called with each whole packet; the bytes are valid during the call.
   */
  constructor(bytesMax: number, onPacket: (packet: Buffer) => void) {
    this.#bytesMax = bytesMax;
    this.#onPacket = onPacket;
  }

  /** @returns false when a length is malformed or above the limit: nothing after it can be trusted. */
  push(chunk: Buffer): boolean {
    const rest = this.#filled > 0 ? this.#complete(chunk) : chunk;
    return rest !== null && this.#cut(rest);
  }

  /** Add what the begun packet lacks; the bytes behind it, or null on a bad length. */
  #complete(chunk: Buffer): Buffer | null {
    let rest = chunk;
    if (this.#partial.length <= HEADER_BYTES_MAX) {
      // The length itself is not whole yet: at most five bytes, so joining costs nothing.
      const joined = Buffer.concat([this.#partial.subarray(0, this.#filled), chunk]);
      this.#filled = 0;
      return joined;
    }
    const lacking = this.#partial.length - this.#filled;
    const taken = Math.min(lacking, rest.length);
    rest.copy(this.#partial, this.#filled, 0, taken);
    this.#filled += taken;
    rest = rest.subarray(taken);
    if (taken === lacking) {
      const packet = this.#partial;
      this.#partial = EMPTY;
      this.#filled = 0;
      this.#onPacket(packet);
    }
    return rest;
  }

  #cut(bytes: Buffer): boolean {
    let at = 0;
    while (at < bytes.length) {
      const total = packetBytes(bytes, at);
      if (total < 0 || total > this.#bytesMax) return false;
      if (total === 0 || at + total > bytes.length) {
        this.#keep(bytes.subarray(at), total);
        return true;
      }
      this.#onPacket(bytes.subarray(at, at + total));
      at += total;
    }
    return true;
  }

  /** @param total length of the whole packet, 0 when it is not known yet. */
  #keep(start: Buffer, total: number): void {
    // A short packet stays with the joining path: its buffer must not look like a known length.
    this.#partial = Buffer.allocUnsafe(total > HEADER_BYTES_MAX ? total : start.length);
    this.#filled = start.copy(this.#partial);
  }
}

/** Length of the packet at `at`, header included; 0: more bytes are needed to know; −1: malformed. */
function packetBytes(bytes: Buffer, at: number): number {
  let length = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return 0;
    length += (byte & 0x7f) * 128 ** (i - 1);
    if (byte < 0x80) return 1 + i + length;
  }
  return -1;
}

/** Is this whole packet a PUBACK? */
export function isPuback(packet: Buffer): boolean {
  return packet[0] === 0x40;
}

/**
 * A PUBACK, read here and not by mqtt-packet: it refuses reason codes that brokers do send (0x95, packet too large),
 * and there is one for every record.
 *
 * @param packet a whole PUBACK. @returns packet id 0 when it has none.
 */
export function readPuback(packet: Buffer): { messageId: number; reasonCode: number } {
  let at = 1;
  while ((packet[at] ?? 0) >= 0x80) at += 1;
  const [high = 0, low = 0, reasonCode = 0] = packet.subarray(at + 1, at + 4);
  return { messageId: high * 256 + low, reasonCode };
}
