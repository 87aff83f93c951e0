/**
 * The value rules: how a stored number becomes the value people and sinks see. Pure; golden vectors in
 * `gateway/test/vectors/values.json` hold one example of each rule and each corner.
 *
 *   float    the shortest decimal that is the same f32: 21.4, not 21.399999618530273
 *   double   as it is                          NaN, ±Infinity → null, and the reading's quality becomes bad
 *   scaled   n · 10^scale, exactly             −0 → 0, everywhere
 *   integer  past ±(2^53 − 1) → a decimal string, because a JSON number would change silently
 */

/** What stands in `v`. null: there is no number to show; the reading is bad. */
export type Value = number | string | boolean | null;

/** Powers of ten that a double holds exactly: 10^0 … 10^22. */
const POWERS_OF_TEN = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Largest scale, either way, that is taken at its word; a catalog that says more is wrong and its values are null. */
export const SCALE_MAX = 22;

/** Below it every integer is an f32, so nothing shorter can be the same f32. */
const EXACT_F32_INTEGER_MAX = 2 ** 24;

/** Up to here the products of the short way are exact: 24 bits of f32 and at most 28 bits of 5^12. */
const FRACTION_DIGITS_MAX = 12;

/**
 * A single-precision value as the double whose shortest decimal is also the shortest decimal of the f32.
 *
 * @param value a double that came from an f32; NaN and ±Infinity give null.
 */
export function float32Value(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  const magnitude = Math.abs(value);
  if (magnitude <= EXACT_F32_INTEGER_MAX) {
    if (Number.isInteger(value)) return value + 0;
    if (magnitude >= 1e-3) {
      const short = shortestFraction(magnitude);
      return value < 0 ? -short : short;
    }
  }
  return shortestByDigits(value);
}

/** The fewest fraction digits that still name the same f32; every product here is exact. */
function shortestFraction(magnitude: number): number {
  for (let digits = 1; digits <= FRACTION_DIGITS_MAX; digits++) {
    const power = POWERS_OF_TEN[digits] ?? 1;
    const candidate = Math.round(magnitude * power) / power;
    if (Math.fround(candidate) === magnitude) return candidate;
  }
  return shortestByDigits(magnitude);
}

/** The general way for very large and very small values: nine significant digits always suffice for an f32. */
export function shortestByDigits(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}

/** A double as it is; NaN and ±Infinity give null, −0 gives 0. */
export function doubleValue(value: number): number | null {
  return Number.isFinite(value) ? value + 0 : null;
}

/**
 * `count · 10^scale`, correctly rounded, so that it prints as the exact decimal.
 *
 * @param count a 32-bit integer.
 * @param scale −22 … 22; past that null, because the catalog cannot be right.
 */
export function scaledValue(count: number, scale: number): Value {
  if (scale === 0) return count;
  if (scale < -SCALE_MAX || scale > SCALE_MAX) return null;
  // Both operands are exact doubles, so IEEE division gives the double nearest to the true quotient.
  if (scale < 0) return count / (POWERS_OF_TEN[-scale] ?? 1) + 0;
  const product = count * (POWERS_OF_TEN[scale] ?? 1);
  return Number.isSafeInteger(product) ? product : `${count}${"0".repeat(scale)}`;
}

/** A 64-bit integer: a number where JSON keeps it exact, else its decimal digits as a string. */
export function longValue(value: bigint): number | string {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value.toString();
}

/** 0 and 1 as false and true; another number stays what it is, so that nothing the device said is hidden. */
export function boolValue(count: number): boolean | number {
  return count === 0 ? false : count === 1 ? true : count;
}

/** The option's text; a number without an option stays the number. */
export function enumValue(index: number, options: readonly string[]): string | number {
  return options[index] ?? index;
}

/** Standard base64 with padding. */
export function blobValue(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** A value as JSON text. */
export function valueJson(value: Value): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
