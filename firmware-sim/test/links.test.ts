/** The devices' port in its variants: own certificates read again on SIGHUP, no TLS on loopback, the echo of tests. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Device } from "@tidegate/device-sdk";
import { afterAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { requires } from "../../scripts/testing/requires.mjs";
import { until } from "../src/rehearse/child.js";
import { type Credential, GatewayProcess } from "../src/rehearse/gateway-process.js";
import { RawDevice } from "./raw-device.js";

const dir = mkdtempSync(join(tmpdir(), "tidegate-links-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const withOpenssl = requires("openssl");

/** A self-signed certificate for localhost, its own root. */
function makeCertificate(name: string): { cert: string; key: string } {
  const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const form = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync(withOpenssl.path("openssl"), ["req", ...form, ...subject, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { cert, key };
}

withOpenssl.describe("with a certificate of one's own", () => {
  withOpenssl.it("reads it again on SIGHUP: new links get the new one, open sessions stay", async () => {
    const first = makeCertificate("first");
    const second = makeCertificate("second");
    const used = { cert: join(dir, "used.crt"), key: join(dir, "used.key") };
    const install = (pair: { cert: string; key: string }) => {
      execFileSync("cp", [pair.cert, used.cert]);
      execFileSync("cp", [pair.key, used.key]);
    };
    install(first);
    const gateway = await GatewayProcess.start({
      dir: join(dir, "own"),
      settings: { devices: { tls: { cert: used.cert, key: used.key, ca: used.cert } } },
    });
    try {
      const credential = await gateway.addDevice("d1");
      expect(credential.ca).toBe(readFileSync(first.cert, "utf8"));
      const connect = (ca: string) =>
        new RawDevice(credential, { ca: readFileSync(ca, "utf8"), servername: "localhost" });
      const early = connect(first.cert);
      await early.greet();
      install(second);
      gateway.signal("SIGHUP");
      await until("the second certificate is in use", async () => {
        const probe = connect(second.cert);
        const isTrusted = await probe.opened.then(
          () => true,
          () => false,
        );
        probe.end();
        return isTrusted;
      });
      const late = connect(first.cert);
      await expect(late.opened).rejects.toThrow();
      expect(early.closedWith).toBeNull();
      early.end();
    } finally {
      await gateway.stop();
    }
  });
});

describe("without TLS", () => {
  it("serves plain ws on loopback when the configuration says so, to the SDK as well", async () => {
    const gateway = await GatewayProcess.start({ dir: join(dir, "plain"), settings: { devices: { tls: "off" } } });
    try {
      const credential = await gateway.addDevice("d1");
      expect(credential.url).toMatch(/^ws:\/\/127\.0\.0\.1:/);
      const device = new Device({ url: credential.url, id: "d1", token: credential.token, flushIntervalMs: 0 });
      const level = device.signal("level", { type: "int" });
      device.start();
      level.report(7);
      await device.flush(10_000);
      await device.stop();
      const { body } = await gateway.call("GET", "/api/v1/devices/d1");
      expect(body.ackedSeq).toBeGreaterThan(0);
    } finally {
      await gateway.stop();
    }
  });
});

describe("a crowd at the door", () => {
  for (const tls of ["site", "off"] as const) {
    it(`waits for its turn before it is served, ${tls === "site" ? "with" : "without"} TLS: nobody is refused`, async () => {
      const gateway = await GatewayProcess.start({
        dir: join(dir, `crowd-${tls}`),
        settings: { devices: { tls, handshakesPerSecond: 4 } },
      });
      try {
        const names = Array.from({ length: 8 }, (_, i) => `d${i}`);
        const credentials = await Promise.all(names.map((name) => gateway.addDevice(name)));
        const devices = credentials.map((credential) => new RawDevice(credential));
        const greetings = devices.map((device) => device.greet());
        await Promise.any(greetings);
        expect(devices.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length).toBeLessThan(8);
        await Promise.all(greetings);
        expect(devices.map(({ refusedWith }) => refusedWith)).toEqual(names.map(() => null));
        for (const device of devices) device.end();
      } finally {
        await gateway.stop();
      }
    });
  }

  it("has places for eight seconds' worth of it; the others are closed before TLS, and a stop closes those who wait", async () => {
    const gateway = await GatewayProcess.start({
      dir: join(dir, "full"),
      settings: { devices: { handshakesPerSecond: 1 } },
    });
    const sockets = Array.from({ length: 30 }, () => connect(gateway.devicesPort, "127.0.0.1").on("error", () => {}));
    try {
      let closedCount = 0;
      for (const socket of sockets) socket.once("close", () => closedCount++);
      for (const socket of sockets) socket.resume();
      await until("those without a place are closed", () => closedCount >= 20);
      expect(closedCount).toBeLessThan(30);
      const headers = { authorization: `Bearer ${gateway.adminToken}` };
      const metrics = await (await fetch(`${gateway.adminUrl}/metrics`, { headers })).text();
      expect(metrics).toMatch(/^tidegate_connections_turned_away_total 2\d$/m);
      await gateway.stop();
      await until("a stop leaves nobody waiting", () => closedCount === 30);
    } finally {
      for (const socket of sockets) socket.destroy();
      await gateway.stop();
    }
  });
});

describe("the echo of tests", () => {
  const echoOf = (credential: Credential, gateway: GatewayProcess) => {
    const tls = { servername: "gateway.tidegate.internal" };
    return new WebSocket(`wss://127.0.0.1:${gateway.devicesPort}/v1/device`, "tidegate.echo", {
      ...tls,
      ca: credential.ca,
    });
  };

  it("[P-36] sends text and binary back when switched on, and is refused otherwise", async () => {
    const gateway = await GatewayProcess.start({ dir: join(dir, "echo"), settings: { devices: { testEcho: true } } });
    try {
      const credential = await gateway.addDevice("d1");
      const socket = echoOf(credential, gateway);
      const heard: string[] = [];
      socket.on("message", (data, isBinary) => heard.push(`${isBinary ? "binary" : "text"} ${String(data)}`));
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      socket.send("hello");
      socket.send(Buffer.from("bytes"));
      await until("both come back", () => heard.length === 2);
      expect(heard).toEqual(["text hello", "binary bytes"]);
      socket.terminate();
      await gateway.stop();
      gateway.configure({});
      await gateway.start();
      const refused = echoOf(credential, gateway);
      await expect(
        new Promise((resolve, reject) => refused.once("open", resolve).once("error", reject)),
      ).rejects.toThrow("400");
    } finally {
      await gateway.stop();
    }
  });
});
