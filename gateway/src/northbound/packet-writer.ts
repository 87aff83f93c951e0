/**
 * Collects generated packets into one buffer, so that a window of messages costs one write to the socket.
 *
 * It has the part of a stream's shape that mqtt-packet writes to. A packet that mqtt-packet refuses to generate is a
 * fault of ours (everything is checked before): it throws, and what was written of it is taken back.
 */
import { type Packet, writeToStream } from "mqtt-packet";

const CHUNK_BYTES = 64 * 1024;
/** Up to here a loop is cheaper than a call into native code; most chunks are headers of one or two bytes. */
const SMALL_BYTES = 24;

/** One per connection: the version decides how packets are written. */
export class PacketWriter {
  #buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  #used = 0;
  readonly #options: { readonly protocolVersion: 4 | 5 };

  constructor(version: 4 | 5) {
    this.#options = { protocolVersion: version };
  }

  get bytes(): number {
    return this.#used;
  }

  /** Append one packet. Throws when it cannot be generated. */
  packet(packet: Packet): void {
    const start = this.#used;
    try {
      // Only write, uncork and destroy of a stream are called by the generator; they are below.
      writeToStream(packet, this as unknown as NodeJS.WritableStream, this.#options);
    } catch (error) {
      this.#used = start;
      throw error;
    }
  }

  /** Everything collected; the caller owns the buffer. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#used);
    this.#buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    this.#used = 0;
    return taken;
  }

  /** Called by the generator. */
  write(chunk: Buffer | string): boolean {
    if (typeof chunk === "string") {
      // Three bytes per UTF-16 unit is the most UTF-8 can need; counting exactly would read the text twice.
      this.#reserve(chunk.length * 3);
      this.#used += this.#buffer.write(chunk, this.#used);
      return true;
    }
    this.#reserve(chunk.length);
    if (chunk.length > SMALL_BYTES) this.#used += chunk.copy(this.#buffer, this.#used);
    else for (let i = 0; i < chunk.length; i++) this.#buffer[this.#used++] = chunk[i] ?? 0;
    return true;
  }

  /** Called by the generator when a packet cannot be written. */
  destroy(error: Error): never {
    throw error;
  }

  /** Called by the generator; there is nothing to hold back. */
  uncork(): void {}

  #reserve(bytes: number): void {
    const needed = this.#used + bytes;
    if (needed <= this.#buffer.length) return;
    let size = this.#buffer.length * 2;
    while (size < needed) size *= 2;
    const larger = Buffer.allocUnsafe(size);
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }
}
