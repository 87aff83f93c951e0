/**
 * `tidegate-sim demo`: the three devices of `npm start`. Runs until it is told to stop.
 *
 *   <data-dir>/gateway.json, admin.token ─▶ add or find three devices ─▶ tokens in <data-dir>/sim ─▶ online ─▶ "ready"
 */
import { join } from "node:path";
import type { Clock } from "@tidegate/device-sdk";
import { AdminClient } from "../admin-client.js";
import { CredentialStore } from "../credential.js";
import { enrol, type WantedDevice } from "../enrol.js";
import { Fleet } from "../fleet.js";
import { localGateway } from "../gateway-address.js";
import { CLIMATES } from "../greenhouse.js";
import type { Climate } from "../models/climate.js";
import { childSeed } from "../random.js";
import { VirtualDevice } from "../virtual-device.js";
import { listenForStop, type StopWish } from "./stop-wish.js";
import { type Output, troubleText } from "./terminal.js";

interface DemoDevice extends WantedDevice {
  readonly climate: Climate;
}

/** The devices that a newcomer meets. */
export const DEMO_DEVICES: readonly DemoDevice[] = [
  { id: "greenhouse-1", name: "Greenhouse 1", climate: CLIMATES.warm },
  { id: "greenhouse-2", name: "Greenhouse 2", climate: CLIMATES.mild },
  { id: "pump-house", name: "Pump house", climate: CLIMATES.cellar },
];

const SEED = 1;
const INTERVAL_MS = 1_000;
const CONNECTS_PER_S = 20;
/** `npm start` gives the simulator five seconds; closing a link may take two of them. */
const DRAIN_MS = 1_000;

/** Run the demo. @returns the exit code @throws SimError */
export async function runDemo(
  dataDir: string,
  { clock, out, err }: { clock: Clock; out: Output; err: Output },
): Promise<number> {
  const wish = listenForStop(clock, null);
  try {
    await runUntil(wish, dataDir, { clock, out, err });
    return 0;
  } finally {
    wish.forget();
  }
}

async function runUntil(
  wish: StopWish,
  dataDir: string,
  { clock, out, err }: { clock: Clock; out: Output; err: Output },
): Promise<void> {
  const address = localGateway(dataDir);
  const store = new CredentialStore(join(dataDir, "sim"));
  const { gatewayId } = address;
  const enrolled = enrol(new AdminClient(address), DEMO_DEVICES, { store, gatewayId });
  const credentials = await Promise.race([enrolled, wish.promise.then(() => null)]);
  if (credentials === null) return;
  const ids = DEMO_DEVICES.map(({ id }) => id);
  const fleet = new Fleet({
    clock,
    connectsPerS: CONNECTS_PER_S,
    onTrouble: (detail) => err.write(troubleText(detail)),
    onReady: () => {
      out.write(`  simulated  ${ids.join(", ")} are online\n\n`);
      if (process.connected) process.send?.({ type: "ready", devices: ids });
    },
  });
  for (const [index, credential] of credentials.entries()) {
    const climate = DEMO_DEVICES[index]?.climate ?? CLIMATES.mild;
    const seed = childSeed(SEED, index);
    const url = address.devicesUrl ?? credential.url;
    fleet.add((news) => new VirtualDevice({ credential, url, climate, seed, intervalMs: INTERVAL_MS, clock, news }));
  }
  fleet.start();
  await wish.promise;
  await fleet.stop(DRAIN_MS);
}
