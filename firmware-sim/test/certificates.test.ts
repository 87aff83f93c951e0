/** Certificates that are missing, mended or renewed while the gateway runs, and who speaks without any. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { until } from "../src/rehearse/child.js";
import { freePort } from "../src/rehearse/free-port.js";
import { GatewayProcess } from "../src/rehearse/gateway-process.js";
import { RawDevice } from "./raw-device.js";

const dir = mkdtempSync(join(tmpdir(), "tidegate-certificates-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const withOpenssl = requires("openssl");

function makeCertificate(name: string): { cert: string; key: string } {
  const [cert, key] = [join(dir, `${name}.crt`), join(dir, `${name}.key`)];
  const form = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(withOpenssl.path("openssl"), ["req", ...form, ...subject, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  return { cert, key };
}

describe("the devices' port", () => {
  it("tells who speaks plain HTTP to it that it wants TLS, and goes on with those who do", async () => {
    const gateway = await GatewayProcess.start({ dir: join(dir, "plain") });
    try {
      const answer = await new Promise<{ status: number; text: string }>((resolve, reject) => {
        const sent = request({ host: "127.0.0.1", port: gateway.devicesPort, path: "/v1/device" }, (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => {
            text += chunk.toString("utf8");
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        });
        sent.on("error", reject);
        sent.end();
      });
      expect(answer).toEqual({ status: 400, text: expect.stringContaining("wss://") });
      // Noise that is neither gets no answer at all.
      const noise = connect(gateway.devicesPort, "127.0.0.1", () => noise.write("\u0000\u0001\u0002nonsense\r\n\r\n"));
      let heard = "";
      noise.on("data", (chunk: Buffer) => {
        heard += chunk.toString("latin1");
      });
      await new Promise((resolve) => noise.once("close", resolve));
      expect(heard).not.toContain("HTTP");
      const device = new RawDevice(await gateway.addDevice("d1"));
      await device.greet();
      device.end();
    } finally {
      await gateway.stop();
    }
  }, 60_000);
});

withOpenssl.describe("a sink's certificate", () => {
  withOpenssl.it(
    "that cannot be read is the sink's trouble: the gateway starts, and reads it again at the next try",
    async () => {
      const ca = join(dir, "broker-ca.crt");
      const sink = { name: "north", type: "mqtt", url: `mqtts://127.0.0.1:${await freePort()}`, ca };
      const gateway = await GatewayProcess.start({ dir: join(dir, "sink"), settings: { sinks: [sink] } });
      try {
        const why = async (): Promise<string> => {
          const { body } = await gateway.call("GET", "/api/v1/sinks");
          return body.sinks[0].lastError?.why ?? "";
        };
        await until("the sink names the file", async () => (await why()).includes(ca));
        copyFileSync(makeCertificate("broker").cert, ca);
        // What a person does who does not want to wait for the next try.
        await gateway.call("POST", "/api/v1/sinks/north/pause");
        await gateway.call("POST", "/api/v1/sinks/north/resume");
        await until("the sink is past its files", async () => {
          const now = await why();
          return now !== "" && !now.includes(ca);
        });
      } finally {
        await gateway.stop();
      }
    },
    60_000,
  );
});

withOpenssl.describe("the dashboard's certificate", () => {
  withOpenssl.it(
    "is read again on SIGHUP; one that does not fit leaves the old one in place",
    async () => {
      const used = { cert: join(dir, "dashboard.crt"), key: join(dir, "dashboard.key") };
      const install = (pair: { cert: string; key: string }): void => {
        copyFileSync(pair.cert, used.cert);
        copyFileSync(pair.key, used.key);
      };
      install(makeCertificate("old"));
      // Started here without its waiting, which speaks http.
      const gateway = await GatewayProcess.start({ dir: join(dir, "admin") });
      await gateway.stop();
      gateway.configure({ admin: { tls: used } });
      const started = gateway.start().catch(() => {});
      const port = Number(new URL(gateway.adminUrl).port);
      const shownName = (): Promise<string> =>
        new Promise((resolve) => {
          const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
            resolve(String(socket.getPeerCertificate().subject.CN));
            socket.destroy();
          });
          socket.on("error", () => resolve(""));
        });
      try {
        await until("the dashboard shows its certificate", async () => (await shownName()) === "old");
        install(makeCertificate("new"));
        await until("the new one is shown", async () => {
          gateway.signal("SIGHUP");
          return (await shownName()) === "new";
        });
        copyFileSync(makeCertificate("other").key, used.key);
        gateway.signal("SIGHUP");
        await until("the log says so", () => /certificates not read again/.test(gateway.words));
        expect(await shownName()).toBe("new");
      } finally {
        await gateway.kill();
        await started;
      }
    },
    90_000,
  );
});
