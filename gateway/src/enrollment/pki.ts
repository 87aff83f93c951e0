/**
 * The site's certificates, made in memory: two roots and the gateway's leaf. Domain room `enrollment`; files are the
 * business of `config/tls-files.ts`.
 *
 *   server-ca ──signs──▶ gateway leaf (EKU serverAuth, constant name)      pinned in every device's flash
 *   device-ca ──signs──▶ client certificates only                          two roots, so that a device's certificate
 *                                                                          can never pass for the gateway
 *
 * Validity: every certificate runs from 2020-01-01 to 9999-12-31. Devices have no clock when they connect first, and
 * a gateway without a battery-backed clock cannot choose a sensible end either: a leaf issued in "1970" would be
 * expired for everybody else. A short life would buy nothing, as the leaf's key lies beside the root's.
 */
import { createPrivateKey, createPublicKey, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { Random } from "../core/random.js";
import { carriesNames } from "./certificate-names.js";

/** RFC 5280 §4.1.2.5: the date that means "no well-defined expiration". */
const NOT_AFTER = new Date("9999-12-31T23:59:59Z");
const NOT_BEFORE = new Date("2020-01-01T00:00:00Z");

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;

/** RFC 5280 allows 20 octets; 16 are unique enough and keep small devices' parsers happy. */
const SERIAL_BYTES = 16;

/** A leaf that ends sooner is issued anew. */
const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certPem: string;
  /** PKCS#8. A secret. */
  readonly keyPem: string;
}

export type RootRole = "server" | "device";

/** The library takes 60 ms and 19 MB: loaded at the first run and when names change, not at every start. */
async function x509() {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

/** A new root. Its key comes from the crypto library, its serial number and name from `random`. */
export async function makeRoot(role: RootRole, random: Random): Promise<KeyedCertificate> {
  const {
    X509CertificateGenerator,
    BasicConstraintsExtension,
    KeyUsagesExtension,
    KeyUsageFlags,
    SubjectKeyIdentifierExtension,
  } = await x509();
  const keys = await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const site = Buffer.from(random.bytes(4)).toString("hex");
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(random),
      name: `CN=Tidegate ${role} CA ${site}`,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      signingAlgorithm: SIGNING_ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: pem(certificate.toString("pem")), keyPem: await privateKeyPem(keys.privateKey) };
}

export interface LeafRequest {
  readonly root: KeyedCertificate;
  /** Names and addresses, the first becomes the common name. At least one. */
  readonly names: readonly string[];
  /** Keep the key of an older leaf, so that whoever pinned the key is not locked out; null: a new key. */
  readonly keyPem: string | null;
}

/** The gateway's certificate: server authentication only, under the given names. */
export async function issueGatewayLeaf(request: LeafRequest, random: Random): Promise<KeyedCertificate> {
  const lib = await x509();
  const issuer = new lib.X509Certificate(request.root.certPem);
  const signingKey = await importPrivateKey(request.root.keyPem);
  const keys =
    request.keyPem === null
      ? await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"])
      : await importKeyPair(request.keyPem);
  const names = request.names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value }));
  const certificate = await lib.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(random),
      subject: `CN=${request.names[0] ?? "gateway"}`,
      issuer: issuer.subject,
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      signingAlgorithm: SIGNING_ALGORITHM,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new lib.BasicConstraintsExtension(false, undefined, true),
        new lib.KeyUsagesExtension(lib.KeyUsageFlags.digitalSignature, true),
        new lib.ExtendedKeyUsageExtension([lib.ExtendedKeyUsage.serverAuth], false),
        new lib.SubjectAlternativeNameExtension(names, false),
        await lib.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await lib.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certPem: pem(certificate.toString("pem")), keyPem: await privateKeyPem(keys.privateKey) };
}

/** Must a leaf be issued anew: other names, another root, or near its end? `unixMs` may be wrong by any amount. */
export function needsReissue(leafPem: string, rootPem: string, names: readonly string[], unixMs: number): boolean {
  const leaf = new X509Certificate(leafPem);
  if (!isSignedBy(leaf, new X509Certificate(rootPem)) || !carriesNames(leaf, names)) return true;
  return Date.parse(leaf.validTo) - unixMs < RENEW_BEFORE_MS;
}

/** What is wrong with a root and its key, in words; null when they can be used. */
export function rootProblem(root: KeyedCertificate): string | null {
  const problem = pairProblem(root);
  if (problem !== null) return problem;
  const certificate = new X509Certificate(root.certPem);
  if (!certificate.ca) return "the certificate is no CA";
  return isSignedBy(certificate, certificate) ? null : "the certificate is not signed by its own key";
}

/** What is wrong with a certificate and its key, in words; null when they belong together. */
export function pairProblem({ certPem, keyPem }: KeyedCertificate): string | null {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certPem);
  } catch {
    return "the certificate is not PEM, or is damaged";
  }
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem)) ? null : "the key does not belong to the certificate";
  } catch {
    return "the key is not PEM, is damaged, or needs a passphrase";
  }
}

/** SHA-256 of a certificate (the first in the PEM) as colon-separated hex, as people compare it. */
export function fingerprintOf(certPem: string): string {
  return new X509Certificate(certPem).fingerprint256;
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** Positive and never 0, as RFC 5280 §4.1.2.2 demands. */
function serialNumber(random: Random): string {
  const bytes = random.bytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

function pem(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

function importPrivateKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ format: "der", type: "pkcs8" });
  return webcrypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, true, ["sign"]);
}

async function importKeyPair(
  keyPem: string,
): Promise<{ privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey }> {
  const der = createPublicKey(keyPem).export({ format: "der", type: "spki" });
  const publicKey = await webcrypto.subtle.importKey("spki", der, KEY_ALGORITHM, true, ["verify"]);
  return { privateKey: await importPrivateKey(keyPem), publicKey };
}
