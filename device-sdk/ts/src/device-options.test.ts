/** Options that stand for several others. */
import { describe, expect, test } from "vitest";
import { BATCHING, type Batching, checkOptions, type DeviceOptions } from "./device-options.js";

const BASE = { url: "wss://gateway.local:8443/v1/device", id: "greenhouse-7", token: "secret" };
const settings = (options: Partial<DeviceOptions> = {}) => checkOptions({ ...BASE, ...options });

describe("batching", () => {
  test.each<Batching>(["wired", "wifi", "battery"])("%s sets how long and how much is gathered", (batching) => {
    expect(settings({ batching })).toMatchObject(BATCHING[batching]);
  });

  test("is wired unless told, and each number can be set by itself", () => {
    expect(settings()).toMatchObject(BATCHING.wired);
    expect(settings({ batching: "battery", flushIntervalMs: 10_000 })).toMatchObject({
      flushIntervalMs: 10_000,
      maxBatchBytes: BATCHING.battery.maxBatchBytes,
    });
  });

  test("never makes a message larger than a serial line carries", () => {
    expect(settings({ url: "serial:/dev/ttyUSB0", batching: "battery" }).maxBatchBytes).toBe(960);
  });

  test("of another name is refused with the names there are", () => {
    const options = { ...BASE, batching: "solar" };
    // A program in plain JavaScript can pass anything.
    expect(() => checkOptions(options as DeviceOptions)).toThrow(/wired, wifi or battery/);
  });
});
