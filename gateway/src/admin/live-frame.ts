/**
 * One message on its way to many viewers: its JSON is written once, its bytes are made once per door and shared.
 *
 *   WebSocket   {"type":…}
 *   SSE         id: <store>:<record id>\ndata: {"type":…}\n\n
 */
import type { LiveText } from "../model/spool.js";
import type { LatestChange } from "./latest-values.js";
import type { LiveMessage } from "./live-messages.js";

/** A finished message: JSON text with the offset it brings a viewer to. Immutable and shared. */
export class LiveFrame {
  /** The offset a viewer has reached once it got this frame. */
  readonly recordId: number;
  readonly #json: string;
  #socketBytes: Buffer | null = null;
  #sseBytes: Buffer | null = null;

  constructor(recordId: number, json: string) {
    this.recordId = recordId;
    this.#json = json;
  }

  get json(): string {
    return this.#json;
  }

  /** UTF-8 of the message. Shared: do not write to it. */
  get socketBytes(): Buffer {
    this.#socketBytes ??= Buffer.from(this.#json);
    return this.#socketBytes;
  }

  /** The message as a server-sent event. Shared: do not write to it. JSON text has no line breaks of its own. */
  sseBytes(storeId: string): Buffer {
    this.#sseBytes ??= Buffer.from(`id: ${storeId}:${this.recordId}\ndata: ${this.#json}\n\n`);
    return this.#sseBytes;
  }
}

/** A message as a frame; `recordId` is the offset a viewer has reached with it. */
export function frameOf(recordId: number, message: LiveMessage): LiveFrame {
  return new LiveFrame(recordId, JSON.stringify(message));
}

/** Events as few frames of bounded size; the last one carries `upToId`. At least one when `events` is not empty. */
export function eventFrames(
  events: readonly LiveText[],
  upToId: number,
  frameBytesMax: number,
  conflated = false,
): LiveFrame[] {
  const frames: LiveFrame[] = [];
  let from = 0;
  let bytes = 0;
  events.forEach((event, index) => {
    bytes += event.json.length;
    const next = events[index + 1];
    if (next !== undefined && bytes + next.json.length <= frameBytesMax) return;
    const list = events.slice(from, index + 1).map((entry) => entry.json);
    const id = next === undefined ? upToId : event.id;
    const note = conflated && frames.length === 0 ? ',"conflated":true' : "";
    frames.push(new LiveFrame(id, `{"type":"events","id":${id}${note},"events":[${list.join(",")}]}`));
    from = index + 1;
    bytes = 0;
  });
  return frames;
}

/**
 * Newest values as few frames of bounded size. Each frame's id is the newest record in it, so that a viewer who takes
 * only some of them goes on where it stopped; the last one carries `upToId`. Always at least one.
 */
export function latestFrames(changes: readonly LatestChange[], upToId: number, frameBytesMax: number): LiveFrame[] {
  const frames: LiveFrame[] = [];
  let devices = new Map<string, string[]>();
  let bytes = 0;
  let reachedId = 0;
  const close = (id: number): void => {
    const list = Array.from(devices, ([device, json]) => `{"device":${JSON.stringify(device)},"readings":[${json}]}`);
    frames.push(new LiveFrame(id, `{"type":"latest","id":${id},"conflated":true,"devices":[${list.join(",")}]}`));
    devices = new Map();
    bytes = 0;
  };
  for (const change of changes) {
    // A frame ends between records only: its id must not promise a value that is still to come.
    if (bytes > frameBytesMax && change.recordId !== reachedId) close(reachedId);
    const json = JSON.stringify(change.reading);
    const list = devices.get(change.device);
    if (list === undefined) devices.set(change.device, [json]);
    else list.push(json);
    bytes += json.length;
    reachedId = change.recordId;
  }
  close(upToId);
  return frames;
}
