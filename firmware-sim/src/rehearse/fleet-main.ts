/**
 * A fleet of counting devices as a process of its own: each reports 0, 1, 2 … on the real SDK over real wss.
 *
 *   stdin   { devices: [{deviceId, token, url, ca}], intervalMs }     one line of JSON
 *   SIGTERM stop reporting; wait for the last acks (bounded), stop the devices
 *   stdout  [{ device, attempted, acked }]                            one line of JSON, at the end
 */
import { createInterface } from "node:readline";
import { Device } from "@tidegate/device-sdk";
import type { Credential } from "./gateway-process.js";
import type { SenderTotals } from "./verdict.js";

interface Order {
  readonly devices: readonly Credential[];
  readonly intervalMs: number;
  /** How long to wait for the last acks at the end. */
  readonly drainMs: number;
}

class CountingDevice {
  readonly #device: Device;
  readonly #id: string;
  #next = 0;
  readonly #count;

  constructor(credential: Credential, flushIntervalMs: number) {
    const { url, deviceId, token, ca } = credential;
    this.#id = deviceId;
    this.#device = new Device({ url, id: deviceId, token, ca, flushIntervalMs });
    this.#count = this.#device.signal("count", { type: "int" });
    this.#device.start();
  }

  report(): void {
    this.#count.report(this.#next++);
  }

  async finish(drainMs: number): Promise<SenderTotals> {
    await this.#device.flush(drainMs).catch(() => {}); // what was not acked in time is told by the totals
    const acked = this.#device.stats().samplesAcked;
    await this.#device.stop();
    return { device: this.#id, attempted: this.#next, acked };
  }
}

async function main(): Promise<void> {
  const order = await readOrder();
  // Each reading is a message of its own: more messages, more to go wrong.
  const fleet = order.devices.map((credential) => new CountingDevice(credential, 0));
  const timer = setInterval(() => {
    for (const device of fleet) device.report();
  }, order.intervalMs);
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("disconnect", resolve);
  });
  clearInterval(timer);
  const totals = await Promise.all(fleet.map((device) => device.finish(order.drainMs)));
  process.stdout.write(`${JSON.stringify(totals)}\n`, () => process.exit(0));
}

async function readOrder(): Promise<Order> {
  for await (const line of createInterface({ input: process.stdin })) return JSON.parse(line) as Order; // our parent's
  throw new Error("no order came on stdin");
}

await main();
