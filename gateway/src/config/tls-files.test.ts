/** Certificates on disk: made once, never made anew in silence, reissued when names change. */

import { X509Certificate } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SystemRandom } from "../core/random.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { carriesNames, gatewayNames } from "../enrollment/certificate-names.js";
import type { Config } from "./config.js";
import { loadConfig } from "./load.js";
import { loadAdminTls, loadTls, type TlsFacts } from "./tls-files.js";

let dataDir: string;
const facts: TlsFacts = {
  random: new SystemRandom(),
  clock: new ManualClock(),
  hostname: "attic",
  addresses: ["10.0.0.7"],
};

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "tidegate-tls-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function config(settings: Record<string, unknown> = {}): Config {
  const io = { cwd: "/", hostname: "attic", repositoryDir: null, readFile: () => JSON.stringify(tree) };
  const tree = { gateway: { dataDir }, ...settings };
  return loadConfig(io, { configPath: "/c.yaml", env: {} }).config;
}

const pki = (name = ""): string => join(dataDir, "pki", name);

describe("the site's certificates", () => {
  it("are made at the first run, for their owner alone, and stay the same at the next", async () => {
    const first = await loadTls(config(), facts);
    expect(readdirSync(pki()).sort()).toEqual([
      "device-ca.crt",
      "device-ca.key",
      "gateway.crt",
      "gateway.key",
      "server-ca.crt",
      "server-ca.key",
      "ticket.key",
    ]);
    for (const name of readdirSync(pki())) expect(statSync(pki(name)).mode & 0o777, name).toBe(0o600);
    expect(statSync(pki()).mode & 0o777).toBe(0o700);
    expect(first?.fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    expect(first?.ticketKeys).toHaveLength(48);
    expect(await loadTls(config(), facts)).toEqual(first);
  });

  it("get a new leaf when names change, under the same root and the same key", async () => {
    const first = await loadTls(config(), facts);
    const second = await loadTls(config({ devices: { names: ["gate.lan"] } }), { ...facts, addresses: ["10.0.0.8"] });
    expect([second?.ca, second?.key, second?.ticketKeys]).toEqual([first?.ca, first?.key, first?.ticketKeys]);
    expect(second?.cert).not.toBe(first?.cert);
    const wanted = gatewayNames({ hostname: "attic", addresses: ["10.0.0.8"], configured: ["gate.lan"] });
    expect(carriesNames(new X509Certificate(second?.cert ?? ""), wanted)).toBe(true);
  });

  it("survive a crash between folder and leaf, and a half-made folder", async () => {
    mkdirSync(join(dataDir, ".pki.new"));
    writeFileSync(join(dataDir, ".pki.new", "server-ca.key"), "half");
    const first = await loadTls(config(), facts);
    rmSync(pki("gateway.crt"));
    rmSync(pki("ticket.key"));
    const second = await loadTls(config(), facts);
    expect([second?.ca, second?.key]).toEqual([first?.ca, first?.key]);
    expect(existsSync(join(dataDir, ".pki.new"))).toBe(false);
  });

  it.each([
    "server-ca.crt",
    "server-ca.key",
    "device-ca.crt",
    "device-ca.key",
    "gateway.crt",
    "gateway.key",
    "ticket.key",
  ])("are refused, not made anew, when %s is empty or damaged", async (name) => {
    await loadTls(config(), facts);
    for (const content of ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
      writeFileSync(pki(name), content);
      await expect(loadTls(config(), facts)).rejects.toMatchObject({ code: "E_TLS_FILES" });
      expect(readFileSync(pki(name), "utf8")).toBe(content);
    }
  });

  it.each(["server-ca.crt", "server-ca.key", "device-ca.crt", "device-ca.key"])(
    "are refused when %s is missing",
    async (name) => {
      await loadTls(config(), facts);
      rmSync(pki(name));
      await expect(loadTls(config(), facts)).rejects.toMatchObject({ code: "E_TLS_FILES" });
    },
  );

  it("are refused when both roots left a folder that had them", async () => {
    await loadTls(config(), facts);
    for (const root of ["server-ca", "device-ca"]) for (const end of ["crt", "key"]) rmSync(pki(`${root}.${end}`));
    await expect(loadTls(config(), facts)).rejects.toMatchObject({ code: "E_TLS_FILES", fix: /pin/ });
  });

  it("name the folder that cannot be written", async () => {
    writeFileSync(join(dataDir, "file"), "");
    const blocked = config({ gateway: { dataDir: join(dataDir, "file") } });
    await expect(loadTls(blocked, facts)).rejects.toMatchObject({ code: "E_DATA_DIR" });
    // Where the kernel answers ENOENT to mkdir, Node's recursive one would never return.
    const nowhere = config({ gateway: { dataDir: "/proc/nowhere/data" } });
    await expect(loadTls(nowhere, facts)).rejects.toMatchObject({ code: "E_DATA_DIR" });
  });
});

describe("own certificates", () => {
  it("are read again at every call, and never replace the root of client certificates", async () => {
    const site = await loadTls(config(), facts);
    const [cert, key, ca] = ["own.crt", "own.key", "own-ca.crt"].map((name) => join(dataDir, name));
    if (cert === undefined || key === undefined || ca === undefined || site === null) throw new Error("unreachable");
    writeFileSync(cert, site.cert);
    writeFileSync(key, site.key);
    writeFileSync(ca, site.ca ?? "");
    const own = config({ devices: { tls: { cert, key, ca } }, admin: { tls: { cert, key } } });
    expect(await loadTls(own, facts)).toMatchObject({ cert: site.cert, ca: site.ca, clientCa: site.clientCa });
    expect((await loadAdminTls(own, facts))?.ca).toBeNull();
    writeFileSync(cert, "");
    await expect(loadTls(own, facts)).rejects.toMatchObject({ code: "E_TLS_FILES" });
    writeFileSync(cert, site.clientCa);
    await expect(loadTls(own, facts)).rejects.toThrow(/the key does not belong to the certificate/);
  });

  it("are not asked for when TLS is off", async () => {
    const off = config({ devices: { tls: "off", listen: "127.0.0.1:0" } });
    expect(await loadTls(off, facts)).toBeNull();
    expect(await loadAdminTls(off, facts)).toBeNull();
    expect(existsSync(pki())).toBe(false);
  });
});
