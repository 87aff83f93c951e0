/**
 * What stands on a serial line, piece by piece: messages, and the noise that the gateway only counts. Edge room `cli`,
 * pure.
 *
 *   ets Jul 29 2019\r\n │ 00 │ frame │ 00 │ frame with a wrong CRC │ 00
 *         noise               message           noise
 */
import { decodeUplink, StreamDecoder, type Uplink } from "@tidegate/proto";

/** One piece of the line. */
export type LinePiece =
  | { readonly kind: "message"; readonly bytes: Uint8Array; readonly uplink: Uplink }
  /** A right CRC around what is no message of this protocol. */
  | { readonly kind: "unknown"; readonly bytes: Uint8Array; readonly why: string }
  | { readonly kind: "noise"; readonly bytes: Uint8Array };

/** Longer than any frame: it cannot become one. */
const STRETCH_BYTES_MAX = 1_200;
/** Printable ASCII, tabs and line ends. */
const TEXT = /^[\t\n\r\x20-\x7e]+$/;

/** Feed it bytes as they come; it holds at most one stretch. */
export class LineTap {
  #stretch: number[] = [];

  push(chunk: Uint8Array): LinePiece[] {
    const pieces: LinePiece[] = [];
    for (const byte of chunk) {
      if (byte !== 0) this.#stretch.push(byte);
      if (this.#stretch.length > 0 && (byte === 0 || this.#stretch.length === STRETCH_BYTES_MAX)) {
        pieces.push(pieceOf(this.#take()));
      }
    }
    return pieces;
  }

  /** The line has been quiet: text that waits for its border is given out, the start of a frame is kept. */
  settle(): LinePiece[] {
    if (!TEXT.test(Buffer.from(this.#stretch).toString("latin1"))) return [];
    return [{ kind: "noise", bytes: this.#take() }];
  }

  #take(): Uint8Array {
    const stretch = Uint8Array.from(this.#stretch);
    this.#stretch = [];
    return stretch;
  }
}

/** Noise as a person reads it: text as text, other bytes in hex. */
export function noiseText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  return TEXT.test(text) ? text.trim() : hexText(bytes);
}

/** Bytes in hex, two digits each, with a space between. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function pieceOf(stretch: Uint8Array): LinePiece {
  const [bytes] = new StreamDecoder().push(Uint8Array.from([...stretch, 0]));
  if (bytes === undefined) return { kind: "noise", bytes: stretch };
  const decoded = decodeUplink(bytes);
  if (!decoded.ok) return { kind: "unknown", bytes, why: decoded.error.code };
  return { kind: "message", bytes, uplink: decoded.value };
}
