/**
 * The rehearsal of an outage on real processes: devices, gateway, broker, and a subscriber whose log is the proof.
 *
 *   devices ──wss──▶ gateway ──MQTT──▶ Mosquitto ──▶ subscriber's log
 *                       ✂ SIGKILL         ✂ gone for a while
 */
import { join } from "node:path";
import { type BrokerOptions, BrokerProcess } from "./broker-process.js";
import { pause, until } from "./child.js";
import { FleetProcess } from "./fleet-process.js";
import { GatewayProcess } from "./gateway-process.js";
import { judge, type Verdict } from "./verdict.js";

export interface OutageOptions {
  readonly dir: string;
  readonly deviceCount: number;
  /** Between two readings of each device. */
  readonly intervalMs: number;
  /** Before, during and after the broker's absence. */
  readonly beforeMs: number;
  readonly outageMs: number;
  readonly afterMs: number;
  /** How often the gateway is killed during the outage. */
  readonly kills: number;
  readonly broker?: Omit<BrokerOptions, "dir">;
  /** One line for each step, for somebody who watches. */
  readonly say?: (text: string) => void;
}

const DRAIN_MS_MAX = 60_000;

/** Run it. Takes the three times plus the draining; leaves no process behind. */
export async function rehearseOutage(options: OutageOptions): Promise<Verdict> {
  const say = options.say ?? (() => {});
  const broker = await BrokerProcess.start({ dir: join(options.dir, "broker"), ...options.broker });
  await broker.subscribe();
  const gateway = await GatewayProcess.start({
    dir: join(options.dir, "gateway"),
    settings: { sinks: [{ name: "broker", type: "mqtt", url: broker.url, maxRetry: "2s" }] },
  });
  try {
    const ids = Array.from({ length: options.deviceCount }, (_, i) => `device-${i + 1}`);
    const devices = await Promise.all(ids.map((id) => gateway.addDevice(id)));
    const fleet = new FleetProcess({ devices, intervalMs: options.intervalMs, drainMs: DRAIN_MS_MAX });
    say(`${options.deviceCount} devices report every ${options.intervalMs} ms`);
    await pause(options.beforeMs);
    say("broker gone");
    await broker.stop();
    await sufferKills(gateway, options, say);
    say("broker back");
    await broker.start();
    await pause(options.afterMs);
    say("devices stop; waiting for the last acks and the backlog");
    const totals = await fleet.finish(DRAIN_MS_MAX + 10_000);
    await drained(gateway);
    await until("the subscriber has everything", () => caughtUp(broker, totals), DRAIN_MS_MAX);
    return judge(totals, broker.received(), "count");
  } finally {
    await gateway.stop();
    await broker.end();
  }
}

async function sufferKills(
  gateway: GatewayProcess,
  options: OutageOptions,
  say: (text: string) => void,
): Promise<void> {
  const pieceMs = options.outageMs / (options.kills + 1);
  for (let kill = 0; kill < options.kills; kill++) {
    await pause(pieceMs);
    say("gateway killed");
    await gateway.kill();
    await gateway.start();
    say("gateway back");
  }
  await pause(pieceMs);
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
