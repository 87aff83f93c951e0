/** Whatever comes in wrong gets its own clear answer, and nothing else breaks. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Reason } from "@tidegate/proto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../src/rehearse/free-port.js";
import { type Credential, type GatewayProcess, gatewayBin } from "../src/rehearse/gateway-process.js";
import { startGateway, type TestGateway } from "./bench-gateway.js";
import { RawDevice, type RawOptions } from "./raw-device.js";

let bench: TestGateway;
let gateway: GatewayProcess;
let witness: RawDevice;
let credential: Credential;
let witnessSeq = 0;
const open: RawDevice[] = [];

beforeAll(async () => {
  bench = await startGateway();
  gateway = bench.gateway;
  credential = await gateway.addDevice("culprit");
  witness = new RawDevice(await gateway.addDevice("witness"));
  await witness.greet();
});

/** After every mischief another device still gets its data acked. */
afterEach(async () => {
  for (const device of open.splice(0)) device.end();
  witness.telemetry(++witnessSeq, witnessSeq);
  const deadline = performance.now() + 10_000;
  while ((witness.heard.filter((m) => m.kind === "ack").at(-1)?.ack.seq ?? 0) < witnessSeq) {
    if (performance.now() > deadline) throw new Error("the witness was not acked: something else broke");
    await new Promise((resolve) => setImmediate(resolve));
  }
});

afterAll(() => bench.end());

function culprit(options: RawOptions = {}): RawDevice {
  const device = new RawDevice(credential, options);
  open.push(device);
  return device;
}

async function refused(options: RawOptions): Promise<RawDevice> {
  const device = culprit(options);
  await expect(device.opened).rejects.toThrow();
  return device;
}

const byeReason = (device: RawDevice) => device.last("bye").bye.reason;

describe("at the door", () => {
  it("answers a wrong and a missing token with 401 before the upgrade", async () => {
    expect((await refused({ token: "tg_wrong" })).refusedWith).toBe(401);
    const none = await refused({ token: null });
    expect(none.refusedWith).toBe(401);
    expect(none.refusalText).toContain("Authorization: Bearer");
  });

  it("answers a wrong subprotocol with 400 and names the right one", async () => {
    const device = await refused({ subprotocol: "mqtt" });
    expect(device.refusedWith).toBe(400);
    expect(device.refusalText).toContain("tidegate.v1");
  });

  it("refuses the page of another site with 403", async () => {
    expect((await refused({ headers: { origin: "https://evil.example" } })).refusedWith).toBe(403);
  });

  it("is not trusted by a device that pinned another CA, at the second attempt neither", async () => {
    const other = await startGateway();
    try {
      const { ca } = await other.gateway.addDevice("x");
      for (let attempt = 0; attempt < 2; attempt++) expect((await refused({ ca })).refusedWith).toBeNull();
    } finally {
      await other.end();
    }
  });
});

describe("in the session", () => {
  it("ends a text message with a protocol violation", async () => {
    const device = culprit();
    await device.greet();
    device.socket.send("hello?");
    expect(await device.closes()).toBe(4000 + Reason.PROTOCOL_VIOLATION);
  });

  it("ends a message of a megabyte with 1009 without reading it", async () => {
    const device = culprit();
    await device.greet();
    device.socket.send(Buffer.alloc(1024 * 1024));
    expect(await device.closes()).toBe(1009);
  });

  it("ends garbage and truncated protobuf with what is wrong", async () => {
    for (const bytes of [Buffer.from("ffffffffff", "hex"), Buffer.from("0801", "hex").subarray(0, 1)]) {
      const device = culprit();
      await device.greet();
      device.socket.send(bytes);
      await device.closes();
      expect(byeReason(device)).toBe(Reason.MALFORMED);
      expect(device.last("bye").bye.detail).toContain("decoded");
    }
  });

  it("ends a gap that reaches below the first number, and moves nothing [P-2]", async () => {
    const device = culprit();
    const { epoch } = await device.greet();
    device.telemetry(5, 1, 5);
    await device.closes();
    expect(byeReason(device)).toBe(Reason.PROTOCOL_VIOLATION);
    const again = culprit();
    const welcome = await again.greet({ epoch, attempt: 2, nextSeq: 1 });
    expect(welcome.ackedSeq).toBe(0);
  });

  it("refuses a Hello for another device's id", async () => {
    const device = culprit();
    await device.opened;
    device.hello({ deviceId: "witness" });
    await device.closes();
    expect(byeReason(device)).toBe(Reason.BAD_CREDENTIAL);
  });

  it("refuses a Hello that contradicts itself and one of a later protocol", async () => {
    const contradicts = culprit();
    await contradicts.opened;
    contradicts.hello({ epoch: 99, nextSeq: 3, oldest: 9 });
    await contradicts.closes();
    expect(byeReason(contradicts)).toBe(Reason.PROTOCOL_VIOLATION);
    const later = culprit();
    await later.opened;
    later.hello({ protocol: 2 });
    await later.closes();
    expect(byeReason(later)).toBe(Reason.UNSUPPORTED_PROTOCOL);
  });

  it("says goodbye to nobody who only connects and stays silent, but counts the link", async () => {
    const device = culprit();
    await device.opened;
    const { text } = await metrics();
    expect(text).toMatch(/^tidegate_sessions 2$/m);
  });
});

