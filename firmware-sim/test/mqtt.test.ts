/** The north side on real parts: topics, values, commands through MQTT, refused brokers; gateway and broker are processes. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Aedes } from "aedes";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { BrokerProcess } from "../src/rehearse/broker-process.js";
import { type Child, until } from "../src/rehearse/child.js";
import { freePort } from "../src/rehearse/free-port.js";
import { type Credential, GatewayProcess } from "../src/rehearse/gateway-process.js";
import { startPuppet } from "./bench-gateway.js";
import { RawDevice } from "./raw-device.js";

const withBroker = requires("mosquitto", "mosquitto_passwd", "mosquitto_sub", "mosquitto_pub");
const dir = mkdtempSync(join(tmpdir(), "tidegate-mqtt-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const programs = () => ({
  mosquitto: withBroker.path("mosquitto"),
  mosquittoSub: withBroker.path("mosquitto_sub"),
});

const PAGE = new URL("../../docs/mqtt.md", import.meta.url);

/** The messages on the page, with the topics in full. */
function pageExamples(): string {
  const blocks = [...readFileSync(PAGE, "utf8").matchAll(/^```text\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  return blocks.join("").replaceAll(/^/gm, "tidegate/attic-pi/");
}

/** Messages as `mosquitto_sub` writes them, each without what differs: its kind, and the names of its fields. */
function messagesOf(received: string): string[] {
  return received.split("\n").flatMap((line) => {
    const [, topic = "", payload = ""] = /^tidegate\/(?:gw1|attic-pi)\/(\S+) +(.*)$/.exec(line) ?? [];
    const kind = topic.replace(/^[^/]+\//, "<device>/").replace(/cmd\/[^/]+/, "cmd/<name>");
    if (payload === "" || kind === "<device>/cmd/<name>") return [];
    return [`${kind} ${kind.endsWith("/state") ? "_t" : fieldsOf(payload)}`];
  });
}

function fieldsOf(payload: string): string {
  if (!payload.startsWith("{")) return payload === "offline" || payload === "sleeping" ? "online" : payload;
  const { readings, ...rest } = JSON.parse(payload);
  return [...Object.keys(rest), ...(readings === undefined ? [] : Object.keys(readings[0]))].join();
}

withBroker.describe("with Mosquitto", () => {
  let broker: BrokerProcess;
  let gateway: GatewayProcess;
  let credential: Credential;
  let puppet: Child | null = null;

  beforeAll(async () => {
    broker = await BrokerProcess.start({ dir: join(dir, "broker"), ...programs() });
    await broker.subscribe();
    gateway = await GatewayProcess.start({
      dir: join(dir, "gateway"),
      settings: {
        gateway: { id: "gw1" },
        commands: { ttl: "2m", maxTtl: "1h" },
        sinks: [{ name: "north", type: "mqtt", url: broker.url, watermarkEvery: "1s" }],
      },
    });
    credential = await gateway.addDevice("pump-7");
    puppet = await startPuppet(credential);
  });
  afterAll(async () => {
    await puppet?.kill();
    await gateway.stop();
    await broker.end();
  });

  const arrives = (text: string) => until(`${text} arrives`, () => broker.received().includes(text));

  /** Publish as another program would. */
  function publish(topic: string, payload: string, ...more: string[]): void {
    const to = ["-h", "127.0.0.1", "-p", String(broker.port), "-q", "1"];
    execFileSync(withBroker.path("mosquitto_pub"), [...to, "-t", topic, "-m", payload, ...more]);
  }

  withBroker.it("says online for gateway and device, retained", async () => {
    await arrives("tidegate/gw1/status online");
    await arrives("tidegate/gw1/pump-7/status online");
  });

  withBroker.it("publishes every record with id, times and quality, and the latest state retained", async () => {
    const device = new RawDevice(await gateway.addDevice("meter-1"));
    const { epoch } = await device.greet();
    device.telemetry(1, 42);
    await arrives(
      `tidegate/gw1/meter-1/data {"id":"gw1/meter-1/${epoch}/1","device":"meter-1","readings":[{"signal":"#1"`,
    );
    await arrives("tidegate/gw1/meter-1/state ");
    device.end();
  });

  withBroker.it("publishes a gap that a device announced, in band", async () => {
    const device = new RawDevice(await gateway.addDevice("meter-2"));
    await device.greet();
    device.telemetry(4, 1, 3);
    await arrives("tidegate/gw1/meter-2/gap ");
    const line = broker
      .received()
      .split("\n")
      .find((text) => text.startsWith("tidegate/gw1/meter-2/gap "));
    expect(JSON.parse(line?.slice(line.indexOf(" ")) ?? "{}")).toMatchObject({
      device: "meter-2",
      fromSeq: 1,
      toSeq: 3,
      reason: "evicted",
    });
    const { body } = await gateway.call("GET", "/api/v1/gaps?device=meter-2");
    expect(body.gaps).toHaveLength(1);
    device.end();
  });

  withBroker.it("takes a command from …/cmd/<name> and answers on …/result", async () => {
    publish("tidegate/gw1/pump-7/cmd/add", '{"a":40,"b":2}');
    await arrives("tidegate/gw1/pump-7/cmd/add/result ");
    const line = broker
      .received()
      .split("\n")
      .find((text) => text.startsWith("tidegate/gw1/pump-7/cmd/add/result "));
    expect(JSON.parse(line?.slice(line.indexOf(" ")) ?? "{}")).toMatchObject({
      name: "add",
      state: "succeeded",
      result: { sum: 42 },
    });
  });

  withBroker.it("honours Response Topic, Correlation Data and Message Expiry of MQTT 5", async () => {
    const v5 = ["-V", "5", "-D", "publish", "response-topic", "tidegate/answers/here", "-D", "publish"];
    publish("tidegate/gw1/pump-7/cmd/add", '{"a":1,"b":1}', ...v5, "correlation-data", "abc");
    await arrives("tidegate/answers/here ");
    publish("tidegate/gw1/nobody-home/cmd/add", "1");
    await gateway.addDevice("away-1");
    publish("tidegate/gw1/away-1/cmd/add", "1", "-V", "5", "-D", "publish", "message-expiry-interval", "1");
    await until("the command expires", async () => {
      const { body } = await gateway.call("GET", "/api/v1/commands?device=away-1");
      return body.commands[0]?.state === "expired";
    });
  });

  withBroker.it("waits as long as the configuration says, and is delivered as the catalog declares it", async () => {
    await gateway.addDevice("away-2");
    const listed = async (device: string) =>
      (await gateway.call("GET", `/api/v1/commands?device=${device}`)).body.commands as {
        name: string;
        ttlMs: number;
        delivery: string;
      }[];
    publish("tidegate/gw1/away-2/cmd/add", "1");
    const tooLong = ["-V", "5", "-D", "publish", "message-expiry-interval", "7200"];
    publish("tidegate/gw1/away-2/cmd/fail", "1", ...tooLong);
    await until("both are there", async () => (await listed("away-2")).length === 2);
    const waits = (await listed("away-2")).map(({ name, ttlMs }) => `${name} ${ttlMs}`);
    expect(waits.toSorted()).toEqual(["add 120000", "fail 3600000"]);
    publish("tidegate/gw1/pump-7/cmd/add", "1");
    await until("it is there", async () => (await listed("pump-7")).some(({ name }) => name === "add"));
    expect((await listed("pump-7")).find(({ name }) => name === "add")?.delivery).toBe("atLeastOnce");
  });

  withBroker.it("refuses a retained command and counts it: it would fire at every reconnect", async () => {
    publish("tidegate/gw1/pump-7/cmd/fail", "1", "-r");
    // A retained message reaches a live subscriber without the flag; a reconnect brings it with the flag.
    await broker.stop();
    await broker.start();
    await until("the refusal is counted", async () => {
      const response = await fetch(`${gateway.adminUrl}/metrics`, {
        headers: { authorization: `Bearer ${gateway.adminToken}` },
      });
      return /retained\w*_total [1-9]/.test(await response.text());
    });
    publish("tidegate/gw1/pump-7/cmd/fail", "", "-r");
  });

  withBroker.it("shows each kind of message as the page about MQTT does", async () => {
    const device = new RawDevice(await gateway.addDevice("meter-3"));
    await device.greet();
    device.say({ kind: "log", log: { uptimeMs: 1000, level: 4, text: "brown-out" } }, 1);
    publish("tidegate/gw1/nobody-home/cmd/add", "1");
    const examples = messagesOf(pageExamples());
    expect(examples.length).toBeGreaterThan(9);
    for (const example of examples) {
      await until(`one arrives like ${example}`, () => messagesOf(broker.received()).includes(example));
    }
    const kinds = new Set(messagesOf(broker.received()).map((message) => message.split(" ")[0]));
    expect([...kinds].filter((kind) => !examples.some((example) => example.startsWith(`${kind} `)))).toEqual([]);
    device.end();
  });

  withBroker.it("says offline for itself when it stops in order, and by its will when it is killed", async () => {
    await gateway.kill();
    await until(
      "the will is published",
      () => broker.received().trimEnd().endsWith("tidegate/gw1/status offline"),
      40_000,
    );
    await gateway.start();
    await until("it says online again", () => broker.received().split("tidegate/gw1/status online").length > 2);
  });
});

withBroker.describe("with a broker that wants a password", () => {
  withBroker.it("says that the password was refused, and delivers once it is right", async () => {
    const passwords = join(dir, "mosquitto.pass");
    execFileSync(withBroker.path("mosquitto_passwd"), ["-b", "-c", passwords, "tidegate", "right"]);
    const broker = await BrokerProcess.start({
      dir: join(dir, "closed-broker"),
      ...programs(),
      lines: ["allow_anonymous false", `password_file ${passwords}`],
    });
    const secret = join(dir, "mqtt.pass");
    writeFileSync(secret, "wrong\n");
    const gateway = await GatewayProcess.start({
      dir: join(dir, "closed-gateway"),
      settings: {
        sinks: [
          { name: "north", type: "mqtt", url: broker.url, username: "tidegate", passwordFile: secret, maxRetry: "1s" },
        ],
      },
    });
    try {
      const sink = async () => (await gateway.call("GET", "/api/v1/sinks")).body.sinks[0];
      await until("the refusal shows", async () => (await sink()).lastError !== null);
      expect((await sink()).lastError).toMatchObject({ code: "E_SINK_REFUSED" });
      expect((await sink()).lastError.why).toMatch(/password|user/i);
      writeFileSync(secret, "right\n");
      await gateway.call("POST", "/api/v1/sinks/north/pause");
      await gateway.call("POST", "/api/v1/sinks/north/resume");
      await until("the sink is up", async () => (await sink()).state === "up");
    } finally {
      await gateway.stop();
      await broker.end();
    }
  });
});

describe("with a broker that refuses MQTT 5", () => {
  let server: Server;
  let broker: Aedes;
  const topics: string[] = [];
  let port = 0;

  beforeAll(async () => {
    port = await freePort();
    broker = await Aedes.createBroker();
    broker.on("publish", (packet) => topics.push(packet.topic));
    server = createServer(broker.handle);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    await new Promise<void>((resolve) => broker.close(resolve));
    server.close();
  });

  it("falls back to 3.1.1 and delivers", async () => {
    const gateway = await GatewayProcess.start({
      dir: join(dir, "old-gateway"),
      settings: { gateway: { id: "gw1" }, sinks: [{ name: "old", type: "mqtt", url: `mqtt://127.0.0.1:${port}` }] },
    });
    try {
      const device = new RawDevice(await gateway.addDevice("meter-3"));
      await device.greet();
      device.telemetry(1, 1);
      await until("the record arrives", () => topics.includes("tidegate/gw1/meter-3/data"));
      const { body } = await gateway.call("GET", "/api/v1/sinks");
      expect(body.sinks[0]).toMatchObject({ state: "up", protocol: "MQTT 3.1.1" });
      device.end();
    } finally {
      await gateway.stop();
    }
  });
});
