/**
 * The text that a board prints on a line between its frames: boot messages, log lines. Kept for people, never parsed.
 *
 *   rst:0x1 (POWERON_RESET)\r\n … │ 00 │ frame │ 00      a stretch between zeros that was no frame: its lines are kept
 *
 * Only whole lines of printable text: a broken frame is bytes, and a broken Hello would hold a token.
 */

/** A line of text and when its stretch ended. */
export interface ChatterLine {
  readonly atUnixMs: number;
  readonly text: string;
}

/** Newest lines kept. */
export const CHATTER_LINES_MAX = 20;
/** Of a stretch, the newest bytes: what a board prints at its start is about this long. */
const STRETCH_BYTES_MAX = 2_048;
const LINE_CHARACTERS_MAX = 160;
/** Shorter ones are chance. */
const LINE_CHARACTERS_MIN = 4;
/** Printable ASCII and tabs. */
const PRINTABLE = /^[\t\x20-\x7e]+$/;
/** What looks like one of our credentials is not shown, whoever printed it. */
const CREDENTIAL = /\btg[a-z]?_[\w-]{8,}/g;

/** One line's chatter; bounded in bytes and lines. */
export class SerialChatter {
  #stretch = "";
  #lines: ChatterLine[] = [];

  /** The newest lines, oldest first. */
  get lines(): readonly ChatterLine[] {
    return this.#lines;
  }

  /** Bytes of the present stretch, without the zero that ends it. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    this.#stretch = (this.#stretch + text).slice(-STRETCH_BYTES_MAX);
  }

  /** A zero came. @param isNoise what stood before it was no frame. */
  end(isNoise: boolean, atUnixMs: number): void {
    const stretch = this.#stretch;
    this.#stretch = "";
    if (!isNoise || stretch === "") return;
    const found = stretch
      .split(/[\r\n]+/)
      .map((line) => line.trim())
      .filter((line) => line.length >= LINE_CHARACTERS_MIN && PRINTABLE.test(line))
      .map((line) => ({ atUnixMs, text: line.slice(0, LINE_CHARACTERS_MAX).replace(CREDENTIAL, "[not shown]") }));
    if (found.length > 0) this.#lines = [...this.#lines, ...found].slice(-CHATTER_LINES_MAX);
  }
}
