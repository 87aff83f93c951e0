/**
 * One device of the C edition as a WebAssembly instance, with its port and its application in the test's hands.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { encodeStreamFrame, StreamDecoder } from "@tidegate/proto";

/** As much of the engine's interface as is used here; the types of Node declare only the names of its arguments. */
declare global {
  namespace WebAssembly {
    class Module {
      static imports(module: Module): { module: string; name: string }[];
      private constructor();
    }
    class Instance {
      constructor(module: Module, imports: Record<string, Record<string, (...args: number[]) => unknown>>);
      readonly exports: Record<string, ((...args: number[]) => number) | Memory | undefined>;
    }
    class Memory {
      readonly buffer: ArrayBuffer;
    }
    function compile(bytes: Uint8Array): Promise<Module>;
  }
}

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

/** Builds the module with clang and compiles it. */
export async function buildModule(): Promise<WebAssembly.Module> {
  const env = { ...process.env, MAKEFLAGS: "" }; // an outer make would turn on its options here
  await promisify(execFile)("make", ["--no-print-directory", "wasm"], { cwd: FOLDER, env });
  return WebAssembly.compile(await readFile(`${FOLDER}/build/tg.wasm`));
}

/** What the board's surroundings do. Every function is called during a poll. */
export interface Surroundings {
  /** As tg_port's open: 1 up, 0 not yet, below 0 failed. */
  open(): number;
  close(): void;
  entropy(): number;
  /** A message from the device, taken off the line. */
  hear(message: Uint8Array): void;
  /** Runs a command by name; returns a state of the wire. */
  command(name: string): number;
}

/** Sizes in bytes, as in tg_config. */
export interface Sizes {
  readonly rx: number;
  readonly tx: number;
  readonly ring: number;
  readonly updates: number;
}

export class WasmBoard {
  nowMs = 1000;
  lineIsDead = false;
  readonly #exports: WebAssembly.Instance["exports"];
  readonly #toDevice: number[] = [];
  readonly #decoder = new StreamDecoder();

  constructor(module: WebAssembly.Module, around: Surroundings) {
    this.#exports = new WebAssembly.Instance(module, { tg: this.#port(around) }).exports;
  }

  /** Gives it its name and starts it on a serial line. */
  init(id: string, sizes: Sizes): void {
    const text = new TextEncoder().encode(id);
    this.bytes(this.call("tg_wasm_io"), text.length).set(text);
    if (this.call("tg_wasm_text", 0, text.length) !== 0) throw new Error("the id was not taken");
    const err = this.call("tg_wasm_init", 0, sizes.rx, sizes.tx, sizes.ring, sizes.updates);
    if (err !== 0) throw new Error(`tg_init: ${err}`);
  }

  #port(around: Surroundings): Record<string, (...args: number[]) => unknown> {
    return {
      open: () => around.open(),
      close: () => around.close(),
      now_ms: () => this.nowMs % 2 ** 32,
      entropy: () => around.entropy(),
      event: () => {},
      send: (at = 0, n = 0) => {
        if (this.lineIsDead) return -1;
        for (const message of this.#decoder.push(this.bytes(at, n).slice())) around.hear(message);
        return n;
      },
      recv: (at = 0, cap = 0) => {
        if (this.lineIsDead) return -1;
        const taken = this.#toDevice.splice(0, cap);
        this.bytes(at, taken.length).set(taken);
        return taken.length;
      },
      command: (at = 0) => {
        const [, , name = 0, nameBytes = 0] = new Uint32Array(this.bytes(at, 32).slice().buffer);
        return around.command(new TextDecoder().decode(this.bytes(name, nameBytes).slice()));
      },
    };
  }

  call(name: string, ...args: number[]): number {
    const call = this.#exports[name];
    if (typeof call !== "function") throw new Error(`the module has no ${name}`);
    return call(...args);
  }

  /** Puts a message on the line to the device. */
  say(message: Uint8Array): void {
    this.#toDevice.push(...encodeStreamFrame(message));
  }

  /** Polls until nothing more happens at this instant. */
  settle(): void {
    for (let i = 0; i < 10_000; i += 1) {
      if (this.call("tg_wasm_poll") !== 0 && (this.#toDevice.length === 0 || this.lineIsDead)) return;
    }
    throw new Error("a poll that always wants to run again");
  }

  /** Lets time pass until `atMs`, in steps of at most 10 ms. */
  runTo(atMs: number): void {
    this.settle();
    while (this.nowMs < atMs) {
      this.nowMs = Math.min(atMs, this.nowMs + 10);
      this.settle();
    }
  }

  bytes(at: number, n: number): Uint8Array {
    const memory = this.#exports.memory;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("the module has no memory");
    return new Uint8Array(memory.buffer, at, n);
  }
}
