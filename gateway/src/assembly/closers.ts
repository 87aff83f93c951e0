/**
 * What was started, to be stopped in reverse order. A step that fails does not keep the others.
 */
import { asGatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";

interface Closer {
  readonly name: string;
  readonly close: () => void | Promise<void>;
}

/** Used by `gateway.ts` for the stop, and for undoing a start that failed. */
export class Closers {
  readonly #log: Logger;
  readonly #stack: Closer[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  add(name: string, close: () => void | Promise<void>): void {
    this.#stack.push({ name, close });
  }

  /** Stop everything, newest first. A step that fails is logged; the others still run. */
  async closeAll(): Promise<void> {
    for (let closer = this.#stack.pop(); closer !== undefined; closer = this.#stack.pop()) {
      try {
        await closer.close();
      } catch (thrown) {
        const error = asGatewayError(thrown);
        this.#log.error({ step: closer.name, code: error.code, why: error.why }, "a step of the stop failed");
      }
    }
  }
}
