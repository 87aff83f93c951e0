/**
 * port/mbedtls under the sanitizers, against a TLS server in the same process: links that take a byte at a time, and
 * certificates that must not pass. openssl makes the certificates.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import { requires } from "../../../../scripts/testing/requires.mjs";

const SDK = fileURLToPath(new URL("../..", import.meta.url));
const BUILD_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 60_000;
const NAME = "gateway.tidegate.internal";
/** Flags of mbedTLS: MBEDTLS_X509_BADCERT_EXPIRED and so on. */
const EXPIRED = 0x01;
const NAME_MISMATCH = 0x04;
const NOT_TRUSTED = 0x08;
const EXTENDED_KEY_USAGE = 0x1000;

const withTls = requires("gcc", "openssl", "/usr/include/mbedtls/ssl.h");
const dir = mkdtempSync(join(tmpdir(), "tidegate-tls-"));
const at = (name: string): string => join(dir, name);
const openssl = (...args: string[]): void => void execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });

function makeCa(name: string): void {
  openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);
  const subject = ["-subj", `/CN=${name}`, "-days", "3650"];
  openssl("req", "-x509", "-new", "-key", `${name}.key`, ...subject, "-out", `${name}.pem`);
}

/** A leaf of `ca` with these extensions. */
function makeLeaf(name: string, extensions: string, days = "30", ca = "ca"): void {
  openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);
  openssl("req", "-new", "-key", `${name}.key`, "-subj", `/CN=${name}`, "-out", `${name}.csr`);
  writeFileSync(at(`${name}.ext`), extensions);
  const signer = ["-CA", `${ca}.pem`, "-CAkey", `${ca}.key`, "-CAcreateserial", "-days", days];
  openssl("x509", "-req", "-in", `${name}.csr`, ...signer, "-extfile", `${name}.ext`, "-out", `${name}.pem`);
}

/** What the two attempts came to. */
function connect(leaf: string, { chunk = 1024, clock = false, ca = "ca" } = {}): string[] {
  const args = [at(`${ca}.pem`), at(`${leaf}.pem`), at(`${leaf}.key`), String(chunk), ...(clock ? ["clock"] : [])];
  const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0", LD_PRELOAD: "" };
  return execFileSync(at("test_tls"), args, { env, encoding: "utf8" }).trim().split("\n");
}

const flagsOf = (line: string | undefined): number => Number(/flags=(0x[0-9a-f]+)/.exec(line ?? "")?.[1] ?? -1);

/** Refused for good, twice, with that flag among its reasons. */
function expectRefused(lines: string[], flag: number): void {
  expect(lines).toEqual([expect.stringMatching(/^refused /), expect.stringMatching(/^refused /)]);
  for (const line of lines) expect(flagsOf(line) & flag, line).toBe(flag);
}

withTls.describe("TLS below the C edition", () => {
  beforeAll(() => {
    const sources = [join(SDK, "test/tls/test_tls.c"), join(SDK, "port/mbedtls/tg_mbedtls.c")];
    const sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    const warnings = ["-Wall", "-Wextra", "-Werror"];
    const libraries = ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"];
    execFileSync("gcc", [
      "-std=gnu99",
      "-O1",
      "-g",
      ...warnings,
      ...sanitize,
      ...sources,
      ...libraries,
      "-o",
      at("test_tls"),
    ]);
    makeCa("ca");
    makeCa("stranger");
    const name = `subjectAltName=DNS:${NAME}`;
    makeLeaf("good", `${name}\nextendedKeyUsage=serverAuth\n`);
    makeLeaf("elsewhere", "subjectAltName=DNS:elsewhere.tidegate.internal\nextendedKeyUsage=serverAuth\n");
    makeLeaf("unmarked", `${name}\n`);
    makeLeaf("expired", `${name}\nextendedKeyUsage=serverAuth\n`, "-1");
  }, BUILD_TIMEOUT_MS);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  for (const chunk of [1, 3, 100, 32_000]) {
    withTls.it(
      `carries every byte over a link that takes ${chunk} a call and every other call none, and resumes`,
      () => {
        expect(connect("good", { chunk })).toEqual(["up resumed=0 flags=0x0", "up resumed=1 flags=0x0"]);
      },
      RUN_TIMEOUT_MS,
    );
  }

  withTls.it("refuses a certificate of another CA, and one of another name", () => {
    expectRefused(connect("good", { ca: "stranger" }), NOT_TRUSTED);
    expectRefused(connect("elsewhere"), NAME_MISMATCH);
  });

  // One that says it is for clients is refused by mbedTLS itself, on both sides: this server would not even show it.
  withTls.it("refuses a certificate that does not say what it is for: it may be a device's", () => {
    expectRefused(connect("unmarked"), EXTENDED_KEY_USAGE);
  });

  withTls.it("looks at dates only where there is a clock", () => {
    expect(connect("expired")[0]).toBe("up resumed=0 flags=0x0");
    expectRefused(connect("expired", { clock: true }), EXPIRED);
  });

  withTls.it("does not start with a CA that is none", () => {
    writeFileSync(at("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect(connect("good", { ca: "broken" })).toEqual([expect.stringMatching(/^not started error=-0x[0-9a-f]{4}$/)]);
  });
});
