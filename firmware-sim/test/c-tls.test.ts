/**
 * The C edition over wss, as a microcontroller would: its POSIX port below, mbedTLS in the middle, the real gateway's
 * listener at the other end, and a relay between that measures TLS records.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { Child, until } from "../src/rehearse/child.js";
import type { Credential } from "../src/rehearse/gateway-process.js";
import { startGateway, type TestGateway } from "./bench-gateway.js";
import { RecordTap } from "./record-tap.js";

const SDK = fileURLToPath(new URL("../../device-sdk/c", import.meta.url));
const BUILD_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 60_000;
/** What the device asks for. scripts/c-tls-heap.mjs names another, and a demo with an mbedTLS that has no room for more. */
const FRAGMENT_BYTES = Number(process.env.TIDEGATE_DEMO_FRAGMENT ?? 1024);
const OTHER_DEMO = process.env.TIDEGATE_DEMO_TLS;
/** Longer than a record of 1024 may be, so that the gateway has to cut it. */
const MESSAGE_BYTES = 1_500;
/** Nonce, tag, padding: what TLS 1.2 may add to the payload of a record that we see encrypted. */
const RECORD_OVERHEAD_BYTES = 64;
/** mbedTLS as Debian builds it has two buffers of 16 KiB; a port that leaked would pass this within a few sessions. */
const HEAP_BYTES_MAX = 64 * 1024;
/** MBEDTLS_X509_BADCERT_NOT_TRUSTED and MBEDTLS_X509_BADCERT_CN_MISMATCH. */
const NOT_TRUSTED = 0x08;
const NAME_MISMATCH = 0x04;

const withTls = requires("gcc", "make", "/usr/include/mbedtls/ssl.h");

/** Built where no other test builds. */
const build = mkdtempSync(join(tmpdir(), "tidegate-c-tls-"));
let site: TestGateway;
let tap: RecordTap;
const children: Child[] = [];
let number = 0;

/** What the demo's last line about TLS said. */
function tlsFacts(demo: Child) {
  const line = [...demo.words.matchAll(/^tls (.*)$/gm)].at(-1)?.[1] ?? "";
  const fact = (name: string): number => Number(new RegExp(`\\b${name}=(\\w+)`).exec(line)?.[1] ?? Number.NaN);
  return {
    handshakes: fact("handshakes"),
    resumed: fact("resumed"),
    refused: fact("refused"),
    flags: fact("flags"),
    heapPeakBytes: fact("heap_peak"),
  };
}

function start({ deviceId, token, ca }: Credential, ...more: string[]): Child {
  const caFile = join(site.dir, `${deviceId}.pem`);
  writeFileSync(caFile, ca);
  const line = ["--wss", "127.0.0.1", String(tap.port), "--ca", caFile, "--fragment", String(FRAGMENT_BYTES)];
  const demo = new Child(
    OTHER_DEMO ?? join(build, "native-demo-tls"),
    ["--id", deviceId, "--interval-ms", "50", ...line, ...more],
    {
      env: { ...process.env, TIDEGATE_TOKEN: token },
    },
  );
  children.push(demo);
  return demo;
}

const newDevice = (): Promise<Credential> => site.gateway.addDevice(`secure-${++number}`);
const shown = async (device: string) => (await site.gateway.call("GET", `/api/v1/devices/${device}`)).body;

async function isOnline(demo: Child, deviceId: string): Promise<boolean> {
  if (!demo.isRunning) throw new Error(`the demo ended: ${demo.words}`);
  return (await shown(deviceId)).online === true;
}

async function echo(device: string, args: object) {
  const { body } = await site.gateway.call("POST", `/api/v1/devices/${device}/commands`, { name: "echo", args });
  const show = async () => (await site.gateway.call("GET", `/api/v1/commands/${body.commandId}`)).body;
  await until("the command has ended", async () => ["succeeded", "failed"].includes((await show()).state));
  return (await show()).result;
}

