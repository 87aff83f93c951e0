/** What faults and requests may touch of a world: the world implements it, so that neither needs to know the world. */
import type { Broker } from "./broker.js";
import type { Checker } from "./checker/checker.js";
import type { GatewayProcess } from "./gateway-process.js";
import type { Network } from "./network.js";
import type { WallClock } from "./process-clock.js";
import type { Profile } from "./profile.js";
import type { SerialWire } from "./serial-wire.js";
import type { DeviceDisk } from "./store/device-disk.js";
import type { GatewayDisk } from "./store/gateway-disk.js";
import type { Story } from "./story.js";
import type { Timeline } from "./timeline.js";

export interface Stage {
  readonly timeline: Timeline;
  readonly story: Story;
  readonly profile: Profile;
  readonly network: Network;
  readonly disk: GatewayDisk;
  readonly broker: Broker;
  readonly checker: Checker;
  readonly wall: WallClock;
  readonly deviceCount: number;
  /** null while it is down. */
  readonly gateway: GatewayProcess | null;
  /** Devices count from 0. */
  cardOf(index: number): DeviceDisk | null;
  /** null: it has no serial line. */
  wireOf(index: number): SerialWire | null;
  /** @param isMachine the whole machine, not only the process. @returns false when it was down already. */
  killGateway(isMachine: boolean): boolean;
  /** A copy of the store is made. @returns whether this world's store can be copied. */
  backUp(): boolean;
  /** The gateway dies and comes back on the copy. @returns whether there was one. */
  restore(): boolean;
  /** @param backShare how far back its card goes, 0 … 1; null: it holds what was written last. */
  killDevice(index: number, backShare: number | null): boolean;
}
