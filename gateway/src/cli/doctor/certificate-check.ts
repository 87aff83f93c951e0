/** The certificate devices meet: its root, its names and its end. Edge room `cli`, pure. */
import { span } from "../quantities.js";
import { type Check, fail, ok, skipped, warn } from "./check.js";
import type { CertificateFacts } from "./facts.js";

/** Own certificates are renewed by somebody, who wants to hear of it this long before. */
const EXPIRY_NOTICE_MS = 14 * 86_400_000;

const NAMES_SHOWN_MAX = 6;

/**
 * The smallest record a board asks for is 1024 bytes, ten of which the certificate's message takes for itself. mbedTLS
 * before 3.6.3 cannot put a message together that came in several records (Mbed-TLS/mbedtls#1840).
 */
const LEAF_BYTES_MAX = 1014;

export interface CertificateUse {
  readonly unixMs: number;
  /** A gateway serves the certificate now; it looks for new names when it starts and on SIGHUP. */
  readonly isRunning: boolean;
}

/** @param facts null: TLS is off. */
export function certificateCheck(
  name: string,
  facts: CertificateFacts | null,
  { unixMs, isRunning }: CertificateUse,
): Check {
  if (facts === null) return skipped(name, "TLS is off");
  switch (facts.state) {
    case "absent":
      return skipped(name, "made at the first start");
    case "denied":
      return skipped(name, `${facts.path} may not be read by this user`, "run `tidegate doctor` with sudo");
    case "damaged":
      return fail(name, `${facts.path}: ${facts.problem}`, facts.fix);
    case "present":
      return lifetimeCheck(name, facts, unixMs) ?? sizeCheck(name, facts) ?? namesCheck(name, facts, isRunning);
  }
}

type Present = Extract<CertificateFacts, { state: "present" }>;

function lifetimeCheck(name: string, facts: Present, unixMs: number): Check | null {
  const { path, isSite, notBeforeUnixMs, notAfterUnixMs } = facts;
  if (unixMs < notBeforeUnixMs) {
    const detail = `${path} is valid from ${day(notBeforeUnixMs)} only, and it is ${day(unixMs)} here`;
    return fail(name, detail, "check this machine's clock");
  }
  const leftMs = notAfterUnixMs - unixMs;
  if (leftMs <= 0) {
    const fix = isSite ? "restart the gateway: it issues a new one" : "renew it, then restart the gateway";
    return fail(name, `${path} ended on ${day(notAfterUnixMs)}`, `check this machine's clock; ${fix}`);
  }
  if (leftMs > EXPIRY_NOTICE_MS) return null;
  const fix = isSite ? "restart the gateway: it issues a new one" : "renew it, then send the gateway a SIGHUP";
  return warn(name, `${path} ends in ${span(leftMs)}`, fix);
}

/** Only the site's own: who brings certificates has public roots in mind, and boards that ask for larger records. */
function sizeCheck(name: string, { path, isSite, leafBytes, names }: Present): Check | null {
  if (!isSite || leafBytes <= LEAF_BYTES_MAX) return null;
  const size = `${path} has ${leafBytes} bytes for ${names.length} names`;
  const detail = `${size}: too many for boards that ask for small records`;
  return warn(
    name,
    detail,
    "drop names that no device uses (devices.names), or build boards for records of 2048 bytes",
  );
}

function namesCheck(name: string, facts: Present, isRunning: boolean): Check {
  const { path, isSite, missingNames, names, fingerprint, notAfterUnixMs } = facts;
  const root = isSite ? "root SHA-256" : "SHA-256";
  const detail = `${root} ${fingerprint} · until ${day(notAfterUnixMs)} · ${list(names)}`;
  if (missingNames.length === 0) return ok(name, detail);
  const missing = `${path} does not name ${list(missingNames)}`;
  if (!isSite) {
    return warn(name, missing, "have it issued with those names, or have devices use one it carries (devices.names)");
  }
  if (!isRunning) return ok(name, `${detail}; ${list(missingNames)} is added at the next start`);
  return warn(name, missing, "restart the gateway or send it a SIGHUP: it is issued anew from the same root");
}

const day = (unixMs: number): string => new Date(unixMs).toISOString().slice(0, 10);

function list(names: readonly string[]): string {
  const more = names.length > NAMES_SHOWN_MAX ? ` and ${names.length - NAMES_SHOWN_MAX} more` : "";
  return names.slice(0, NAMES_SHOWN_MAX).join(", ") + more;
}
