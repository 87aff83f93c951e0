/**
 * The TLS key and certificate of a listener, read from files; the site's own are made here at the first run.
 * Edge room `config`; `enrollment/pki.ts` makes the certificates.
 *
 *   <dataDir>/pki/   server-ca.crt .key   device-ca.crt .key    made together, once: the folder appears whole
 *                    gateway.crt .key                           issued anew when names change
 *                    ticket.key                                 48 bytes; devices resume after a restart
 *
 * The roots cannot be replaced: their pins sit in the flash of devices. So a missing, empty or damaged file beside
 * others is an error with advice and never made anew in silence.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { Random } from "../core/random.js";
import { gatewayNames } from "../enrollment/certificate-names.js";
import {
  fingerprintOf,
  issueGatewayLeaf,
  type KeyedCertificate,
  makeRoot,
  needsReissue,
  pairProblem,
  rootProblem,
} from "../enrollment/pki.js";
import type { Config } from "./config.js";
import { makeFolderDurably, makeFolders, readIfThere, writeFileDurably } from "./durable-file.js";

/** Bytes of a TLS ticket key, as Node's `ticketKeys` wants them. */
export const TICKET_KEY_BYTES = 48;

/** Certificate files are small; a larger one is a mistake. */
const PEM_BYTES_MAX = 1024 * 1024;

const PKI = "pki";
const ROOTS = ["server-ca", "device-ca"] as const;

/** What a TLS listener needs. `ca` is given to devices, `clientCa` checks client certificates. */
export interface TlsMaterial {
  /** PEM. A secret. */
  readonly key: string;
  /** PEM, leaf first. */
  readonly cert: string;
  /** PEM of the root that devices pin; null: devices trust the certificate by what they know already. */
  readonly ca: string | null;
  /** PEM of the root of client certificates, never the one above. */
  readonly clientCa: string;
  /** 48 bytes for Node's `ticketKeys`. A secret. */
  readonly ticketKeys: Buffer;
  /** SHA-256 of `ca` (of the leaf without one) as colon-separated hex. */
  readonly fingerprint: string;
}

/** What making and naming certificates needs of the machine. */
export interface TlsFacts {
  readonly random: Random;
  readonly clock: Clock;
  readonly hostname: string;
  /** Addresses of this machine's interfaces now. */
  readonly addresses: readonly string[];
}

/**
 * Key and certificate for devices; null when `devices.tls` is off. Call it again on SIGHUP: own files are read anew,
 * the site's leaf is issued anew when names changed. Errors: E_TLS_FILES, E_DATA_DIR; keep what you had then.
 */
export async function loadTls(config: Config, facts: TlsFacts): Promise<TlsMaterial | null> {
  const { tls } = config.devices;
  if (tls.mode === "off") return null;
  const site = await openSite(config, facts);
  return tls.mode === "site" ? site : ownMaterial(tls.cert, tls.key, tls.ca, site);
}

/** Key and certificate of the dashboard and the API; null when it speaks plain HTTP. Otherwise as `loadTls`. */
export async function loadAdminTls(config: Config, facts: TlsFacts): Promise<TlsMaterial | null> {
  const { tls } = config.admin;
  if (tls.mode === "off") return null;
  const site = await openSite(config, facts);
  return tls.mode === "site" ? site : ownMaterial(tls.cert, tls.key, null, site);
}

async function openSite(config: Config, facts: TlsFacts): Promise<TlsMaterial> {
  const folder = join(config.gateway.dataDir, PKI);
  return withDataDirErrors(folder, async () => {
    makeFolders(config.gateway.dataDir, 0o750);
    if (ROOTS.every((root) => readIfThere(join(folder, `${root}.crt`)) === null)) await makeRoots(folder, facts.random);
    const [server, device] = ROOTS.map((root) => readPair(folder, root, ROOT_FIX));
    if (server === undefined || device === undefined) throw new TypeError("two roots are named above");
    for (const [name, root] of [[ROOTS[0], server] as const, [ROOTS[1], device] as const]) {
      const problem = rootProblem(root);
      if (problem !== null) throw damaged(join(folder, name), problem, ROOT_FIX);
    }
    const leaf = await openLeaf(folder, server, gatewayNamesOf(config, facts), facts);
    return {
      key: leaf.keyPem,
      cert: leaf.certPem,
      ca: server.certPem,
      clientCa: device.certPem,
      ticketKeys: openTicketKey(folder, facts.random),
      fingerprint: fingerprintOf(server.certPem),
    };
  });
}

