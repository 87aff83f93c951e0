/** Randomness, passed in. `SystemRandom` is the gateway's only source of it; tests and simulations bring a seed. */
import { randomBytes } from "node:crypto";

/** A source of randomness. */
export interface Random {
  /** Uniform in [0, 1). For jitter. */
  unit(): number;
  /** Uniform in 0 … 2^32 − 1. */
  u32(): number;
  /** `count` bytes fit for secrets. */
  bytes(count: number): Uint8Array;
}

/** The operating system's randomness: fit for secrets. */
export class SystemRandom implements Random {
  unit(): number {
    return this.u32() / 2 ** 32;
  }

  u32(): number {
    return randomBytes(4).readUInt32LE();
  }

  bytes(count: number): Uint8Array {
    return randomBytes(count);
  }
}
