/** The sink against brokers of others: Mosquitto with an independent subscriber, and aedes, which knows no MQTT 5. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Aedes } from "aedes";
import { afterEach, describe, expect, test } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { SystemClock } from "../core/clock.js";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { SystemRandom } from "../core/random.js";
import type { AskedCommand } from "../model/command.js";
import type { MqttSinkOptions } from "./mqtt-options.js";
import { MqttSink } from "./mqtt-sink.js";
import { FakeSpool } from "./testing/fake-spool.js";
import { freePort, Mosquitto, MosquittoSub, until } from "./testing/mosquitto.js";
import { TcpCutter } from "./testing/tcp-cutter.js";

const broker = requires("mosquitto", "mosquitto_sub", "mosquitto_pub");
const tls = requires("mosquitto", "mosquitto_sub", "mosquitto_pub", "openssl");

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function ending<T extends { stop(): Promise<unknown> }>(thing: T): T {
  endings.push(() => thing.stop());
  return thing;
}

const startBroker = async (lines?: readonly string[], files?: Record<string, string>): Promise<Mosquitto> =>
  ending(await Mosquitto.start(broker.path("mosquitto"), lines, files));

async function subscriber(port: number, ...args: string[]): Promise<MosquittoSub> {
  const sub = ending(
    new MosquittoSub(broker.path("mosquitto_sub"), port, [
      "-q",
      "1",
      "-t",
      "probe",
      "-t",
      "tidegate/#",
      "-F",
      "%r %t %p",
      ...args,
    ]),
  );
  const probe = () =>
    execFileSync(broker.path("mosquitto_pub"), [
      "-h",
      "127.0.0.1",
      "-p",
      String(port),
      "-t",
      "probe",
      "-m",
      "x",
      ...args,
    ]);
  probe();
  await until("the subscriber hears", () => {
    if (sub.lines.length === 0) probe();
    return sub.lines.length > 0;
  });
  return sub;
}

interface Rig {
  readonly sink: MqttSink;
  readonly spool: FakeSpool;
  readonly metrics: Metrics;
  readonly submitted: AskedCommand[];
}

function rig(url: string, options: Partial<MqttSinkOptions> = {}): Rig {
  const spool = new FakeSpool();
  const metrics = new Metrics();
  const submitted: AskedCommand[] = [];
  const limits = { backoffBaseMs: 20, backoffCapMs: 100, blockedRetryMs: 200, ...options.limits };
  const sink = new MqttSink(
    { name: "broker", gatewayId: "gw", url, ...options, limits },
    {
      ...{
        reader: spool,
        spool,
        cursor: 0,
        metrics,
        log: SILENT,
        clock: new SystemClock(),
        random: new SystemRandom(),
      },
      submit: async (command) => {
        submitted.push(command);
      },
    },
  );
  return { sink: ending(sink), spool, metrics, submitted };
}

const dataOf = (sub: MosquittoSub): string[] =>
  sub.lines.filter((line) => line.includes("/data ")).map((line) => line.slice(line.indexOf("{")));
const distinct = (payloads: readonly string[]): string[] => [...new Set(payloads)];

broker.describe("against Mosquitto", () => {
  test("every record arrives once and in order, over MQTT 5, and the status tells of coming and going", async () => {
    const mosquitto = await startBroker();
    const sub = await subscriber(mosquitto.port);
    const { sink, spool } = rig(`mqtt://127.0.0.1:${mosquitto.port}`);
    spool.add(3_000);
    sink.start();
    await until("all arrived", () => dataOf(sub).length >= 3_000);
    expect(dataOf(sub)).toEqual(spool.records.map((record) => record.payload));
    await until("all acked", () => sink.cursor === 3_000);
    expect(sink.status()).toMatchObject({ state: "up", protocol: "MQTT 5", deliveredCount: 3_000 });
    await sink.stop();
    await until("offline", () => sub.lines.some((line) => line === "0 tidegate/gw/status offline"));
    expect(sub.lines).toContain("0 tidegate/gw/status online");
    expect(spool.cursors.at(-1)).toBe(3_000);
  });

  test("a network that breaks mid-packet loses nothing, keeps the order, and repeats byte for byte", async () => {
    const mosquitto = await startBroker();
    const sub = await subscriber(mosquitto.port);
    const cutter = new TcpCutter(mosquitto.port);
    await cutter.listen();
    endings.push(() => cutter.close());
    cutter.cutAfterBytes = 60_000;
    const { sink, spool, metrics } = rig(`mqtt://127.0.0.1:${cutter.port}`);
    spool.add(4_000);
    sink.start();
    await until("all arrived", () => distinct(dataOf(sub)).length >= 4_000, 30_000);
    expect(distinct(dataOf(sub))).toEqual(spool.records.map((record) => record.payload));
    expect(cutter.cuts).toBeGreaterThan(2);
    expect(metrics.read("sink_reconnects")).toBeGreaterThan(2);
    expect(spool.aside).toEqual([]);
    expect(sub.lines.some((line) => line.endsWith("status offline"))).toBe(true); // the will
  });

  test("a backlog leaves no faster than the sink is told, all of it, while the gateway's own word does not wait", async () => {
    const mosquitto = await startBroker();
    const sub = await subscriber(mosquitto.port);
    const { sink, spool } = rig(`mqtt://127.0.0.1:${mosquitto.port}`, { recordsPerSecond: 40 });
    spool.add(60);
    const startedAt = performance.now();
    sink.start();
    await until("online", () => sub.lines.includes("0 tidegate/gw/status online"));
    expect(dataOf(sub).length).toBeLessThan(60);
    await until("all arrived", () => dataOf(sub).length >= 60);
    // 60 records, of which 5 may go at once; a slow machine takes longer, none is faster.
    expect(performance.now() - startedAt).toBeGreaterThan(((60 - 5 - 1) / 40) * 1_000 * 0.98);
    expect(dataOf(sub)).toEqual(spool.records.map((record) => record.payload));
  });

  test("a broker killed mid-stream is come back to, and the rest is delivered", async () => {
    const mosquitto = await startBroker();
    const { sink, spool } = rig(`mqtt://127.0.0.1:${mosquitto.port}`);
    spool.add(50_000);
    sink.start();
    await until("some delivered", () => sink.status().deliveredCount > 500);
    await mosquitto.kill();
    await until("it noticed", () => sink.status().state !== "up");
    const stoodAt = sink.cursor;
    expect(stoodAt).toBeLessThan(50_000);
    await mosquitto.launch();
    const sub = await subscriber(mosquitto.port);
    sink.committed(spool.add(1));
    await until("all delivered", () => sink.cursor === 50_001, 30_000);
    await until("the last arrived", () => dataOf(sub).some((payload) => payload.includes('"n":50001')));
    expect(spool.aside).toEqual([]);
  });

  test("a refused password blocks, and the right one is taken without a restart", async () => {
    const mosquitto = await startBroker(["allow_anonymous false", "password_file {folder}/users"], {
      users: "tidegate:right\n",
    });
    execFileSync("mosquitto_passwd", ["-U", join(mosquitto.folder, "users")]);
    await mosquitto.kill();
    await mosquitto.launch();
    let password = "wrong";
    const { sink, spool } = rig(`mqtt://127.0.0.1:${mosquitto.port}`, {
      username: "tidegate",
      password: () => password,
    });
    spool.add(5);
    sink.start();
    await until("blocked", () => sink.status().state === "blocked");
    expect(sink.status().lastError).toMatchObject({ code: "E_SINK_REFUSED" });
    expect((await sink.test()).map((step) => [step.step, step.ok])).toEqual([
      ["connect", true],
      ["login", false],
    ]);
    password = "right";
    await until("delivered", () => sink.cursor === 5);
    expect((await sink.test()).every((step) => step.ok)).toBe(true);
  });

  test("an access list that refuses one device puts its records aside; one that refuses all blocks", async () => {
    const acl = "topic readwrite tidegate/gw/status\ntopic readwrite tidegate/gw/attic-7/#\n";
    const mosquitto = await startBroker(["allow_anonymous true", "acl_file {folder}/acl"], { acl });
    const { sink, spool } = rig(`mqtt://127.0.0.1:${mosquitto.port}`);
    spool.add(5);
    spool.addRecord({ topic: "attic-9/data", payload: '{"id":"gw/attic-9/1/1"}' });
    spool.add(5);
    sink.start();
    await until("all passed", () => sink.cursor === 11);
    expect(spool.aside).toEqual([{ recordId: 6, reason: expect.stringContaining("not authorized") }]);
    const other = rig(`mqtt://127.0.0.1:${mosquitto.port}`, { gatewayId: "gw-2" });
    other.spool.add(50);
    other.sink.start();
    await until("blocked", () => other.sink.status().state === "blocked");
    expect(other.spool.aside).toEqual([]);
  });

  test("a record above the broker's packet limit is put aside and the flow goes on", async () => {
    const mosquitto = await startBroker(["allow_anonymous true", "max_packet_size 1000"]);
    const { sink, spool } = rig(`mqtt://127.0.0.1:${mosquitto.port}`);
    spool.add(2);
    spool.add(1, 2_000);
    spool.add(2);
    sink.start();
    await until("all passed", () => sink.cursor === 5);
    expect(spool.aside.map((entry) => entry.recordId)).toEqual([3]);
  });

  test("commands arrive with their MQTT 5 properties; a retained one is refused at every connection", async () => {
    const mosquitto = await startBroker();
    const publish = (...args: string[]) =>
      execFileSync(broker.path("mosquitto_pub"), [
        "-h",
        "127.0.0.1",
        "-p",
        String(mosquitto.port),
        "-V",
        "5",
        "-q",
        "1",
        ...args,
      ]);
    publish("-t", "tidegate/gw/attic-7/cmd/reboot", "-m", "{}", "-r");
    const sub = await subscriber(mosquitto.port);
    const { sink, metrics, submitted } = rig(`mqtt://127.0.0.1:${mosquitto.port}`);
    sink.start();
    await until("refused", () => metrics.read("sink_commands_retained") === 1);
    const properties = ["message-expiry-interval", "7"].concat(["-D", "publish", "correlation-data", "k1"]);
    publish(
      "-t",
      "tidegate/gw/attic-7/cmd/fan",
      "-m",
      '{"rpm":900}',
      "-D",
      "publish",
      ...properties,
      "-D",
      "publish",
      "response-topic",
      "home/replies",
    );
    await until("submitted", () => submitted.length === 1);
    expect(submitted).toMatchObject([
      { device: "attic-7", name: "fan", args: '{"rpm":900}', idempotencyKey: "azE=", responseTopic: "home/replies" },
    ]);
    expect(submitted[0]?.ttlMs).toBeGreaterThan(5_000);
    expect(submitted[0]?.ttlMs).toBeLessThanOrEqual(7_000);
    publish("-t", "tidegate/gw/attic-7/cmd/fan", "-m", "{}", "-r");
    await until("the live retained one is refused too", () => metrics.read("sink_commands_retained") === 2);
    await until("answered", () =>
      sub.lines.some((line) => line.includes("cmd/reboot/result") && line.includes("E_FORBIDDEN")),
    );
  });

  test("state and status are there for whoever comes late", async () => {
    const mosquitto = await startBroker();
    const { sink } = rig(`mqtt://127.0.0.1:${mosquitto.port}`);
    sink.start();
    await until("up", () => sink.status().state === "up");
    sink.presenceChanged("attic-7", "online");
    const readings = [{ signal: "temperature", t: 5, v: 21.4, q: "good" as const }];
    sink.observe({ id: 1, device: "attic-7", kind: "data", receivedUnixMs: 5, readings });
    const sub = ending(
      new MosquittoSub(broker.path("mosquitto_sub"), mosquitto.port, ["-q", "1", "-t", "tidegate/#", "-F", "%r %t %p"]),
    );
    await until("all three", () => sub.lines.length >= 3);
    expect(sub.lines.toSorted()).toEqual([
      '1 tidegate/gw/attic-7/state {"temperature":21.4,"_t":5}',
      "1 tidegate/gw/attic-7/status online",
      "1 tidegate/gw/status online",
    ]);
  });
});

tls.describe("against Mosquitto with TLS", () => {
  const openssl = (cwd: string, line: string) =>
    execFileSync(tls.path("openssl"), line.split(" "), { cwd, stdio: "ignore" });

  async function startTlsBroker(): Promise<{ mosquitto: Mosquitto; port: number; ca: string }> {
    const port = await freePort();
    const files = ["cafile {folder}/ca.pem", "certfile {folder}/broker.pem", "keyfile {folder}/broker.key"];
    const plain = await startBroker(["allow_anonymous true"]);
    const make = (line: string) => openssl(plain.folder, line);
    make("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca");
    make(
      "req -newkey rsa:2048 -nodes -keyout broker.key -out broker.csr -subj /CN=localhost -addext subjectAltName=DNS:localhost",
    );
    make(
      "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out broker.pem -days 2 -copy_extensions copy",
    );
    await plain.kill();
    plain.configure([`listener ${port} 127.0.0.1`, ...files]);
    await plain.launch();
    return { mosquitto: plain, port, ca: readFileSync(join(plain.folder, "ca.pem"), "utf8") };
  }

  test("the right CA and name are taken; an unknown CA and a wrong name are named", async () => {
    const { port, ca } = await startTlsBroker();
    const good = rig(`mqtts://localhost:${port}`, { tls: { ca } });
    good.spool.add(10);
    good.sink.start();
    await until("delivered", () => good.sink.cursor === 10);
    const unknown = rig(`mqtts://localhost:${port}`, { name: "unknown-ca" });
    unknown.sink.start();
    await until("blocked", () => unknown.sink.status().state === "blocked");
    expect(unknown.sink.status().lastError?.fix).toContain("set ca to");
    const named = rig(`mqtts://127.0.0.1:${port}`, { name: "wrong-name", tls: { ca } });
    named.sink.start();
    await until("blocked", () => named.sink.status().state === "blocked");
    expect(named.sink.status().lastError?.why).toBe("the broker's certificate does not name 127.0.0.1");
    const withName = rig(`mqtts://127.0.0.1:${port}`, { name: "servername", tls: { ca, servername: "localhost" } });
    withName.sink.start();
    await until("up", () => withName.sink.status().state === "up");
  });

  test("a TLS url at a plain port, and files that are no PEM, are named", async () => {
    const mosquitto = await startBroker();
    const plain = rig(`mqtts://127.0.0.1:${mosquitto.port}`);
    plain.sink.start();
    await until("it failed", () => plain.sink.status().lastError !== null);
    expect(plain.sink.status().state).not.toBe("up");
    const broken = rig(`mqtts://127.0.0.1:${mosquitto.port}`, { tls: { ca: "no pem", cert: "no pem", key: "no pem" } });
    broken.sink.start();
    await until("it failed", () => broken.sink.status().lastError !== null);
    expect(broken.sink.status().state).toBe("blocked");
  });
});

describe("against a broker without MQTT 5", () => {
  test("the sink falls back to 3.1.1 and delivers in order", async () => {
    const aedes = await Aedes.createBroker();
    const got: string[] = [];
    aedes.on("publish", (packet) => {
      if (packet.topic.endsWith("/data")) got.push(packet.payload.toString());
    });
    const server = createServer(aedes.handle);
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    endings.push(() => new Promise((resolve) => aedes.close(() => server.close(resolve))));
    const { sink, spool } = rig(`mqtt://127.0.0.1:${port}`);
    spool.add(500);
    sink.start();
    await until("delivered", () => sink.cursor === 500);
    expect(got).toEqual(spool.records.map((record) => record.payload));
    expect(sink.status().protocol).toBe("MQTT 3.1.1");
    expect((await sink.test()).every((step) => step.ok)).toBe(true);
    await sink.stop();
  });
});

test("nothing listens there: the reason and the fix are plain", async () => {
  const { sink } = rig(`mqtt://127.0.0.1:${await freePort()}`);
  sink.start();
  await until("it failed", () => sink.status().lastError !== null);
  expect(sink.status().lastError).toMatchObject({ code: "E_SINK_UNAVAILABLE" });
  expect(sink.status().lastError?.why).toContain("connection refused");
});
