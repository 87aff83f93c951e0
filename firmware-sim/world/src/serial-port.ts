/**
 * The gateway's end of a simulated serial line: the product's own framing and its own slot, which finds the sessions in
 * what arrives. Made by each life of the gateway, on a wire that stays.
 */
import { encodeStreamFrame, SERIAL_MESSAGE_BYTES_MAX, StreamDecoder } from "@tidegate/proto";
import type { Clock } from "tidegate/dist/core/clock.js";
import type { Metrics } from "tidegate/dist/core/metrics.js";
import { type SerialLink, type SerialSession, SerialSlot, slotCounters } from "tidegate/dist/southbound/serial-slot.js";
import type { SerialWire } from "./serial-wire.js";

const REPEAT_AFTER_MS = 700;
const NACK_EVERY_MS = 300;
const BORDER = new Uint8Array([0]);

/** Listens on the wire until `close`. @returns the way to stop. */
export function openSerialPort(
  wire: SerialWire,
  world: { readonly device: string; readonly clock: Clock; readonly metrics: Metrics; readonly isAlive: () => boolean },
  open: (link: SerialLink) => SerialSession,
): () => void {
  const { device, clock, metrics, isAlive } = world;
  const decoder = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
  const slot = new SerialSlot(device, {
    clock,
    counters: slotCounters(metrics),
    repeatAfterMs: REPEAT_AFTER_MS,
    nackEveryMs: NACK_EVERY_MS,
    send: (message) => wire.toBoard(encodeStreamFrame(message)),
    verify: (hello) => hello.deviceId === device,
    open,
  });
  wire.plugGateway((bytes) => {
    if (!isAlive()) return;
    for (const message of decoder.push(bytes)) slot.message(message);
  });
  wire.toBoard(BORDER);
  return () => wire.plugGateway(null);
}