async function metrics(): Promise<{ text: string }> {
  const response = await fetch(`${gateway.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${gateway.adminToken}` },
  });
  return { text: await response.text() };
}

describe("in the API", () => {
  it("refuses device ids that would break topics, and says what is allowed", async () => {
    for (const deviceId of ["a/b", "a#b", "a+b", "", "-a", "x".repeat(64)]) {
      const { status, body } = await gateway.call("POST", "/api/v1/devices", { deviceId });
      expect(status, deviceId).toBe(400);
      expect(body.error.fix).not.toBe("");
    }
  });

  it("answers nothing but health and login without a credential", async () => {
    for (const path of ["/api/v1/status", "/api/v1/devices", "/metrics", "/api/v1/live/sse"]) {
      expect((await fetch(`${gateway.adminUrl}${path}`)).status, path).toBe(401);
    }
    expect((await fetch(`${gateway.adminUrl}/healthz`)).status).toBe(200);
  });
});

describe("at the start", () => {
  const dir = mkdtempSync(join(tmpdir(), "tidegate-start-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** Run a gateway that should refuse to start; its exit code and its three lines. */
  function start(config: string, options: { uid?: number } = {}): { code: number | null; lines: string[] } {
    const file = join(dir, "tidegate.yaml");
    writeFileSync(file, config);
    const run = spawnSync(process.execPath, [gatewayBin(), "run", "--config", file], {
      encoding: "utf8",
      timeout: 20_000,
      ...options,
    });
    return { code: run.status, lines: run.stderr.trim().split("\n") };
  }

  it("names an unknown key with its place and the key that was meant", () => {
    const { code, lines } = start("version: 1\ndevices:\n  listne: 127.0.0.1:0\n");
    expect(code).toBe(78);
    expect(lines.join("\n")).toMatch(/E_CONFIG_INVALID/);
    expect(lines.join("\n")).toMatch(/tidegate\.yaml:3:3/);
    expect(lines.join("\n")).toMatch(/listen/);
  });

  it("names a busy port and how to find who has it", async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    try {
      const { code, lines } = start(
        `version: 1\ngateway: { dataDir: ./busy }\ndevices: { listen: "127.0.0.1:${port}" }\nadmin: { listen: "127.0.0.1:0" }\n`,
      );
      expect(code).toBe(75);
      expect(lines.join("\n")).toMatch(/E_PORT_BUSY/);
      expect(lines.join("\n")).toContain(String(port));
      expect(lines.join("\n")).toContain("ss -ltnp");
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("names a data folder that cannot be used", () => {
    mkdirSync(join(dir, "file-not-folder"), { recursive: true });
    writeFileSync(join(dir, "file-not-folder", "data"), "");
    const { code, lines } = start(
      "version: 1\ngateway: { dataDir: ./file-not-folder/data }\nadmin: { listen: 127.0.0.1:0 }\n",
    );
    expect(code).toBe(74);
    expect(lines.join("\n")).toMatch(/E_DATA_DIR/);
  });

  it("names a data folder it may not write, as an ordinary user", () => {
    const locked = join(dir, "locked");
    mkdirSync(locked, { recursive: true });
    chmodSync(locked, 0o500);
    chmodSync(dir, 0o755);
    const asNobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    const { code, lines } = start("version: 1\ngateway: { dataDir: ./locked/data }\n", asNobody);
    expect(code).toBe(74);
    expect(lines.join("\n")).toMatch(/may not write/);
  });

  it("refuses a second gateway on the same data folder", () => {
    const { code, lines } = start(
      `version: 1\ngateway: { dataDir: "${gateway.dataDir}" }\ndevices: { listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:0 }\n`,
    );
    expect(code).toBe(75);
    expect(lines.join("\n")).toMatch(/E_DATA_DIR_LOCKED/);
  });

  it("prints three lines: what, why, do this", () => {
    const { lines } = start("version: 1\ngateway: { dataDir: ./file-not-folder/data }\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^error: E_/);
    expect(lines[1]).toMatch(/^ {2}why: /);
    expect(lines[2]).toMatch(/^ {2}do: {2}/);
  });
});
