/**
 * The rehearsal of an outage on real processes: devices, gateway, broker, and a subscriber whose log is the proof.
 *
 *   devices ──south line──▶ gateway ──north line──▶ Mosquitto ──▶ subscriber's log
 *                 ✂            ✂ SIGKILL   ✂           ✂             one fault after the other, see faults.ts
 */
import { join } from "node:path";
import { ApiWatch, type ApiWatched } from "./api-watch.js";
import { type BrokerOptions, BrokerProcess } from "./broker-process.js";
import { pause, until } from "./child.js";
import { Faultline } from "./faultline.js";
import { FAULTS, type FaultName, type FaultStage } from "./faults.js";
import { FleetProcess } from "./fleet-process.js";
import { type Credential, GatewayProcess, type Settings } from "./gateway-process.js";
import { Line } from "./line.js";
import { judge, type Verdict } from "./verdict.js";

export interface OutageOptions {
  readonly dir: string;
  readonly deviceCount: number;
  /** Between two readings of each device. */
  readonly intervalMs: number;
  /** Before, during and after each fault. */
  readonly beforeMs: number;
  readonly outageMs: number;
  readonly afterMs: number;
  /** What goes wrong, one after the other; the broker is stopped unless told. */
  readonly faults?: readonly FaultName[];
  /** How often the gateway is killed during each fault. */
  readonly kills: number;
  readonly broker?: Omit<BrokerOptions, "dir">;
  /** Further settings of the gateway. */
  readonly settings?: Settings;
  /** One line for each step, for somebody who watches. */
  readonly say?: (text: string) => void;
}

export interface OutageVerdict extends Verdict {
  /** How the gateway's API answered all along, and how many devices it lost while it ran. */
  readonly api: ApiWatched;
}

const DRAIN_MS_MAX = 60_000;
const ONLINE_MS_MAX = 60_000;

/** What counts as the gateway's disk. */
const DISK = "gateway/data/";

/** Half-open links are to be noticed within a rehearsal: the shortest keepalive there is. */
const KEEPALIVE = "5s";

/** Run it. Takes the three times per fault plus the draining; leaves no process behind. */
export async function rehearseOutage(options: OutageOptions): Promise<OutageVerdict> {
  const say = options.say ?? (() => {});
  const broker = await BrokerProcess.start({ dir: join(options.dir, "broker"), ...options.broker });
  await broker.subscribe();
  const north = await Line.open(broker.port);
  const faults = new Faultline(options.dir, DISK);
  const sink = { name: "broker", type: "mqtt", url: `mqtt://127.0.0.1:${north.port}`, maxRetry: "2s", keepalive: "5s" };
  const gateway = await GatewayProcess.start({
    dir: join(options.dir, "gateway"),
    settings: { devices: { keepalive: KEEPALIVE }, ...options.settings, sinks: [sink] },
    env: faults.env,
  });
  const south = await Line.open(gateway.devicesPort);
  const api = new ApiWatch(gateway);
  let fleet: FleetProcess | null = null;
  try {
    const ids = Array.from({ length: options.deviceCount }, (_, i) => `device-${i + 1}`);
    const devices = await Promise.all(ids.map(async (id) => through(south, await gateway.addDevice(id))));
    fleet = new FleetProcess({ devices, intervalMs: options.intervalMs, drainMs: DRAIN_MS_MAX });
    say(`${options.deviceCount} devices report every ${options.intervalMs} ms`);
    await pause(options.beforeMs);
    await until("every device is online", () => areOnline(gateway, options.deviceCount), ONLINE_MS_MAX);
    api.begin();
    for (const name of options.faults ?? ["broker-down" as const]) {
      say(`${name}: ${FAULTS[name].what}`);
      await suffer(name, { gateway, broker, north, south, faults, say }, options);
      say(`${name}: over`);
      await pause(options.afterMs);
    }
    const watched = await api.end();
    say("devices stop; waiting for the last acks and the backlog");
    const totals = await fleet.finish(DRAIN_MS_MAX + 10_000);
    await drained(gateway);
    await until("the subscriber has everything", () => caughtUp(broker, totals), DRAIN_MS_MAX).catch(() => {});
    return { ...judge(totals, broker.received(), "count"), api: watched };
  } finally {
    faults.heal();
    await api.end();
    await fleet?.end();
    await gateway.stop();
    await broker.end();
    await Promise.all([north.close(), south.close()]);
    faults.close();
  }
}

/** The fault, and in the middle of it the kills. */
async function suffer(name: FaultName, stage: FaultStage, options: OutageOptions): Promise<void> {
  const fault = FAULTS[name].run(stage, options.outageMs);
  const pieceMs = options.outageMs / (options.kills + 1);
  const kills = async (): Promise<void> => {
    for (let kill = 0; kill < options.kills; kill++) {
      await pause(pieceMs);
      stage.say("gateway killed");
      await stage.gateway.kill();
      await stage.gateway.start();
      stage.say("gateway back");
    }
  };
  await Promise.all([fault, kills()]);
}

function through(line: Line, credential: Credential): Credential {
  const url = new URL(credential.url);
  url.hostname = "127.0.0.1";
  url.port = String(line.port);
  return { ...credential, url: url.href };
}

async function areOnline(gateway: GatewayProcess, deviceCount: number): Promise<boolean> {
  const { body } = await gateway.call("GET", "/api/v1/status");
  return body.devices.online === deviceCount;
}

/** Resolves when every sink has taken everything. */
export async function drained(gateway: GatewayProcess): Promise<void> {
  await until(
    "the sinks have taken everything",
    async () => {
      const { body } = await gateway.call("GET", "/api/v1/sinks");
      const sinks = body.sinks as { backlog: { count: number } }[]; // the API's own shape
      return sinks.every((sink) => sink.backlog.count === 0);
    },
    DRAIN_MS_MAX,
  );
}

/** The broker has acked, but its subscriber may still be reading. */
function caughtUp(broker: BrokerProcess, totals: readonly { device: string; acked: number }[]): boolean {
  const verdict = judge(
    totals.map((t) => ({ ...t, attempted: Number.MAX_SAFE_INTEGER })),
    broker.received(),
    "count",
  );
  return verdict.missing === 0;
}
