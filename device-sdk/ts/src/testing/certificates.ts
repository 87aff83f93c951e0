/** Throw-away certificate authorities for tests of trust, made in memory. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const NOT_BEFORE = new Date("2020-01-01T00:00:00Z");
const NOT_AFTER = new Date("2099-12-31T00:00:00Z");

export interface TestCa {
  readonly pem: string;
  /** A server certificate with these DNS names, signed by this CA. */
  issue(...names: string[]): Promise<{ cert: string; key: string }>;
}

export async function makeCa(name: string): Promise<TestCa> {
  x509.cryptoProvider.set(webcrypto);
  const keys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: `CN=${name}`,
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
  });
  return { pem: ca.toString("pem"), issue: (...names) => issue(ca, keys.privateKey, names) };
}

async function issue(ca: x509.X509Certificate, signingKey: webcrypto.CryptoKey, names: readonly string[]) {
  const keys = await newKeys();
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: "02",
    subject: `CN=${names[0]}`,
    issuer: ca.subject,
    notBefore: NOT_BEFORE,
    notAfter: NOT_AFTER,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const key = x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
  return { cert: leaf.toString("pem"), key };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  const keys = webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  return keys as Promise<webcrypto.CryptoKeyPair>; // ECDSA gives a pair
}
