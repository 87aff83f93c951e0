/**
 * Whole WebSocket frames for small messages, in one piece of memory and so in one write: acks, pings, commands.
 *
 *   0x82 │ length < 126 │ payload              FIN and binary, not masked: RFC 6455 §5.2, from a server
 *
 * `ws` would send header and payload as two pieces through cork, writev and two callbacks, which costs several times
 * what the frame does. It shares the socket with us: without compression it writes each frame at once and whole, so
 * frames of both never mix. Measured by row T2 of the benchmark.
 */

/** Payloads from here on need a longer header (RFC 6455 §5.2) and are left to `ws`. */
export const SMALL_MESSAGE_BYTES_MAX = 125;

const FIN_BINARY = 0x82;

/** The frame of a message of at most SMALL_MESSAGE_BYTES_MAX bytes; the message is copied. */
export function smallFrame(message: Uint8Array): Buffer {
  const size = message.length;
  const frame = Buffer.allocUnsafe(size + 2);
  frame[0] = FIN_BINARY;
  frame[1] = size;
  for (let i = 0; i < size; i++) frame[i + 2] = message[i] ?? 0;
  return frame;
}
