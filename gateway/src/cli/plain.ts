/** Text of devices on a terminal: without control characters, which could move the cursor or hide lines. Pure. */

/** Longest text of a device shown in one place. */
const CHARS_MAX = 4096;

/** The text with every control, direction and line-breaking character replaced by `·`. */
export function plain(text: string): string {
  const cut = text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text;
  return cut.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, "·");
}

/** Any JSON value on one line; texts without quotes. */
export function inline(value: unknown): string {
  return plain(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
}
