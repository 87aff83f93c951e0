/** The scenarios every device edition runs: `proto/vectors/scenarios`. What the words mean is in the README there. */
import { readFileSync } from "node:fs";
import type { DownlinkBody } from "@tidegate/proto";
import { describe, expect, test } from "vitest";
import type { Signal } from "./device.js";
import { Device } from "./device.js";
import { FakeLine, type FakeLink } from "./testing/fake-link.js";
import { ManualClock } from "./testing/manual-clock.js";

type Input = string | { report: number } | { down: { kind: string } & Record<string, unknown> };

interface Scenario {
  readonly name: string;
  readonly rule: string;
  readonly config: { readonly bootNonce: number; readonly messagesMax: number; readonly unit: number };
  readonly steps: readonly { readonly at: number; readonly in: Input; readonly out: readonly unknown[] }[];
}

const path = new URL("../../../proto/vectors/scenarios/device-session.json", import.meta.url);
const scenarios: Scenario[] = JSON.parse(readFileSync(path, "utf8"));

/** Fields a vector leaves out are 0, false or empty. */
const ZEROS: Record<string, object> = {
  welcome: { ackedSeq: 0, keepaliveMs: 0, unixMs: 0, wantCatalog: false, maxUplinkBytes: 0 },
  nack: { retryAfterMs: 0 },
  heartbeat: { uptimeMs: 0, unixMs: 0, ping: 0, nextSeq: 0, oldest: 0 },
  bye: { retryAfterMs: 0, detail: "" },
  command: { name: "", args: new Uint8Array(0), deadlineUptimeMs: 0, atMostOnce: false },
};

class Runner {
  readonly #clock = new ManualClock();
  readonly #out: unknown[] = [];
  readonly #line: FakeLine;
  readonly #device: Device;
  readonly #signal: Signal<number>;

  constructor({ bootNonce, messagesMax, unit }: Scenario["config"]) {
    this.#line = new FakeLine({}, (link) => this.#watch(link));
    this.#device = new Device({
      url: "wss://gateway.local/v1/device",
      id: "device-1",
      flushIntervalMs: 0,
      outbox: { maxMessages: messagesMax },
      clock: this.#clock,
      random: { unit: () => unit, nonce: () => bootNonce },
      connect: this.#line.connect,
    });
    this.#signal = this.#device.signal("n", { type: "int" });
  }

  async step(atMs: number, input: Input): Promise<unknown[]> {
    this.#clock.advance(atMs - this.#clock.monoMs());
    if (typeof input === "string") await this.#say(input);
    else if ("report" in input) for (let i = 0; i < input.report; i++) this.#signal.report(i);
    else this.#line.link.say(withZeros(input.down));
    return this.#out.splice(0);
  }

  async #say(word: string): Promise<void> {
    if (word === "start") this.#device.start();
    if (word === "stop") await this.#device.stop(0);
    if (word === "linkUp") this.#line.link.open();
    if (word === "linkDown") this.#line.link.break();
  }

  #watch(link: FakeLink): void {
    this.#out.push("open");
    link.onLeft = () => this.#out.push("close");
    link.onSent = ({ seq, gap, body }) => {
      if (body?.kind === "telemetry") this.#out.push({ telemetry: [seq, gap] });
      else if (body) this.#out.push({ [body.kind]: Object.entries(body).find(([key]) => key === body.kind)?.[1] });
    };
  }
}

function withZeros(down: { kind: string } & Record<string, unknown>): DownlinkBody {
  const fields = down[down.kind];
  if (fields === undefined) return down as DownlinkBody; // a body without fields, as the vector says
  return { kind: down.kind, [down.kind]: { ...ZEROS[down.kind], ...fields } } as DownlinkBody; // checked by its encoder
}

describe("scenarios shared with the other device editions, hello retry [P-11] and backoff [P-21] among them", () => {
  for (const { name, rule, config, steps } of scenarios) {
    test(`${name} [${rule}]`, async () => {
      const runner = new Runner(config);
      for (const { at, in: input, out } of steps) {
        expect(await runner.step(at, input), `at ${at}: ${JSON.stringify(input)}`).toMatchObject(out);
      }
    });
  }
});
