/**
 * Range checks of what a program wants to send. Each throws a RangeError that names the field; none answers anything.
 *
 * Plain fields are checked by the schema table (schema.ts), so their limits are those the walk applies to what comes
 * in; the columns of a series are checked by encode.ts with the functions here.
 */
import { CommandState, Kind, Reason, Type } from "./codes.js";
import { Op, SCHEMA } from "./schema.js";

/** The highest number of a uint32 or fixed32 field. */
export const U32_MAX = 0xffff_ffff;
/** The highest number of an int32 or sint32 field. */
export const I32_MAX = 0x7fff_ffff;
/** The lowest number of an int32 or sint32 field. */
export const I32_MIN = -0x8000_0000;

/** The highest value of each enum field, by the field's path. */
const ENUM_MAX: Readonly<Record<string, number>> = {
  "Nack.reason": highest(Reason),
  "Bye.reason": highest(Reason),
  "Signal.type": highest(Type),
  "Signal.kind": highest(Kind),
  "CommandUpdate.state": highest(CommandState),
};

function highest(codes: Readonly<Record<string, number>>): number {
  return Math.max(...Object.values(codes));
}

/** The byte limit of a field, from the schema table. */
export function limitOf(message: number, name: string): number {
  return SCHEMA[message]?.fields.find((field) => field[1] === name)?.[3] ?? 0;
}

/** Checks every plain field of a message against the schema table; answers the message. */
export function checked<T extends object>(message: number, value: T): T {
  const spec = SCHEMA[message];
  const fields = value as Readonly<Record<string, unknown>>; // read by the names of the table, which a test compares
  for (const [, name, op, argument] of spec?.fields ?? []) {
    CHECKS[op]?.(`${spec?.name}.${name}`, fields[name], argument ?? 0);
  }
  return value;
}

type Check = (path: string, value: unknown, argument: number) => void;

const checkU32: Check = (path, value) => checkInteger(path, value, 0, U32_MAX);

/** The check of each operation; those that are missing are checked by encode.ts. */
const CHECKS: Readonly<Record<number, Check>> = {
  [Op.U32]: checkU32,
  [Op.FIXED32]: checkU32,
  [Op.LOG_UPTIME]: checkU32,
  [Op.S32]: (path, value) => checkInteger(path, value, I32_MIN, I32_MAX),
  [Op.U53]: (path, value) => checkInteger(path, value, 0, Number.MAX_SAFE_INTEGER),
  [Op.ENUM]: (path, value) => checkInteger(path, value, 0, ENUM_MAX[path] ?? 0),
  [Op.DOUBLE]: checkNumber,
  [Op.TEXT]: checkText,
  [Op.BYTES]: checkBytes,
  [Op.BOOL]: checkBoolean,
};

function checkBoolean(path: string, value: unknown): void {
  if (typeof value !== "boolean") throw new RangeError(`${path} must be true or false, not ${String(value)}`);
}

/** Throws unless the value is a whole number from `min` to `max`. */
export function checkInteger(path: string, value: unknown, min: number, max: number): void {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${path} must be a whole number from ${min} to ${max}, not ${String(value)}`);
  }
}

/** Throws unless the value is a number; NaN and the infinities are [P-35]. */
export function checkNumber(path: string, value: unknown): void {
  if (typeof value !== "number") throw new RangeError(`${path} must be a number, not ${String(value)}`);
}

/** Rounding to a float is what a float is; turning a finite value into Infinity is not. */
export function checkFloat(value: number): void {
  checkNumber("Series.floats", value);
  if (Number.isFinite(value) && !Number.isFinite(Math.fround(value))) {
    throw new RangeError(`Series.floats cannot hold ${value}; send it as a double`);
  }
}

/** Throws unless the value is a bigint of 64 bits, signed. */
export function checkLong(value: bigint): void {
  if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) {
    throw new RangeError(`Series.longs must be a bigint that fits 64 bits, not ${String(value)}`);
  }
}

/** Throws unless the value is a text that UTF-8 can carry in at most `bytesMax` bytes [P-34]. */
export function checkText(path: string, value: unknown, bytesMax: number): void {
  if (typeof value !== "string") throw new RangeError(`${path} must be a text, not ${String(value)}`);
  if (/\p{Surrogate}/u.test(value)) throw new RangeError(`${path} has half a surrogate pair, which UTF-8 cannot carry`);
  checkLength(path, Buffer.byteLength(value, "utf8"), bytesMax);
}

/** Throws unless the value is a Uint8Array of at most `bytesMax` bytes. */
export function checkBytes(path: string, value: unknown, bytesMax: number): void {
  if (!(value instanceof Uint8Array)) throw new RangeError(`${path} must be a Uint8Array, not ${typeof value}`);
  checkLength(path, value.length, bytesMax);
}

function checkLength(path: string, bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw new RangeError(`${path} is ${bytes} bytes long; at most ${bytesMax} are allowed`);
}

/** Throws when there are more than `max` of something. */
export function checkCount(path: string, count: number, max: number): void {
  if (count > max) throw new RangeError(`${path} are ${count}; at most ${max} are allowed`);
}
