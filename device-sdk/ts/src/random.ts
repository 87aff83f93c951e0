/** Randomness, passed in. This file is the SDK's only source of it; tests and the simulator bring a seeded one. */
import { randomInt } from "node:crypto";

/** A source of randomness: jitter and boot nonces. */
export interface Random {
  /** A number in [0, 1), for jitter. */
  unit(): number;
  /** A whole number in 1 … 2^32 − 1, for boot nonces: 0 means "none" on the wire. */
  nonce(): number;
}

/** The operating system's randomness. */
export class SystemRandom implements Random {
  unit(): number {
    return Math.random();
  }

  /** From the system's generator: two devices that boot in the same instant must differ. */
  nonce(): number {
    return randomInt(1, 2 ** 32);
  }
}