function gatewayNamesOf(config: Config, facts: TlsFacts): string[] {
  const configured = [...config.devices.names, ...config.admin.names];
  return gatewayNames({ hostname: facts.hostname, addresses: facts.addresses, configured });
}

const ROOT_FIX = "restore the pki folder from your copy; a new root would lock out every device that pinned this one";

async function makeRoots(folder: string, random: Random): Promise<void> {
  const server = await makeRoot("server", random);
  const device = await makeRoot("device", random);
  const files = new Map([
    ["server-ca.crt", server.certPem],
    ["server-ca.key", server.keyPem],
    ["device-ca.crt", device.certPem],
    ["device-ca.key", device.keyPem],
  ]);
  try {
    makeFolderDurably(folder, files);
  } catch (error) {
    // The folder was there with other things in it: both roots are missing from a folder that had them.
    if (readIfThere(join(folder, "gateway.crt")) !== null || readIfThere(join(folder, "server-ca.key")) !== null) {
      throw damaged(folder, "the roots are missing", ROOT_FIX);
    }
    throw error;
  }
}

async function openLeaf(
  folder: string,
  root: KeyedCertificate,
  names: readonly string[],
  facts: TlsFacts,
): Promise<KeyedCertificate> {
  const advice = `remove gateway.crt and gateway.key in ${folder}: they are issued anew from the same root`;
  const known = readIfThere(join(folder, "gateway.crt")) === null ? null : readPair(folder, "gateway", advice);
  const problem = known === null ? null : pairProblem(known);
  if (problem !== null) throw damaged(join(folder, "gateway.crt"), problem, advice);
  if (known !== null && !needsReissue(known.certPem, root.certPem, names, facts.clock.unixMs())) return known;
  // A key without a certificate is what a crash between the two files left: keep it.
  const keyPem = known?.keyPem ?? readIfThere(join(folder, "gateway.key"))?.toString("utf8") ?? null;
  const leaf = await issueGatewayLeaf({ root, names, keyPem: keyPem === "" ? null : keyPem }, facts.random);
  writeFileDurably(join(folder, "gateway.key"), leaf.keyPem);
  writeFileDurably(join(folder, "gateway.crt"), leaf.certPem);
  return leaf;
}

function openTicketKey(folder: string, random: Random): Buffer {
  const path = join(folder, "ticket.key");
  const known = readIfThere(path);
  if (known === null) {
    const key = Buffer.from(random.bytes(TICKET_KEY_BYTES));
    writeFileDurably(path, key);
    return key;
  }
  if (known.length !== TICKET_KEY_BYTES || known.every((byte) => byte === 0)) {
    const why = `it holds ${known.length} bytes instead of ${TICKET_KEY_BYTES} random ones`;
    throw damaged(path, why, `remove ${path}: a new one is made, and devices pay one full handshake`);
  }
  return known;
}

function readPair(folder: string, name: string, fix: string): KeyedCertificate {
  return { certPem: readPem(join(folder, `${name}.crt`), fix), keyPem: readPem(join(folder, `${name}.key`), fix) };
}

function readPem(path: string, fix = "check the path, the file and its permissions"): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error), fix);
  }
  if (bytes.length === 0) throw damaged(path, "the file is empty", fix);
  if (bytes.length > PEM_BYTES_MAX) throw damaged(path, "the file is too large", fix);
  return bytes.toString("utf8");
}

/** Own certificate files; the site's roots stay in use for client certificates and tickets. */
function ownMaterial(certPath: string, keyPath: string, caPath: string | null, site: TlsMaterial): TlsMaterial {
  const pair = { certPem: readPem(certPath), keyPem: readPem(keyPath) };
  const problem = pairProblem(pair);
  if (problem !== null) throw damaged(certPath, problem, `check ${certPath} and ${keyPath}`);
  const ca = caPath === null ? null : readPem(caPath);
  if (ca !== null && !isPem(ca))
    throw damaged(caPath ?? "", "the certificate is not PEM, or is damaged", "name a PEM file");
  return {
    key: pair.keyPem,
    cert: pair.certPem,
    ca,
    clientCa: site.clientCa,
    ticketKeys: site.ticketKeys,
    fingerprint: fingerprintOf(ca ?? pair.certPem),
  };
}

function isPem(text: string): boolean {
  try {
    return new X509Certificate(text).fingerprint256 !== "";
  } catch {
    return false;
  }
}

function damaged(path: string, why: string, fix: string): GatewayError {
  return new GatewayError("E_TLS_FILES", `${path}: ${why}`, { fix });
}

async function withDataDirErrors<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new GatewayError("E_DATA_DIR", `${folder}: ${why}`, { cause: error });
  }
}
