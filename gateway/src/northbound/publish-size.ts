/** How many bytes a PUBLISH takes, and the message id inside a rendered payload. Pure. */

/** Rendered payloads begin `{"id":"…"`: telemetry/render.ts writes them so. */
const ID_START = '{"id":"'.length;
const QUOTE = 0x22;

/** The id a rendered payload carries; ids hold only name characters, digits and slashes, so nothing is escaped. */
export function messageIdOf(payload: Buffer): string {
  const end = payload.indexOf(QUOTE, ID_START);
  return end < 0 ? "" : payload.toString("latin1", ID_START, end);
}

/**
 * Size of a QoS 1 PUBLISH with the user property `id`, in bytes. On MQTT 3.1.1, which has no properties, the packet
 * is a little smaller; its limit is 256 MiB, so the difference decides nothing.
 *
 * @param id ASCII, as all our ids are.
 */
export function publishBytes(topicBytes: number, payloadBytes: number, id: string): number {
  const properties = 1 + 2 + "id".length + 2 + id.length;
  const remaining = 2 + topicBytes + 2 + varIntBytes(properties) + properties + payloadBytes;
  return 1 + varIntBytes(remaining) + remaining;
}

function varIntBytes(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}
