/** The site's certificates, judged by OpenSSL's command line and by real TLS handshakes. */
import { execFileSync } from "node:child_process";
import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { CONSTANT_SERVER_NAME } from "@tidegate/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { SystemRandom } from "../core/random.js";
import { carriesNames, gatewayNames, namesOf } from "./certificate-names.js";
import {
  fingerprintOf,
  issueGatewayLeaf,
  type KeyedCertificate,
  makeRoot,
  needsReissue,
  pairProblem,
  rootProblem,
} from "./pki.js";

const random = new SystemRandom();
const NAMES = gatewayNames({
  hostname: "attic",
  addresses: ["192.168.1.7", "fe80::1", "fd00::0:7", "127.0.0.1"],
  configured: ["Gate.example.net", "*.lan"],
});

let server: KeyedCertificate;
let device: KeyedCertificate;
let leaf: KeyedCertificate;
let folder: string;

beforeAll(async () => {
  server = await makeRoot("server", random);
  device = await makeRoot("device", random);
  leaf = await issueGatewayLeaf({ root: server, names: NAMES, keyPem: null }, random);
  folder = mkdtempSync(join(tmpdir(), "tidegate-pki-"));
  for (const [name, pair] of Object.entries({ server, device, leaf })) writeFileSync(join(folder, name), pair.certPem);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("names of the gateway's certificate", () => {
  it("hold the constant name first, then localhost, the host, the configured names and lasting addresses", () => {
    expect(NAMES).toEqual([
      CONSTANT_SERVER_NAME,
      "localhost",
      "127.0.0.1",
      "::1",
      "attic",
      "attic.local",
      "gate.example.net",
      "*.lan",
      "192.168.1.7",
      "fd00::0:7",
    ]);
  });

  it("leave out what a certificate cannot hold and never grow without bound", () => {
    const addresses = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const names = gatewayNames({ hostname: "my host", addresses, configured: ["kept.example"] });
    expect(names).not.toContain("my host");
    expect(names).toContain("kept.example");
    expect(names.length).toBe(48);
  });

  it("are compared whatever their order and spelling", () => {
    const certificate = new X509Certificate(leaf.certPem);
    expect(namesOf(certificate)).toHaveLength(NAMES.length);
    expect(carriesNames(certificate, [...NAMES].reverse())).toBe(true);
    expect(carriesNames(certificate, NAMES.slice(1))).toBe(false);
    expect(carriesNames(certificate, [...NAMES, "one.more"])).toBe(false);
  });
});

requires("openssl").describe("certificates as OpenSSL sees them", () => {
  const openssl = (...args: string[]): string => execFileSync("openssl", args, { cwd: folder, encoding: "utf8" });

  it("form a chain that is valid for a TLS server, under every name", () => {
    for (const name of [CONSTANT_SERVER_NAME, "localhost", "attic.local", "gate.example.net"]) {
      const out = openssl(
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-verify_hostname",
        name,
        "-CAfile",
        "server",
        "leaf",
      );
      expect(out.trim()).toBe("leaf: OK");
    }
    expect(openssl("verify", "-verify_ip", "192.168.1.7", "-CAfile", "server", "leaf").trim()).toBe("leaf: OK");
  });

  it("say serverAuth only, and are refused as client certificates and by the device root", () => {
    expect(openssl("x509", "-in", "leaf", "-noout", "-ext", "extendedKeyUsage")).toMatch(
      /TLS Web Server Authentication\s*$/,
    );
    expect(() => openssl("verify", "-purpose", "sslclient", "-CAfile", "server", "leaf")).toThrow();
    expect(() => openssl("verify", "-CAfile", "device", "leaf")).toThrow();
  });

  it("run from 2020 to the end of 9999 on P-256 keys", () => {
    for (const name of ["server", "device", "leaf"]) {
      const text = openssl("x509", "-in", name, "-noout", "-dates", "-text");
      expect(text).toContain("notBefore=Jan  1 00:00:00 2020 GMT");
      expect(text).toContain("notAfter=Dec 31 23:59:59 9999 GMT");
      expect(text).toContain("ASN1 OID: prime256v1");
    }
  });

  it("are roots that may sign leaves and nothing below", () => {
    const text = openssl("x509", "-in", "server", "-noout", "-text");
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
  });
});

describe("issuing the leaf", () => {
  it("keeps a key that is handed in, and the root", async () => {
    const again = await issueGatewayLeaf({ root: server, names: ["other.example"], keyPem: leaf.keyPem }, random);
    expect(pairProblem(again)).toBeNull();
    expect(createPublicKey(again.certPem).export({ type: "spki", format: "pem" })).toBe(
      createPublicKey(leaf.certPem).export({ type: "spki", format: "pem" }),
    );
    expect(new X509Certificate(again.certPem).serialNumber).not.toBe(new X509Certificate(leaf.certPem).serialNumber);
  });

  it("is due when names or the root change or the end is near, and not because the clock stands in 1970", () => {
    const now = Date.UTC(2026, 0, 1);
    expect(needsReissue(leaf.certPem, server.certPem, NAMES, now)).toBe(false);
    expect(needsReissue(leaf.certPem, server.certPem, NAMES, 0)).toBe(false);
    expect(needsReissue(leaf.certPem, server.certPem, [...NAMES, "new.example"], now)).toBe(true);
    expect(needsReissue(leaf.certPem, device.certPem, NAMES, now)).toBe(true);
    expect(needsReissue(leaf.certPem, server.certPem, NAMES, Date.UTC(9999, 11, 20))).toBe(true);
  });

  it("names what is wrong with a root or a pair", () => {
    expect(rootProblem(server)).toBeNull();
    expect(rootProblem(leaf)).toBe("the certificate is no CA");
    expect(rootProblem({ certPem: server.certPem, keyPem: device.keyPem })).toBe(
      "the key does not belong to the certificate",
    );
    expect(pairProblem({ certPem: "", keyPem: "" })).toBe("the certificate is not PEM, or is damaged");
    expect(pairProblem({ certPem: leaf.certPem, keyPem: "x" })).toBe(
      "the key is not PEM, is damaged, or needs a passphrase",
    );
  });
});

describe("a handshake with a pinned root", () => {
  const shake = (ca: string, servername: string, checked = servername): Promise<string> =>
    new Promise((resolve, reject) => {
      const listener = createServer({ key: leaf.keyPem, cert: leaf.certPem, minVersion: "TLSv1.2" }, (s: TLSSocket) =>
        s.end(),
      );
      listener.listen(0, "127.0.0.1", () => {
        const address = listener.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        const socket = connect({ host: "127.0.0.1", port, ca, servername: checked }, () => {
          resolve(
            fingerprintOf(
              `-----BEGIN CERTIFICATE-----\n${socket.getPeerCertificate().raw.toString("base64")}\n-----END CERTIFICATE-----\n`,
            ),
          );
          socket.destroy();
          listener.close();
        });
        socket.on("error", (error) => {
          listener.close();
          reject(error);
        });
      });
    });

  it("succeeds under the constant name whatever the address is", async () => {
    expect(await shake(server.certPem, CONSTANT_SERVER_NAME)).toBe(fingerprintOf(leaf.certPem));
  });

  it("is refused with another root and under a name that is not the gateway's", async () => {
    await expect(shake(device.certPem, CONSTANT_SERVER_NAME)).rejects.toThrow();
    await expect(shake(server.certPem, "elsewhere.example")).rejects.toThrow(/does not match/);
  });
});
