/**
 * The scenarios every device edition runs (`proto/vectors/scenarios`), run by the C edition as a WebAssembly module.
 *
 * Compared is what the device says and does, and in which order, with the fields a scenario names. Its times are its own:
 * it counts in 256 ms, heartbeats after 3/8 of a keepalive where the scenarios' device takes half, and its jitter is
 * a bit mask. So an event may come earlier within the time of a step, and later at the end; timed
 * heartbeats are not compared; the scenarios that are about one edition's times stand in OWN_TIMES with the C test that takes their place.
 */
import { readFileSync } from "node:fs";
import { type DownlinkBody, decodeUplink, encodeDownlink } from "@tidegate/proto";
import { beforeAll, expect } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { buildModule, WasmBoard } from "./wasm-board.js";

type Fields = Record<string, unknown>;
type Input = string | { report: number } | { down: { kind: string } & Fields };

interface Scenario {
  readonly name: string;
  readonly config: { readonly bootNonce: number; readonly messagesMax: number };
  readonly steps: readonly { readonly at: number; readonly in: Input; readonly out: readonly unknown[] }[];
}

const path = new URL("../../../proto/vectors/scenarios/device-session.json", import.meta.url);
const scenarios: Scenario[] = JSON.parse(readFileSync(path, "utf8"));

/** Scenario names (their beginnings), and where the C edition's own times are tested. */
const OWN_TIMES: Record<string, string> = {
  "[P-5] [P-11] hello is repeated": "test_session: hello_is_repeated_…, only_the_answer_to_the_latest_hello_counts_p5",
  "no welcome within 30 s": "test_lifetime; a serial line is not left, Hello goes on",
  "a nack for a missed number": "test_session: a_nack_rewinds_at_once_…; this edition obeys every nack",
};

/** A telemetry message of one small number takes so much of the ring, header included. */
const MESSAGE_BYTES = 21;

const ZEROS: Record<string, object> = {
  welcome: { ackedSeq: 0, keepaliveMs: 0, unixMs: 0, wantCatalog: false, maxUplinkBytes: 0, window: 0 },
  nack: { retryAfterMs: 0, reason: 0 },
  heartbeat: { uptimeMs: 0, unixMs: 0, ping: 0, nextSeq: 0, oldest: 0 },
  bye: { retryAfterMs: 0, detail: "", reason: 0 },
  command: { name: "", args: new Uint8Array(0), deadlineUptimeMs: 0, atMostOnce: false },
};

class Runner {
  readonly out: unknown[] = [];
  readonly #board: WasmBoard;
  #started = false;
  #opening = false;
  #isUp = false;
  #draws = 0;

  constructor(module: WebAssembly.Module, config: Scenario["config"], startMs: number) {
    this.#board = new WasmBoard(module, {
      open: () => this.#open(),
      close: () => this.#close(),
      entropy: () => (this.#draws++ === 0 ? config.bootNonce : 1),
      hear: (message) => this.#hear(message),
      command: () => 6,
    });
    this.#board.nowMs = startMs;
    const updates = 512;
    const ring = Math.min(32_000, updates + Math.max(config.messagesMax * MESSAGE_BYTES, 48));
    this.#board.init("device-1", { rx: 256, tx: 256, ring, updates });
  }

  step(atMs: number, input: Input): void {
    if (this.#started) this.#board.runTo(atMs);
    else this.#board.nowMs = atMs;
    if (typeof input === "string") this.#do(input);
    else if ("report" in input) for (let i = 0; i < input.report; i += 1) this.#report(i);
    else this.#board.say(encodeDownlink(withZeros(input.down)));
    if (this.#started) this.#board.settle();
  }

  /** Goes on until so much was said, at most for a while. */
  wait(events: number, ms: number): void {
    const end = this.#board.nowMs + ms;
    while (this.compared().length < events && this.#board.nowMs < end) this.#board.runTo(this.#board.nowMs + 250);
  }

  compared(): unknown[] {
    return this.out.filter((event) => !isTimed(event));
  }

  #do(word: string): void {
    if (word === "start") this.#started = true;
    if (word === "stop") this.#board.call("tg_wasm_stop", 1);
    if (word === "linkUp") this.#isUp = true;
    if (word === "linkDown") {
      this.#isUp = false;
      this.#board.lineIsDead = true;
    }
  }

  #report(value: number): void {
    this.#board.call("tg_wasm_begin");
    this.#board.call("tg_wasm_i32", 1, value);
    expect(this.#board.call("tg_wasm_end")).toBe(0);
  }

  #open(): number {
    if (!this.#opening) {
      this.out.push("open");
      this.#opening = true;
      this.#board.lineIsDead = false;
    }
    if (this.#board.lineIsDead) return -1; // it went down while it was being opened
    return this.#isUp ? 1 : 0;
  }

  #close(): void {
    this.#isUp = false;
    this.#opening = false;
    if (!this.#board.lineIsDead) this.out.push("close");
  }

  #hear(message: Uint8Array): void {
    const uplink = decodeUplink(message);
    if (!uplink.ok) throw new Error(uplink.error.detail);
    const { seq, gap, body } = uplink.value;
    if (body?.kind === "telemetry") this.out.push({ telemetry: [seq, gap] });
    else if (body) this.out.push({ [body.kind]: Object.entries(body).find(([key]) => key === body.kind)?.[1] });
  }
}

function withZeros(down: { kind: string } & Fields): DownlinkBody {
  const fields = down[down.kind];
  if (fields === undefined) return down as DownlinkBody; // a body without fields, as the vector says
  return { kind: down.kind, [down.kind]: { ...ZEROS[down.kind], ...fields } } as DownlinkBody; // checked by its encoder
}

/** A heartbeat that only time called for; the one after Welcome and the answer to a ping are compared. */
function isTimed(event: unknown): boolean {
  return typeof event === "object" && event !== null && "heartbeat" in event;
}

const withWasm = requires("clang", "wasm-ld", "make");
let wasm: WebAssembly.Module;

withWasm.describe("the scenarios, on the C edition", () => {
  beforeAll(async () => {
    wasm = await buildModule();
  }, 120_000);

  for (const scenario of scenarios) {
    if (Object.keys(OWN_TIMES).some((start) => scenario.name.startsWith(start))) continue;
    withWasm.it(scenario.name, () => {
      const runner = new Runner(wasm, scenario.config, scenario.steps[0]?.at ?? 0);
      const expected: unknown[] = [];
      for (const step of scenario.steps) {
        runner.step(step.at, step.in);
        expected.push(...step.out);
      }
      const compared = expected.filter((event) => !isTimed(event));
      runner.wait(compared.length, Math.max(2000, 0.4 * (scenario.steps.at(-1)?.at ?? 0)));
      const beats = { said: runner.out.filter(isTimed), expected: expected.filter(isTimed) };
      expect(runner.compared()).toMatchObject(compared);
      if (beats.expected.length > 0) expect(beats.said[0]).toMatchObject(beats.expected[0] as object); // a vector's fields
    });
  }
});
