/** What faults and requests may touch of a world: the world implements it, so that neither needs to know the world. */
import type { Broker } from "./broker.js";
import type { Checker } from "./checker/checker.js";
import type { Fleet } from "./fleet.js";
import type { GatewayProcess } from "./gateway-process.js";
import type { Network } from "./network.js";
import type { WallClock } from "./process-clock.js";
import type { Profile } from "./profile.js";
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
  readonly fleet: Fleet;
  /** null while it is down. */
  readonly gateway: GatewayProcess | null;
  /** @param isMachine the whole machine, not only the process. @returns false when it was down already. */
  killGateway(isMachine: boolean): boolean;
  /** A bit of what is stored flips. @returns whether there was one. */
  rot(): boolean;
  /** A copy of the store is made. @returns whether this world's store can be copied. */
  backUp(): boolean;
  /** The gateway dies and comes back on the copy. @returns whether there was one. */
  restore(): boolean;
}
