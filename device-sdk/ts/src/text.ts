/** Text on the wire is UTF-8 and has limits in bytes, which JavaScript's strings do not know. */

/** Bytes a text takes in UTF-8. */
export function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** The text cut to at most `bytesMax` bytes of UTF-8, never inside a character. */
export function clipUtf8(text: string, bytesMax: number): string {
  if (utf8Bytes(text) <= bytesMax) return text;
  const bytes = Buffer.from(text, "utf8");
  let end = bytesMax;
  while (end > 0 && isContinuation(bytes[end])) end--;
  return bytes.toString("utf8", 0, end);
}

/** Whether UTF-8 can carry the text: a lone half of a surrogate pair would silently change on the way. */
export function isWellFormed(text: string): boolean {
  return !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
