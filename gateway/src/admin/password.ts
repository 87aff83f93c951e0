/**
 * The administrator's password as scrypt text, and the bounded kitchen that computes it off the main thread.
 *
 *   $scrypt$ln=15,r=8,p=1$<salt base64>$<hash base64>        N = 2^15, r = 8, p = 1: 32 MiB and about 0.1 s each
 *
 * Cost follows the OWASP password storage advice for scrypt. Two run at once at most, a few wait, the rest are told
 * to come back: a crowd of guessers cannot eat the machine's memory.
 */
import { scrypt, timingSafeEqual } from "node:crypto";
import { GatewayError } from "../core/errors.js";
import type { Random } from "../core/random.js";

const COST_LOG2 = 15;
const BLOCK_SIZE = 8;
const PARALLEL = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Room for the 32 MiB table and a little more; Node's own default is too small. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
const RUNNING_MAX = 2;
const WAITING_MAX = 8;
export const PASSWORD_CHARACTERS_MIN = 10;
/** Long enough for a passphrase; scrypt's first step hashes the rest away. */
export const PASSWORD_BYTES_MAX = 1024;

/** Runs scrypt with a ceiling on how many run and wait at once. */
export class PasswordHasher {
  readonly #random: Random;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** The text to store for a password. Errors: E_BAD_REQUEST (too short or too long), E_TOO_MANY. */
  async hash(password: string): Promise<string> {
    checkLength(password);
    const salt = Buffer.from(this.#random.bytes(SALT_BYTES));
    const key = await this.#derive(password, salt);
    return `$scrypt$ln=${COST_LOG2},r=${BLOCK_SIZE},p=${PARALLEL}$${salt.toString("base64")}$${key.toString("base64")}`;
  }

  /** Does the password fit the stored text? A damaged or empty text fits nothing. Errors: E_TOO_MANY. */
  async verify(password: string, stored: string | null): Promise<boolean> {
    const parsed = stored === null ? null : parse(stored);
    if (parsed === null || Buffer.byteLength(password) > PASSWORD_BYTES_MAX) return false;
    return timingSafeEqual(await this.#derive(password, parsed.salt), parsed.hash);
  }

  async #derive(password: string, salt: Buffer): Promise<Buffer> {
    await this.#enter();
    try {
      return await new Promise((resolve, reject) => {
        const options = { N: 2 ** COST_LOG2, r: BLOCK_SIZE, p: PARALLEL, maxmem: MEMORY_BYTES_MAX };
        scrypt(password.normalize("NFKC"), salt, HASH_BYTES, options, (error, key) =>
          error === null ? resolve(key) : reject(error),
        );
      });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #enter(): Promise<void> {
    if (this.#running >= RUNNING_MAX) {
      if (this.#waiting.length >= WAITING_MAX) {
        throw new GatewayError("E_TOO_MANY", "too many password checks run at this moment");
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }
}

function checkLength(password: string): void {
  if ([...password].length < PASSWORD_CHARACTERS_MIN) {
    throw new GatewayError("E_BAD_REQUEST", `the password has fewer than ${PASSWORD_CHARACTERS_MIN} characters`);
  }
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    throw new GatewayError("E_BAD_REQUEST", `the password is longer than ${PASSWORD_BYTES_MAX} bytes`);
  }
}

/** Only the one set of parameters this version writes is read: a planted text cannot choose its own cost. */
function parse(stored: string): { salt: Buffer; hash: Buffer } | null {
  const match = /^\$scrypt\$ln=15,r=8,p=1\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/.exec(stored);
  const salt = Buffer.from(match?.[1] ?? "", "base64");
  const hash = Buffer.from(match?.[2] ?? "", "base64");
  return salt.length === SALT_BYTES && hash.length === HASH_BYTES ? { salt, hash } : null;
}
