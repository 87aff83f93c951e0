/** One device that says far more than its share, on the real gateway: it is slowed, and its neighbour is not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../src/rehearse/child.js";
import { startGateway, type TestGateway } from "./bench-gateway.js";
import { RawDevice } from "./raw-device.js";

const RATE = 50;
const FLOOD = 5_000;
const QUIET = 20;

let bench: TestGateway;
beforeAll(async () => {
  bench = await startGateway({ devices: { messagesPerSecond: RATE, messageBurst: RATE } });
}, 120_000);
afterAll(() => bench.end());

const ackOf = (device: RawDevice) => device.heard.filter((m) => m.kind === "ack").at(-1)?.ack.seq ?? 0;

describe("a device that floods the gateway", () => {
  it("is read at its rate and no faster, is not thrown out for it, and takes nothing from its neighbour", async () => {
    const noisy = new RawDevice(await bench.gateway.addDevice("noisy"));
    const quiet = new RawDevice(await bench.gateway.addDevice("quiet"));
    await noisy.greet();
    await quiet.greet();
    for (let seq = 1; seq <= FLOOD; seq++) noisy.telemetry(seq, seq);
    for (let seq = 1; seq <= QUIET; seq++) {
      quiet.telemetry(seq, seq);
      await until(`the neighbour's reading ${seq} is acked`, () => ackOf(quiet) === seq);
    }
    expect(ackOf(noisy)).toBeLessThan(FLOOD);
    expect(noisy.closedWith).toBeNull();
    noisy.end();
    quiet.end();
  }, 60_000);
});
