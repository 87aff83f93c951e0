/**
 * Branded ids: strings that were checked once, at the edge, and cannot be mixed up afterwards.
 *
 * Ids of gateways and devices, signal keys and command names share one pattern that is legal for MQTT topics, NATS
 * subjects, Home Assistant, Prometheus labels and file names.
 */
import { isName } from "@tidegate/proto";

/** A device id that was checked; a plain string cannot be taken for one. */
export type DeviceId = string & { readonly __brand: "DeviceId" };

/** The id, or null when it does not fit the pattern. */
export function deviceId(text: string): DeviceId | null {
  return isName(text) ? (text as DeviceId) : null; // the one place where a string becomes a DeviceId
}
