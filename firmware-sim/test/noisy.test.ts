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

/** What twenty neighbours see of one that floods: their acks with it and without it, in one run on one machine. */
describe("twenty devices beside one that floods", () => {
  const NEIGHBOURS = 20;
  const READINGS = 15;

  /** Each sends one reading at a time. @returns how long each ack took, in ms, sorted. */
  async function ackTimes(devices: readonly RawDevice[], fromSeq: number): Promise<number[]> {
    const times: number[] = [];
    const one = async (device: RawDevice): Promise<void> => {
      for (let seq = fromSeq; seq < fromSeq + READINGS; seq++) {
        const sentMs = performance.now();
        device.telemetry(seq, seq);
        await acked(device, seq);
        times.push(performance.now() - sentMs);
      }
    };
    await Promise.all(devices.map(one));
    return times.sort((a, b) => a - b);
  }

  const acked = (device: RawDevice, seq: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (ackOf(device) < seq) return;
        device.socket.off("message", look);
        resolve();
      };
      device.socket.on("message", look);
      look();
    });

  it("lose nothing, are not thrown out, and have their acks about as soon as without it", async () => {
    const noisy = new RawDevice(await bench.gateway.addDevice("flood"));
    await noisy.greet();
    const devices: RawDevice[] = [];
    for (let i = 1; i <= NEIGHBOURS; i++) {
      const device = new RawDevice(await bench.gateway.addDevice(`neighbour-${i}`));
      await device.greet();
      devices.push(device);
    }
    await ackTimes(devices, 1); // warm
    const alone = await ackTimes(devices, 1 + READINGS);
    for (let seq = 1; seq <= FLOOD; seq++) noisy.telemetry(seq, seq);
    const beside = await ackTimes(devices, 1 + 2 * READINGS);
    const share = (list: readonly number[], part: number): number => list[Math.floor(list.length * part)] ?? 0;
    const ratio = (part: number): string => (share(beside, part) / share(alone, part)).toFixed(2);
    const floodAcked = ackOf(noisy);
    console.log(
      `isolation: acks of ${NEIGHBOURS} beside a flood take ${ratio(0.5)} × at the median, ${ratio(0.95)} × at p95;`,
      `lost 0 of ${NEIGHBOURS * 3 * READINGS}; the flood got ${floodAcked} of ${FLOOD}`,
    );
    expect(devices.map(ackOf)).toEqual(devices.map(() => 3 * READINGS));
    expect(devices.map(({ closedWith }) => closedWith)).toEqual(devices.map(() => null));
    expect(floodAcked).toBeLessThan(FLOOD);
    for (const device of [...devices, noisy]) device.end();
  }, 120_000);
});
