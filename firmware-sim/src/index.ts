/** The simulator's parts, for checkers, benchmarks and worlds. Names are listed one by one; the rest is inside. */
export { type Account, type Arrival, accountOf, type Gap } from "./boards/account.js";
export { type BoardKind, type BoardSeat, boardKind, boardKinds, type Command } from "./boards/board-kind.js";
export { type BoardIdentity, identityPage } from "./boards/identity.js";
export { buildImages } from "./boards/images.js";
export {
  type CommandCount,
  type NoiseCase,
  type NoiseOptions,
  type NoiseVerdict,
  proveNoise,
} from "./boards/noise-proof.js";
export { sourcePackage } from "./boards/source-packages.js";
export { BootClock } from "./boot-clock.js";
export type { Credential } from "./credential.js";
export { FaultDriver, type FaultTarget } from "./faults/fault-driver.js";
export { LinkRelay, type RelayOptions } from "./faults/relay.js";
export {
  clockFaultOf,
  type Fault,
  type FaultKind,
  type FaultPlan,
  faultsOf,
  faultsUntil,
  NO_FAULTS,
  type TimedFault,
} from "./faults/schedule.js";
export { Fleet, type FleetOptions } from "./fleet.js";
export { CLIMATES } from "./greenhouse.js";
export { type LaunchedFleet, type LaunchOptions, launch } from "./launch.js";
export { FileLedger, type Ledger, type LedgerEntry } from "./ledger.js";
export { childSeed, hashUnit, SeededRandom } from "./random.js";
export { type DigestedReading, readingsDigest } from "./readings-digest.js";
export { addTally, NO_TALLY, type Tally } from "./tally.js";
export {
  type ClockFault,
  type DeviceNews,
  type Loss,
  VirtualDevice,
  type VirtualDeviceOptions,
} from "./virtual-device.js";
