/** The proof of completeness on real processes: gateway killed, broker gone, one record refused; then MQTT alone must say. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { BrokerProcess } from "../src/rehearse/broker-process.js";
import { until } from "../src/rehearse/child.js";
import { GatewayProcess, gatewayBin } from "../src/rehearse/gateway-process.js";
import { drained } from "../src/rehearse/outage.js";
import { startPuppet } from "./bench-gateway.js";
import { RawDevice } from "./raw-device.js";

const withBroker = requires("mosquitto", "mosquitto_sub");
const TIMEOUT_MS = 400_000;

interface Proof {
  readonly complete: boolean;
  readonly streams: readonly { device: string; to: number; hereCount: number; listedCount: number }[];
}

/** `tidegate gaps verify`, which asks no gateway. */
function verify(log: string): Proof {
  const { stdout } = spawnSync(process.execPath, [gatewayBin(), "gaps", "verify", "--json"], {
    input: log,
    encoding: "utf8",
  });
  return JSON.parse(stdout);
}

withBroker.describe("a consumer", () => {
  withBroker.it(
    "can prove it from MQTT messages alone: catalogs, answers, evicted numbers and a refused record included",
    async () => {
      const dir = mkdtempSync(join(tmpdir(), "tidegate-proof-"));
      const broker = await BrokerProcess.start({
        ...{ dir: join(dir, "broker"), mosquitto: withBroker.path("mosquitto") },
        mosquittoSub: withBroker.path("mosquitto_sub"),
        lines: ["allow_anonymous true", "max_packet_size 2000"],
      });
      await broker.subscribe();
      const sinks = [{ name: "north", type: "mqtt", url: broker.url, maxRetry: "1s", watermarkEvery: "1s" }];
      const gateway = await GatewayProcess.start({ dir: join(dir, "gateway"), settings: { sinks } });
      const puppet = await startPuppet(await gateway.addDevice("puppet"));
      try {
        const device = new RawDevice(await gateway.addDevice("meter"));
        const { epoch } = await device.greet();
        for (let seq = 1; seq <= 20; seq++) device.telemetry(seq, seq);
        device.telemetry(25, 25, 4); // 21 … 24 were evicted on the device
        device.say({ kind: "log", log: { uptimeMs: 1, level: 6, text: "x".repeat(4_000) } }, 26); // no packet holds it
        device.telemetry(27, 27);
        await until("all is acked", () => device.heard.some((m) => m.kind === "ack" && m.ack.seq === 27));
        const { body } = await gateway.call("POST", "/api/v1/devices/puppet/commands", {
          name: "add",
          args: { a: 1, b: 2 },
        });
        await until(
          "the command is done",
          async () => (await gateway.call("GET", `/api/v1/commands/${body.commandId}`)).body.state === "succeeded",
        );
        await broker.stop();
        await gateway.kill();
        await gateway.start();
        await broker.start();
        await drained(gateway);
        const isTold = () => verify(broker.received()).streams.some((s) => s.device === "meter" && s.to >= 27);
        await until("the last number is told of", isTold);
        await until("nothing is missing", () => verify(broker.received()).complete, 30_000);
        const meter = verify(broker.received()).streams.find((stream) => stream.device === "meter");
        expect(meter).toMatchObject({ epoch, to: 27, hereCount: 22, listedCount: 5 });
        const lines = broker.received().split("\n");
        expect(verify(lines.filter((line) => !line.includes(`/${epoch}/13"`)).join("\n")).complete).toBe(false);
        device.end();
      } finally {
        await puppet.kill();
        await gateway.stop();
        await broker.end();
        rmSync(dir, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
