/**
 * The reader worker's inside, without the thread: questions in order, answers from the reader, which is opened by the
 * first: its thread begins while the storage thread still checks the files.
 */
import { GatewayError } from "../core/errors.js";
import type { Reader } from "./reader.js";
import { isFatal, storeError } from "./sqlite-error.js";
import { type CallOf, plainError, type Question, type ReaderCalls } from "./worker-protocol.js";
import type { Send } from "./writer-host.js";

/** Serves one reader; a failure that ends the process is said once, and then nothing is answered. */
export class ReaderHost {
  readonly #makeReader: () => Reader;
  readonly #send: Send;
  #reader: Reader | null = null;
  #isStopped = false;

  /** @param makeReader opens the spool; called once its files are there. */
  constructor(makeReader: () => Reader, send: Send) {
    this.#makeReader = makeReader;
    this.#send = send;
  }

  receive({ id, call }: Question<ReaderCalls>): void {
    if (this.#isStopped) return;
    try {
      const value = this.#perform(call);
      this.#send({ type: "value", id, value }, transferOf(call.op, value));
    } catch (thrown) {
      const error = storeError(thrown, "the store, while reading");
      this.#isStopped = isFatal(error);
      if (error.code === "E_STORE_CORRUPT") this.#reader?.suspectDamage();
      if (this.#isStopped) this.#send({ type: "fatal", error: plainError(error) }, []);
      else this.#send({ type: "error", id, error: plainError(error) }, []);
    }
  }

  /** Nothing more is answered, and the connection is closed. */
  halt(): void {
    this.#isStopped = true;
    this.#reader?.close();
  }

  #perform(call: CallOf<ReaderCalls>): unknown {
    this.#reader ??= this.#makeReader();
    const reader = this.#reader;
    switch (call.op) {
      case "open":
        return null;
      case "rendered":
        return reader.rendered(...call.in);
      case "live":
        return reader.live(...call.in);
      case "latest":
        return reader.latest(...call.in);
      case "gaps":
        return reader.gaps(call.in);
      case "commands":
        return reader.commands(call.in);
      case "command":
        return reader.command(call.in);
      case "quarantined":
        return reader.quarantined(...call.in);
      case "requeued":
        return reader.requeued(...call.in);
      case "devices":
        return reader.devices(call.in);
      case "close":
        this.halt();
        return null;
      default:
        throw new GatewayError("E_INTERNAL", "no such operation of the reader");
    }
  }
}

/** The bytes of a rendered slice are its bulk: they move instead of being copied. */
function transferOf(op: string, value: unknown): ArrayBuffer[] {
  if (op !== "rendered" || typeof value !== "object" || value === null || !("slice" in value)) return [];
  const { slice } = value;
  if (typeof slice !== "object" || slice === null || !("bytes" in slice)) return [];
  return slice.bytes instanceof Uint8Array && slice.bytes.buffer instanceof ArrayBuffer ? [slice.bytes.buffer] : [];
}