/** Refused for good at the first attempt, and when it is made to try again: nothing is remembered in its favour. */
async function isRefusedTwice(demo: Child, deviceId: string, flag: number): Promise<void> {
  await until("it is refused", () => tlsFacts(demo).refused === 1);
  demo.process.kill("SIGUSR1");
  await until("it is refused again", () => tlsFacts(demo).refused === 2);
  expect(tlsFacts(demo)).toMatchObject({ handshakes: 0, resumed: 0 });
  expect(tlsFacts(demo).flags & flag).toBe(flag);
  // 3 is TG_REASON_BAD_CREDENTIAL: the SDK leaves the gateway alone for an hour.
  expect(demo.words.match(/^refused 3$/gm)).toHaveLength(2);
  expect((await shown(deviceId)).online).toBe(false);
}

withTls.describe("the C edition over wss through the real gateway", () => {
  beforeAll(async () => {
    const env = { ...process.env, MAKEFLAGS: "" };
    const args = ["--no-print-directory", "-C", SDK, `BUILD=${build}`, "demo-tls"];
    if (OTHER_DEMO === undefined) execFileSync(withTls.path("make"), args, { env, stdio: "pipe" });
    site = await startGateway();
    tap = await RecordTap.listen(site.gateway.devicesPort);
  }, BUILD_TIMEOUT_MS);
  afterEach(async () => {
    for (const child of children.splice(0)) await child.stop();
  });
  afterAll(async () => {
    tap.close();
    await site.end();
    rmSync(build, { recursive: true, force: true });
  });

  withTls.it(
    "brings telemetry and answers, in records no larger than it asked for, and comes back with a resumed session",
    async () => {
      const credential = await newDevice();
      const { deviceId } = credential;
      const demo = start(credential);
      await until("it is online", () => isOnline(demo, deviceId));
      await until("it reports", async () => (await shown(deviceId)).latest.length >= 3);
      const args = { text: "x".repeat(MESSAGE_BYTES) };
      const recordsBefore = tap.fromGateway.applicationRecords;
      expect(await echo(deviceId, args)).toEqual(args);
      if (MESSAGE_BYTES > FRAGMENT_BYTES) {
        expect(tap.fromGateway.applicationRecords).toBeGreaterThan(recordsBefore + 1);
      }
      for (const { largestBytes } of [tap.fromGateway, tap.fromDevice]) {
        expect(largestBytes).toBeLessThanOrEqual(FRAGMENT_BYTES + RECORD_OVERHEAD_BYTES);
        expect(largestBytes).toBeGreaterThan(Math.min(FRAGMENT_BYTES, MESSAGE_BYTES) / 2);
      }
      expect(tlsFacts(demo)).toMatchObject({ handshakes: 1, resumed: 0, refused: 0 });

      const ackedBefore = (await shown(deviceId)).ackedSeq;
      await site.gateway.kill();
      await site.gateway.start();
      // The first call may still take a connection to the gateway that was killed.
      const isBack = async (): Promise<boolean> => {
        const { online, ackedSeq } = await shown(deviceId);
        return online === true && ackedSeq > ackedBefore + 5;
      };
      await until("it is back by itself", () => isBack().catch(() => false));
      const facts = tlsFacts(demo);
      expect(facts).toMatchObject({ handshakes: 2, resumed: 1, refused: 0 });
      expect(facts.heapPeakBytes).toBeLessThan(HEAP_BYTES_MAX);
      expect(await echo(deviceId, { on: true })).toEqual({ on: true });
      console.info(`mbedTLS held ${facts.heapPeakBytes} bytes of heap at most`);
    },
    RUN_TIMEOUT_MS,
  );

  const refusesStranger = async (): Promise<void> => {
    const [credential, other] = [await newDevice(), await startGateway()];
    try {
      const { ca } = await other.gateway.addDevice("elsewhere");
      const demo = start({ ...credential, ca });
      await isRefusedTwice(demo, credential.deviceId, NOT_TRUSTED);
    } finally {
      await other.end();
    }
  };
  const refusesOtherName = async (): Promise<void> => {
    const credential = await newDevice();
    const demo = start(credential, "--host", "elsewhere.tidegate.internal");
    await isRefusedTwice(demo, credential.deviceId, NAME_MISMATCH);
  };

  const twice = "and refuses it again";
  withTls.it(`refuses a gateway of another CA than the pinned one, ${twice}`, refusesStranger, RUN_TIMEOUT_MS);
  withTls.it(`refuses a gateway of the pinned CA that has another name, ${twice}`, refusesOtherName, RUN_TIMEOUT_MS);
});
