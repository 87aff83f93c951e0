/**
 * Tests a link without a session [P-36]: every binary message comes back as it is.
 *
 *   node echo-client.js wss://gateway.local:8443/v1/device [CA.pem] [COUNT] [BYTES]      token in TIDEGATE_DEVICE_TOKEN
 *
 * The gateway serves it with `devices.testEcho: true`. Prints one line of JSON; exit 1 when
 * something was lost or changed.
 */
import { randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { type WsLinkOptions, wsConnect } from "@tidegate/device-sdk";

export interface EchoResult {
  readonly sent: number;
  readonly same: number;
  readonly changed: number;
  /** Round trip of the middle one, in ms. */
  readonly medianMs: number;
}

const COUNT_DEFAULT = 100;
const BYTES_DEFAULT = 64;
/** How long one echo may take, in ms. */
const ECHO_TIMEOUT_MS = 10_000;

/**
 * Send `count` random messages one after the other, each when the one before came back.
 *
 * @throws Error when the link cannot be opened, ends early, or an echo takes longer than 10 s
 */
export function echo(options: WsLinkOptions, count: number, bytes: number): Promise<EchoResult> {
  return new Promise((resolve, reject) => {
    const roundTripsMs: number[] = [];
    let changed = 0;
    let sent = Buffer.alloc(0);
    let sentAtMs = 0;
    const fail = (why: string): void => {
      clearTimeout(timer);
      link.abort();
      reject(new Error(why));
    };
    const timer = setTimeout(() => fail(`no echo within ${ECHO_TIMEOUT_MS} ms`), ECHO_TIMEOUT_MS);
    const send = (): void => {
      timer.refresh();
      sent = randomBytes(bytes);
      sentAtMs = performance.now();
      if (!link.send(sent)) fail("the link took nothing");
    };
    const link = wsConnect({ ...options, subprotocol: "tidegate.echo" })({
      opened: send,
      writable: () => {},
      closed: ({ detail }) => fail(detail),
      frame: (back) => {
        roundTripsMs.push(performance.now() - sentAtMs);
        if (!sent.equals(back)) changed++;
        if (roundTripsMs.length < count) return send();
        clearTimeout(timer);
        link.close(1000);
        const median = roundTripsMs.sort((a, b) => a - b)[Math.floor(count / 2)] ?? 0;
        resolve({ sent: count, same: count - changed, changed, medianMs: Math.round(median * 1000) / 1000 });
      },
    });
  });
}

// Linked packages are started by another name than their own: the real paths are compared.
if (import.meta.url === pathToFileURL(realpathSync(process.argv[1] ?? ".")).href) {
  const [url, caPath, count = String(COUNT_DEFAULT), bytes = String(BYTES_DEFAULT)] = process.argv.slice(2);
  if (url === undefined) {
    console.error("usage: node echo-client.js URL [CA.pem] [COUNT] [BYTES]");
    process.exitCode = 2;
  } else {
    const token = process.env["TIDEGATE_DEVICE_TOKEN"];
    const ca = caPath === undefined ? undefined : await readFile(caPath, "utf8");
    const options = { url, ...(token === undefined ? {} : { token }), ...(ca === undefined ? {} : { ca }) };
    try {
      const result = await echo(options, Number(count), Number(bytes));
      console.log(JSON.stringify(result));
      process.exitCode = result.changed === 0 ? 0 : 1;
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  }
}
