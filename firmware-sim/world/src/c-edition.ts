/**
 * The C edition of the SDK, compiled to WebAssembly: one instance is one device, with a memory of its own, and nothing
 * of the outside but what is handed in here.
 *
 *   CHost ──open, send, recv, close, now, entropy, command, event──▶ device-sdk/c ──exports──▶ CDevice
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where `make -C device-sdk/c wasm` puts it. */
export const C_EDITION_FILE = fileURLToPath(new URL("../../../device-sdk/c/build/tg.wasm", import.meta.url));

/** What the device calls; addresses are turned into copies. */
export interface CHost {
  /** 1: up, 0: still opening, below 0: failed. */
  open(): number;
  send(bytes: Uint8Array): number;
  /** At most `max` bytes; null: the link is dead. */
  recv(max: number): Uint8Array | null;
  close(): void;
  nowMs(): number;
  entropy(): number;
  /** @returns a tg_state. */
  command(id: number, name: string, args: string): number;
  event(event: number, arg: number): void;
}

/** Values of tg_event, tg_phase and tg_state that the world looks at. */
export const C_EVENT = { online: 1, offline: 2, refused: 3, dropped: 4, renumbered: 5 } as const;
export const C_PHASE_ONLINE = 4;
export const C_STATE = { received: 1, succeeded: 3, failed: 4 } as const;

/** Milliseconds that mean "not before something happens". */
export const C_FOREVER = 0xffff_ffff;

/** What is used of WebAssembly: Node has it, its type package (20) has not. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => CModule;
  readonly Instance: new (module: CModule, imports: unknown) => { readonly exports: unknown };
}
const { WebAssembly: wasm } = globalThis as unknown as { readonly WebAssembly: Wasm }; // see above

/** The compiled code; any number of devices can be made of it. */
export interface CModule {
  readonly [Symbol.toStringTag]: string;
}

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  tg_wasm_io(): number;
  tg_wasm_text(which: number, bytes: number): number;
  tg_wasm_init(websocket: number, rx: number, tx: number, ring: number, updates: number): number;
  tg_wasm_poll(): number;
  tg_wasm_phase(): number;
  tg_wasm_held(): number;
  tg_wasm_reply(id: number, state: number, bytes: number): number;
  tg_wasm_begin(): number;
  tg_wasm_i32(signal: number, value: number): number;
  tg_wasm_end(): number;
}

let compiled: CModule | null | undefined;

/** The compiled module, or null when it was not built. */
export function cEdition(): CModule | null {
  compiled ??= existsSync(C_EDITION_FILE) ? new wasm.Module(readFileSync(C_EDITION_FILE)) : null;
  return compiled;
}

/** One device; dropped when it dies. Sizes in bytes. */
export class CDevice {
  readonly #calls: Exports;

  constructor(module: CModule, host: CHost, config: { deviceId: string; ringBytes: number }) {
    const bytes = (at: number, length: number): Uint8Array => new Uint8Array(this.#calls.memory.buffer, at, length);
    const words = (at: number, count: number): Uint32Array => new Uint32Array(this.#calls.memory.buffer, at, count);
    const instance = new wasm.Instance(module, {
      tg: {
        open: () => host.open(),
        send: (at: number, length: number) => host.send(bytes(at, length).slice()),
        recv: (at: number, max: number) => {
          const taken = host.recv(max);
          if (taken === null) return -1;
          bytes(at, taken.length).set(taken);
          return taken.length;
        },
        close: () => host.close(),
        now_ms: () => Math.floor(host.nowMs()) >>> 0,
        entropy: () => host.entropy(),
        command: (at: number) => {
          const [id = 0, , name = 0, nameBytes = 0, args = 0, argsBytes = 0] = words(at, 6);
          return host.command(id, textOf(bytes(name, nameBytes)), textOf(bytes(args, argsBytes)));
        },
        event: (event: number, arg: number) => host.event(event, arg >>> 0),
      },
    });
    this.#calls = instance.exports as Exports; // what tg_wasm.c exports, all of it called by the tests
    this.#text(0, config.deviceId);
    this.#text(1, "token");
    const code = this.#calls.tg_wasm_init(0, 0, 0, config.ringBytes, 0);
    if (code !== 0) throw new Error(`tg_init answered ${code}`);
  }

  /** One bounded step. @returns ms until the next one is due; C_FOREVER: not by itself. */
  poll(): number {
    return this.#calls.tg_wasm_poll() >>> 0;
  }

  get isOnline(): boolean {
    return this.#calls.tg_wasm_phase() === C_PHASE_ONLINE;
  }

  /** Messages held unacked. */
  get heldCount(): number {
    return this.#calls.tg_wasm_held();
  }

  /** Queue one reading. @returns whether it found room. */
  report(signal: number, value: number): boolean {
    this.#calls.tg_wasm_begin();
    this.#calls.tg_wasm_i32(signal, value);
    return this.#calls.tg_wasm_end() === 0;
  }

  /** @returns 0, or the SDK's refusal: −2 when there is no room now. */
  reply(id: number, state: number, result: string): number {
    return this.#calls.tg_wasm_reply(id, state, this.#put(result));
  }

  #text(which: number, text: string): void {
    if (this.#calls.tg_wasm_text(which, this.#put(text)) !== 0) throw new Error("the C edition has no room for a text");
  }

  #put(text: string): number {
    const encoded = new TextEncoder().encode(text);
    new Uint8Array(this.#calls.memory.buffer, this.#calls.tg_wasm_io(), encoded.length).set(encoded);
    return encoded.length;
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
