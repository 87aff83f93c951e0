/**
 * The C edition as a WebAssembly module: the same session, driven from JavaScript with a line and a clock of ours.
 */
import { beforeAll, expect } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { TinyGateway } from "./tiny-gateway.js";
import { buildModule, WasmBoard } from "./wasm-board.js";

const withWasm = requires("clang", "wasm-ld", "make");
const SIZES = { rx: 256, tx: 256, ring: 1024, updates: 0 };
let wasm: WebAssembly.Module;

/** A board and its line to a gateway of a few lines. */
function boardOf(id: string): { board: WasmBoard; gateway: TinyGateway; commands: string[] } {
  const gateway = new TinyGateway();
  const commands: string[] = [];
  const board = new WasmBoard(wasm, {
    open: () => 1,
    close: () => {},
    entropy: () => 0x01020304,
    hear: (message) => gateway.hear(message),
    command: (name) => {
      commands.push(name);
      return 3;
    },
  });
  gateway.attach((message) => board.say(message));
  board.init(id, SIZES);
  return { board, gateway, commands };
}

withWasm.describe("the C edition as a WebAssembly module", () => {
  beforeAll(async () => {
    wasm = await buildModule();
  }, 120_000);

  withWasm.it("needs nothing from outside but its port and its application", () => {
    expect(new Set(WebAssembly.Module.imports(wasm).map((i) => `${i.module}.${i.name}`))).toEqual(
      new Set("open send recv close now_ms entropy command event".split(" ").map((name) => `tg.${name}`)),
    );
  });

  withWasm.it("holds a session: readings up, a command down, its answer up", async () => {
    const { board, gateway, commands } = boardOf("wasm-1");
    board.runTo(1500);
    expect(board.call("tg_wasm_phase")).toBe(4);
    expect(board.call("tg_wasm_begin")).toBe(0);
    expect(board.call("tg_wasm_i32", 1, -7)).toBe(0);
    expect(board.call("tg_wasm_end")).toBe(0);
    const args = new Uint8Array();
    const command = { id: 1, code: 0, name: "fan", args, deadlineUptimeMs: 0, atMostOnce: false };
    gateway.say({ kind: "command", command });
    board.runTo(2000);
    expect(commands).toEqual(["fan"]);
    const telemetry = await gateway.next((u) => u.body?.kind === "telemetry");
    const values = { kind: "ints", ints: [-7] };
    expect(telemetry.body).toMatchObject({ telemetry: { series: [{ signal: 1, values }] } });
    const update = await gateway.next((u) => u.body?.kind === "commandUpdate");
    expect(update.body).toMatchObject({ commandUpdate: { id: 1, state: 3 } });
    expect(board.call("tg_wasm_held")).toBe(0);
  });

  withWasm.it("keeps two instances apart", () => {
    const one = boardOf("wasm-1").board;
    const two = boardOf("wasm-2").board;
    one.runTo(1500);
    expect(one.call("tg_wasm_phase")).toBe(4);
    expect(two.call("tg_wasm_phase")).toBe(0);
  });
});
