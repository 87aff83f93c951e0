// credential-header.mjs -- what `tidegate device add NAME --json` prints, as a C header for a board's firmware.
//
//   npx tidegate device add uno-1 --json \
//     | node hardware/flash/credential-header.mjs [--host ADDRESS] > secrets.h
//
//   --host   the gateway's address as the board reaches it, when the name in the answer is not one it can look up
//
//   TIDEGATE_ID      who the board is      TIDEGATE_HOST, TIDEGATE_PORT   where its gateway is (not on a serial line)
//   TIDEGATE_TOKEN   its secret            TIDEGATE_CA                    the CA to pin, PEM
//
// The header is a secret like the token in it: keep it out of version control. The token is shown once; a lost one is
// replaced with `tidegate device replace`.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** More than any answer has. */
const INPUT_CHARS_MAX = 64 * 1024;
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
/** What a bearer token may be made of (RFC 6750, section 2.1). */
const TOKEN = /^[A-Za-z0-9._~+/=-]{1,256}$/;
const HOST = /^[A-Za-z0-9.:-]{1,255}$/;
const PEM = /^(-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{1,80}\n)+-----END CERTIFICATE-----\n)+$/;

/** A value that fits its pattern: the text goes into a C string literal as it is. */
function checked(name, value, pattern) {
  if (typeof value !== "string" || !pattern.test(value)) throw new Error(`${name} is missing or not as it should be`);
  return value;
}

/**
 * Makes the header.
 * @param {string} json the answer of `tidegate device add --json`
 * @param {string} [address] takes the place of the host in the answer
 * @returns {string} text of the header
 * @throws Error when it is no such answer
 */
export function credentialHeader(json, address) {
  if (json.length > INPUT_CHARS_MAX) throw new Error("this is too long for a credential");
  const credential = JSON.parse(json);
  const url = new URL(checked("url", credential.url, /^wss?:\/\/.{1,400}$/));
  const host = checked("host", address ?? url.hostname.replace(/^\[|\]$/g, ""), HOST);
  const ca = credential.ca === "" ? "" : checked("ca", `${String(credential.ca).trimEnd()}\n`, PEM);
  const lines = ca.split("\n").slice(0, -1);
  return [
    "/* secrets.h -- who this board is and whom it trusts. A secret: keep it out of version control. */",
    "#ifndef TIDEGATE_SECRETS_H",
    "#define TIDEGATE_SECRETS_H",
    "",
    `#define TIDEGATE_ID "${checked("deviceId", credential.deviceId, ID)}"`,
    `#define TIDEGATE_TOKEN "${checked("token", credential.token, TOKEN)}"`,
    `#define TIDEGATE_HOST "${host}"`,
    `#define TIDEGATE_PORT "${url.port === "" ? "443" : url.port}"`,
    lines.length === 0 ? '#define TIDEGATE_CA ""' : `#define TIDEGATE_CA \\`,
    ...lines.map((line, index) => `  "${line}\\n"${index < lines.length - 1 ? " \\" : ""}`),
    "",
    "#endif",
    "",
  ].join("\n");
}

/** Names that mean this machine itself, or that only computers with mDNS can look up. */
const isOutOfReach = (host) => /^(localhost|127\.[\d.]+|::1|.+\.local)$/.test(host);

function main() {
  const json = readFileSync(0, "utf8");
  try {
    const { values } = parseArgs({ options: { host: { type: "string" } } });
    const header = credentialHeader(json, values.host);
    process.stdout.write(header);
    const host = /TIDEGATE_HOST "(.*)"/.exec(header)?.[1] ?? "";
    if (isOutOfReach(host)) {
      console.error(`note: a board on the network cannot look "${host}" up; name an address: --host 192.168.1.10`);
    }
    return 0;
  } catch (error) {
    console.error(`credential-header: this is not what a gateway answers: ${error.message}`);
    console.error("A board's header is made from the answer to `tidegate device add NAME --json`.");
    console.error("Do: npx tidegate device add uno-1 --json | node hardware/flash/credential-header.mjs > secrets.h");
    return 1;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
