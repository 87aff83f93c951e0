/**
 * Server-sent events out of bytes (WHATWG HTML §9.2). Edge room `cli`; `watch` reads the live feed through it.
 *
 *   id: <store>:<record id>\n  data: {json}\n  \n        one event; unknown fields and comments are skipped
 */

export interface ServerEvent {
  /** The last id the stream named; empty before the first. */
  readonly id: string;
  readonly data: string;
}

/** Longest event kept; the gateway's are at most 256 KiB. */
export const EVENT_CHARS_MAX = 1024 * 1024;

/** The events of a stream, until it ends. Throws when one grows past EVENT_CHARS_MAX. */
export async function* serverEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  let id = "";
  let data: string[] = [];
  let dataChars = 0;
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "" && data.length > 0) yield { id, data: data.join("\n") };
      if (line === "") [data, dataChars] = [[], 0];
      const field = /^(id|data): ?(.*)$/s.exec(line);
      if (field?.[1] === "id") id = field[2] ?? "";
      if (field?.[1] === "data") {
        data.push(field[2] ?? "");
        dataChars += line.length;
      }
    }
    if (rest.length + dataChars > EVENT_CHARS_MAX) throw new Error("an event of the live feed has no end");
  }
}
