/**
 * The outside of a backup: a tar file (POSIX ustar), so that `tar -tvf` shows it and `tar -xf` is a way out without us.
 * Only what a backup needs: plain files with short names, in one pass, without seeking.
 *
 *   ┌────────────┬───────────────┬─────────┐        ┌──────────────┐
 *   │ header 512 │ content       │ 0 … 511 │  …     │ 2 × 512 zero │
 *   └────────────┴───────────────┴─────────┘        └──────────────┘
 *     name@0 mode@100 uid@108 gid@116 size@124 mtime@136 checksum@148 type@156 magic@257
 */
import { GatewayError } from "../core/errors.js";

const BLOCK = 512;
const NAME_BYTES_MAX = 100;

/** Eleven octal digits; larger sizes are written in base 256, as GNU tar does. */
const OCTAL_MAX = 8 ** 11 - 1;

/** Where in a header what stands: offset, length. */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const;
type Field = readonly [offset: number, length: number];

/** A file as its header announces it. */
export interface TarMember {
  readonly name: string;
  readonly bytes: number;
}

/** Bytes that a member of this size takes in the file, header included. */
export function tarBytes(contentBytes: number): number {
  return BLOCK + Math.ceil(contentBytes / BLOCK) * BLOCK;
}

/** Ends every tar file. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK);

/** The header of a file that its owner alone may read. Throws a TypeError for a name that does not fit. */
export function tarHeader({ name, bytes }: TarMember, modifiedUnixMs: number): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw new TypeError(`${name} is too long for a tar file`);
  header.write(name, FIELDS.name[0]);
  octal(header, FIELDS.mode, 0o600);
  octal(header, FIELDS.uid, 0);
  octal(header, FIELDS.gid, 0);
  if (bytes <= OCTAL_MAX) octal(header, FIELDS.size, bytes);
  else base256(header, FIELDS.size, bytes);
  octal(header, FIELDS.mtime, Math.floor(modifiedUnixMs / 1000));
  header.write("0", FIELDS.type[0]);
  header.write("ustar\u000000", FIELDS.magic[0]);
  header.write(`${checksum(header).toString(8).padStart(6, "0")}\u0000 `, FIELDS.checksum[0]);
  return header;
}

/** The zeros behind a content of this size. */
export function tarPadding(contentBytes: number): Uint8Array {
  return new Uint8Array((BLOCK - (contentBytes % BLOCK)) % BLOCK);
}

/** Takes the files of an archive, one after the other. */
export interface TarTaker {
  /** A file begins. Throw to refuse it. */
  begin(member: TarMember): void | Promise<void>;
  /** A piece of its content; not kept by the caller. */
  content(piece: Uint8Array): void | Promise<void>;
  /** Its last piece was taken. */
  end(): void | Promise<void>;
}

/**
 * Read a whole archive. What stands behind its end is refused: it is no file of ours.
 * Errors: E_BACKUP_INVALID, and whatever `taker` throws.
 */
export async function readTar(pieces: AsyncIterable<Uint8Array>, taker: TarTaker): Promise<void> {
  const input = new Pieces(pieces);
  for (;;) {
    const header = await input.exactly(BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const member = memberOf(header);
    await taker.begin(member);
    for (let left = member.bytes; left > 0; ) {
      const piece = await input.upTo(left);
      left -= piece.length;
      await taker.content(piece);
    }
    await input.exactly(tarPadding(member.bytes).length);
    await taker.end();
  }
  if (!(await input.exactly(BLOCK)).every((byte) => byte === 0)) throw invalid("its end is damaged");
  if (!(await input.isAtEnd())) throw invalid("something stands behind its end");
}

/** The error for a file that is not what `backup create` wrote. */
export function invalid(why: string): GatewayError {
  return new GatewayError("E_BACKUP_INVALID", why);
}

function memberOf(header: Buffer): TarMember {
  if (text(header, FIELDS.magic) !== "ustar") throw invalid("it is no backup, or a part of it is damaged");
  if (Number.parseInt(text(header, FIELDS.checksum), 8) !== checksum(header)) throw invalid("a header is damaged");
  const name = text(header, FIELDS.name);
  if (text(header, FIELDS.type) !== "0") throw invalid(`${JSON.stringify(name)} is no plain file`);
  const bytes = sizeOf(header);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw invalid(`${JSON.stringify(name)} has no size`);
  return { name, bytes };
}

function sizeOf(header: Buffer): number {
  const [offset, length] = FIELDS.size;
  if (header[offset] !== 0x80) return Number.parseInt(text(header, FIELDS.size), 8);
  // Six of eleven bytes: 2^48 is more than any disk here has.
  const high = header.subarray(offset + 1, offset + length - 6);
  return high.every((byte) => byte === 0) ? header.readUIntBE(offset + length - 6, 6) : Number.NaN;
}

function text(header: Buffer, [offset, length]: Field): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString("utf8");
}

function octal(header: Buffer, [offset, length]: Field, value: number): void {
  header.write(value.toString(8).padStart(length - 1, "0"), offset);
}

function base256(header: Buffer, [offset, length]: Field, value: number): void {
  header[offset] = 0x80;
  header.writeUIntBE(value, offset + length - 6, 6);
}

/** Sum of all bytes, its own field counted as spaces. */
function checksum(header: Buffer): number {
  const [offset, length] = FIELDS.checksum;
  return header.reduce((sum, byte, at) => sum + (at >= offset && at < offset + length ? 0x20 : byte), 0);
}

/** A stream of pieces, cut anew. */
class Pieces {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one byte, at most so many. */
  async upTo(bytesMax: number): Promise<Uint8Array> {
    if (!(await this.#fill())) throw invalid("it ends too early; it was cut off");
    const piece = this.#rest.subarray(0, bytesMax);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  /** For headers and padding: little. */
  async exactly(bytes: number): Promise<Buffer> {
    const whole = Buffer.alloc(bytes);
    for (let at = 0; at < bytes; ) {
      const piece = await this.upTo(bytes - at);
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  async isAtEnd(): Promise<boolean> {
    return !(await this.#fill());
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) return false;
      this.#rest = next.value;
    }
    return true;
  }
}
