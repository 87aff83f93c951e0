/** Looks at the certificates: the site's own under `<dataDir>/pki`, or files somebody brought. Edge room `cli`. */
import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Config } from "../../config/config.js";
import { errnoOf } from "../../config/locations.js";
import { machineAddresses } from "../../config/machine.js";
import { gatewayNames, namesOf } from "../../enrollment/certificate-names.js";
import { fingerprintOf, type KeyedCertificate, pairProblem, rootProblem } from "../../enrollment/pki.js";
import type { CertificateFacts } from "./facts.js";
import type { ListenerCertificates } from "./probes.js";

const ROOTS = ["server-ca", "device-ca"] as const;
const ROOT_FIX = "restore the pki folder from your copy; a new root would lock out every device that pinned this one";

/** What each listener serves or would serve; private keys are compared and not kept. */
export async function certificateFacts(config: Config): Promise<ListenerCertificates> {
  const { devices, admin } = config;
  const ofDevices = devices.tls.mode === "files" ? await ownFacts(devices.tls, devices.names) : null;
  const ofAdmin = admin.tls.mode === "files" ? await ownFacts({ ...admin.tls, ca: null }, admin.names) : null;
  const site = devices.tls.mode === "site" || admin.tls.mode === "site" ? await siteFacts(config) : null;
  return devices.tls.mode === "off"
    ? { devices: null, admin: ofAdmin ?? site }
    : { devices: ofDevices ?? site, admin: ofAdmin ?? (devices.tls.mode === "site" ? null : site) };
}

/** The site's root in PEM; null when this user may not read it or it is not there. */
export async function siteRoot(dataDir: string): Promise<string | null> {
  return readFile(join(dataDir, "pki", "server-ca.crt"), "utf8").catch(() => null);
}

async function siteFacts(config: Config): Promise<CertificateFacts> {
  const folder = join(config.gateway.dataDir, "pki");
  if ((await stat(folder).catch(errnoOf)) === "ENOENT") return { state: "absent", path: folder };
  for (const root of ROOTS) {
    const found = await readPair(join(folder, `${root}.crt`), join(folder, `${root}.key`), ROOT_FIX);
    if ("state" in found) return found;
    const problem = rootProblem(found);
    if (problem !== null) return { state: "damaged", path: join(folder, `${root}.crt`), problem, fix: ROOT_FIX };
  }
  const path = join(folder, "gateway.crt");
  // A crash between the two files leaves a key alone; the certificate is issued at the next start.
  if ((await stat(path).catch(errnoOf)) === "ENOENT") return { state: "absent", path };
  const fix = `remove gateway.crt and gateway.key in ${folder}: they are issued anew from the same root`;
  const leaf = await readPair(path, join(folder, "gateway.key"), fix);
  if ("state" in leaf) return leaf;
  const problem = pairProblem(leaf);
  if (problem !== null) return { state: "damaged", path, problem, fix };
  const fingerprint = fingerprintOf((await siteRoot(config.gateway.dataDir)) ?? leaf.certPem);
  return { ...presentFacts(path, leaf.certPem), isSite: true, fingerprint, missingNames: missingOf(leaf, config) };
}

/** Names that the gateway would write into a certificate issued now. */
function missingOf(leaf: KeyedCertificate, config: Config): string[] {
  const configured = [...config.devices.names, ...config.admin.names];
  const wanted = gatewayNames({ hostname: hostname(), addresses: machineAddresses(), configured });
  const carried = new Set(namesOf(new X509Certificate(leaf.certPem)));
  return wanted.filter(
    (name) => !carried.has(isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name),
  );
}

async function ownFacts(
  files: { readonly cert: string; readonly key: string; readonly ca: string | null },
  wanted: readonly string[],
): Promise<CertificateFacts> {
  const fix = `check ${files.cert} and ${files.key}`;
  const pair = await readPair(files.cert, files.key, fix);
  if ("state" in pair) return pair;
  const problem = pairProblem(pair);
  if (problem !== null) return { state: "damaged", path: files.cert, problem, fix };
  const leaf = new X509Certificate(pair.certPem);
  const missingNames = wanted.filter(
    (name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) === undefined,
  );
  return { ...presentFacts(files.cert, pair.certPem), isSite: false, fingerprint: leaf.fingerprint256, missingNames };
}

function presentFacts(path: string, certPem: string) {
  const leaf = new X509Certificate(certPem);
  return {
    state: "present" as const,
    path,
    leafBytes: leaf.raw.length,
    notBeforeUnixMs: Date.parse(leaf.validFrom),
    notAfterUnixMs: Date.parse(leaf.validTo),
    names: namesOf(leaf),
  };
}

async function readPair(cert: string, key: string, fix: string): Promise<KeyedCertificate | CertificateFacts> {
  let path = cert;
  try {
    const certPem = await readFile(cert, "utf8");
    path = key;
    return { certPem, keyPem: await readFile(key, "utf8") };
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EACCES" || code === "EPERM") return { state: "denied", path };
    const problem =
      code === "ENOENT" ? "the file is missing" : `the file cannot be read (${code ?? "no reason given"})`;
    return { state: "damaged", path, problem, fix };
  }
}
