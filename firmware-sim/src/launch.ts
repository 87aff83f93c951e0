/**
 * Puts a fleet together: each device with its line and its faults.
 *
 *   credential ─▶ relay? ─▶ VirtualDevice ◀─ FaultDriver ◀─ schedule (plan, seed)
 */
import type { Credential } from "./credential.js";
import { FaultDriver, type FaultTarget } from "./faults/fault-driver.js";
import { checkRelayable, LinkRelay } from "./faults/relay.js";
import { clockFaultOf, type FaultKind, type FaultPlan, faultsOf } from "./faults/schedule.js";
import { Fleet, type FleetOptions } from "./fleet.js";
import { CLIMATES } from "./greenhouse.js";
import type { Ledger } from "./ledger.js";
import { childSeed } from "./random.js";
import { VirtualDevice } from "./virtual-device.js";

/** A fleet, its lines and its faults. */
export interface LaunchOptions extends FleetOptions {
  readonly credentials: readonly Credential[];
  /** Address for all; null: what each credential says. */
  readonly devicesUrl: string | null;
  readonly seed: number;
  /** Time between two sets of readings of one device, in ms. */
  readonly intervalMs: number;
  readonly plan: FaultPlan;
  /** How wrong wall clocks are at most, in ms; null: clocks are right. */
  readonly clockSkewMs: number | null;
  /** Speed of every line; null: as fast as it goes. */
  readonly slowLinkBytesPerS: number | null;
  /** Folder for persistent outboxes; null: they live in memory. */
  readonly outboxDir: string | null;
  readonly ledger: Ledger | null;
}

/** A fleet that runs. Owns its relays and timers until `stop`. */
export interface LaunchedFleet {
  readonly fleet: Fleet;
  /** Faults that happened so far, by kind. */
  faultCounts(): Record<FaultKind, number>;
  /** Stop faults, devices and lines. @param drainMs how long each device may wait for handlers, and for acks */
  stop(drainMs: number): Promise<void>;
}

/** How long lines stay for the last words of their devices. */
const GOODBYE_MS = 2_000;

/** Build the fleet and switch it on. @throws SimError when the faults do not fit the gateway */
export async function launch(options: LaunchOptions): Promise<LaunchedFleet> {
  const { clock, plan, credentials } = options;
  const fleet = new Fleet(options);
  const relays: LinkRelay[] = [];
  const drivers: FaultDriver[] = [];
  try {
    for (const [index, credential] of credentials.entries()) {
      const url = options.devicesUrl ?? credential.url;
      const relay = needsRelay(options) ? await openRelay(url, credential, options) : null;
      if (relay !== null) relays.push(relay);
      const device = addDevice(fleet, options, { index, credential, url: relay?.through(url) ?? url });
      drivers.push(new FaultDriver(faultsOf(plan, faultSeed(options.seed, index)), target(device, relay), clock));
    }
  } catch (error) {
    await Promise.all(relays.map((relay) => relay.close()));
    throw error;
  }
  fleet.start();
  for (const driver of drivers) driver.start();
  return {
    fleet,
    faultCounts: () => sumCounts(drivers),
    stop: async (drainMs) => {
      for (const driver of drivers) driver.stop();
      await fleet.stop(drainMs);
      await Promise.all(relays.map((relay) => relay.close(GOODBYE_MS)));
    },
  };
}

const faultSeed = (seed: number, index: number): number => childSeed(childSeed(seed, index), 0xfa);

function needsRelay({ plan, slowLinkBytesPerS }: LaunchOptions): boolean {
  return plan.dropLinkEveryMs !== null || plan.halfOpenEveryMs !== null || slowLinkBytesPerS !== null;
}

function openRelay(url: string, credential: Credential, options: LaunchOptions): Promise<LinkRelay> {
  checkRelayable(url, credential.ca);
  return LinkRelay.listen(url, { clock: options.clock, bytesPerS: options.slowLinkBytesPerS });
}

function addDevice(
  fleet: Fleet,
  options: LaunchOptions,
  { index, credential, url }: { index: number; credential: Credential; url: string },
): VirtualDevice {
  const { clock, intervalMs, ledger, outboxDir, clockSkewMs } = options;
  const seed = childSeed(options.seed, index);
  const climates = Object.values(CLIMATES);
  const climate = climates[index % climates.length] ?? CLIMATES.mild;
  const clockFault = clockSkewMs === null ? null : (boot: number) => clockFaultOf(seed, boot, clockSkewMs);
  return fleet.add(
    (news) =>
      new VirtualDevice({ credential, url, climate, seed, intervalMs, clock, news, ledger, outboxDir, clockFault }),
  );
}

function target(device: VirtualDevice, relay: LinkRelay | null): FaultTarget {
  return {
    dropLink: (awayMs: number) => relay?.dropLink(awayMs) ?? false,
    halfOpen: (holdMs: number, deliversLate: boolean) => relay?.halfOpen(holdMs, deliversLate) ?? false,
    reboot: (offMs: number) => {
      const isOn = device.state !== "off";
      void device.reboot(offMs);
      return isOn;
    },
  };
}

function sumCounts(drivers: readonly FaultDriver[]): Record<FaultKind, number> {
  const sum: Record<FaultKind, number> = { "drop-link": 0, reboot: 0, "half-open": 0 };
  for (const { counts } of drivers) {
    sum["drop-link"] += counts["drop-link"];
    sum.reboot += counts.reboot;
    sum["half-open"] += counts["half-open"];
  }
  return sum;
}
