/**
 * The C edition as a WebAssembly module: the same session, driven from JavaScript with a line and a clock of ours.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { encodeStreamFrame, StreamDecoder } from "@tidegate/proto";
import { beforeAll, expect } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { TinyGateway } from "./tiny-gateway.js";

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
const withWasm = requires("clang", "wasm-ld", "make");
let wasm: WebAssembly.Module;

/** One instance, its line to a gateway of a few lines, and its clock. */
class Board {
  readonly gateway = new TinyGateway();
  readonly commands: string[] = [];
  nowMs = 1000;
  private readonly exports: WebAssembly.Instance["exports"];
  private readonly toDevice: number[] = [];
  private readonly decoder = new StreamDecoder();

  constructor(id: string) {
    const port = {
      open: () => 1,
      close: () => {},
      now_ms: () => this.nowMs,
      entropy: () => 0x01020304,
      event: () => {},
      send: (at: number, n: number) => {
        for (const message of this.decoder.push(this.bytes(at, n).slice())) this.gateway.hear(message);
        return n;
      },
      recv: (at: number, cap: number) => {
        const taken = this.toDevice.splice(0, cap);
        this.bytes(at, taken.length).set(taken);
        return taken.length;
      },
      command: (at: number) => {
        const [, , name = 0, nameBytes = 0] = new Uint32Array(this.bytes(at, 32).slice().buffer);
        this.commands.push(new TextDecoder().decode(this.bytes(name, nameBytes).slice()));
        return 3;
      },
    };
    this.exports = new WebAssembly.Instance(wasm, { tg: port }).exports;
    this.gateway.attach((message) => this.toDevice.push(...encodeStreamFrame(message)));
    const text = new TextEncoder().encode(id);
    this.bytes(this.call("tg_wasm_io"), text.length).set(text);
    expect(this.call("tg_wasm_text", 0, text.length)).toBe(0);
    expect(this.call("tg_wasm_init", 0, 256, 256, 1024, 0)).toBe(0);
  }

  call(name: string, ...args: number[]): number {
    const call = this.exports[name];
    if (typeof call !== "function") throw new Error(`the module has no ${name}`);
    return call(...args);
  }

  run(ms: number): void {
    const end = this.nowMs + ms;
    for (let i = 0; i < 10_000 && this.nowMs < end; i += 1) {
      const wait = this.call("tg_wasm_poll");
      if (wait !== 0 && this.toDevice.length === 0) this.nowMs += 10;
    }
    expect(this.nowMs).toBeGreaterThanOrEqual(end);
  }

  private bytes(at: number, n: number): Uint8Array {
    const memory = this.exports.memory;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("the module has no memory");
    return new Uint8Array(memory.buffer, at, n);
  }
}

withWasm.describe("the C edition as a WebAssembly module", () => {
  beforeAll(async () => {
    await promisify(execFile)("make", ["--no-print-directory", "wasm"], {
      cwd: FOLDER,
      env: { ...process.env, MAKEFLAGS: "" },
    });
    wasm = await WebAssembly.compile(await readFile(`${FOLDER}/build/tg.wasm`));
  }, 120_000);

  withWasm.it("needs nothing from outside but its port and its application", () => {
    expect(new Set(WebAssembly.Module.imports(wasm).map((i) => `${i.module}.${i.name}`))).toEqual(
      new Set("open send recv close now_ms entropy command event".split(" ").map((name) => `tg.${name}`)),
    );
  });

  withWasm.it("holds a session: readings up, a command down, its answer up", async () => {
    const board = new Board("wasm-1");
    board.run(500);
    expect(board.call("tg_wasm_phase")).toBe(4);
    expect(board.call("tg_wasm_begin")).toBe(0);
    expect(board.call("tg_wasm_i32", 1, -7)).toBe(0);
    expect(board.call("tg_wasm_end")).toBe(0);
    const args = new Uint8Array();
    const command = { id: 1, code: 0, name: "fan", args, deadlineUptimeMs: 0, atMostOnce: false };
    board.gateway.say({ kind: "command", command });
    board.run(500);
    expect(board.commands).toEqual(["fan"]);
    const telemetry = await board.gateway.next((u) => u.body?.kind === "telemetry");
    expect(telemetry.body).toMatchObject({
      telemetry: { series: [{ signal: 1, values: { kind: "ints", ints: [-7] } }] },
    });
    const update = await board.gateway.next((u) => u.body?.kind === "commandUpdate");
    expect(update.body).toMatchObject({ commandUpdate: { id: 1, state: 3 } });
    expect(board.call("tg_wasm_held")).toBe(0);
  });

  withWasm.it("keeps two instances apart", () => {
    const one = new Board("wasm-1");
    const two = new Board("wasm-2");
    one.run(500);
    expect(one.call("tg_wasm_phase")).toBe(4);
    expect(two.call("tg_wasm_phase")).toBe(0);
  });
});
