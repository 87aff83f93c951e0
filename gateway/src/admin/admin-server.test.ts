/** The HTTP API over real sockets and a fake gateway: the contract, route by route. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { COMMAND_STATES } from "../model/command.js";
import { checkExposure, hostAllowed, originAllowed } from "./guard-rules.js";
import { startTestServer, type TestServer, TOKEN } from "./testing/test-server.js";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(() => t.stop());

describe("devices", () => {
  it("lists them with presence, facts, catalog and newest values", async () => {
    t.host.report("attic-7", { temperature: 21.4 });
    const { status, json } = await t.ask("GET", "/api/v1/devices");
    expect(status).toBe(200);
    expect(json.devices).toHaveLength(3);
    expect(json.devices[0]).toMatchObject({
      id: "attic-7",
      name: "Attic",
      online: true,
      presence: "online",
      lastSeen: "2026-04-01T12:00:00.000Z",
      firmware: "1.2.3",
      model: "greenhouse",
      epoch: 77,
      ackedSeq: 12,
      remote: "192.0.2.7",
      connectedSince: "2026-04-01T12:00:00.000Z",
      latest: [{ signal: "temperature", v: 21.4, q: "good", unit: "°C" }],
      signals: [
        { id: 1, key: "temperature", type: "float", kind: "measurement", unit: "°C" },
        { id: 2, key: "door", type: "enum", kind: "state", options: ["closed", "open"] },
      ],
      commands: [{ code: 1, name: "pump", atMostOnce: true, argsHint: '{"seconds":5}' }],
    });
  });

  it("gives them in pages, and says where the next one begins", async () => {
    const idsOf = (json: { devices: { id: string }[] }) => json.devices.map(({ id }) => id);
    const first = (await t.ask("GET", "/api/v1/devices?limit=2")).json;
    expect([idsOf(first), first.next]).toEqual([["attic-7", "bed-1"], "bed-1"]);
    const second = (await t.ask("GET", `/api/v1/devices?limit=2&after=${first.next}`)).json;
    expect([idsOf(second), second.next]).toEqual([["cellar"], null]);
    expect((await t.ask("GET", "/api/v1/devices?limit=0")).status).toBe(400);
  });

  it("sends a backup as a file, and puts it on the audit list", async () => {
    const { status, headers, text } = await t.ask("POST", "/api/v1/backup");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/x-tar");
    expect(headers.get("content-disposition")).toContain("tidegate-attic-pi.tar");
    expect(text).toBe("tar");
    expect(t.host.audits.at(-1)).toContain("backup.create");
  });

  it("adds one and shows its credential once", async () => {
    const { status, json } = await t.ask("POST", "/api/v1/devices", { body: { deviceId: "shed-2", name: "Shed" } });
    expect(status).toBe(201);
    expect(Object.keys(json)).toEqual(["deviceId", "token", "url", "ca"]);
    expect(json.deviceId).toBe("shed-2");
    const { text } = await t.ask("GET", "/api/v1/devices/shed-2");
    expect(text).toContain('"name":"Shed"');
    expect(text).not.toContain("token");
  });

  it("refuses a second one of the same id and an illegal id", async () => {
    const again = await t.ask("POST", "/api/v1/devices", { body: { deviceId: "attic-7" } });
    expect([again.status, again.json.error.code]).toEqual([409, "E_DEVICE_EXISTS"]);
    for (const deviceId of ["a/b", "#", "", "x".repeat(64), "../etc"]) {
      const { status, json } = await t.ask("POST", "/api/v1/devices", { body: { deviceId } });
      expect([status, json.error.code]).toEqual([400, "E_NAME_INVALID"]);
    }
  });

  it("renames, replaces, revokes and forgets", async () => {
    const renamed = await t.ask("PATCH", "/api/v1/devices/cellar", { body: { name: "Wine" } });
    expect(renamed.json.name).toBe("Wine");
    expect((await t.ask("POST", "/api/v1/devices/cellar/credential")).json.token).toBe("tg_secret");
    expect((await t.ask("DELETE", "/api/v1/devices/cellar/credential")).status).toBe(204);
    expect((await t.ask("GET", "/api/v1/devices/cellar")).json.revoked).toBe(true);
    expect((await t.ask("DELETE", "/api/v1/devices/cellar")).status).toBe(204);
    const gone = await t.ask("GET", "/api/v1/devices/cellar");
    expect([gone.status, gone.json.error.code]).toEqual([404, "E_DEVICE_UNKNOWN"]);
    expect(t.host.audits.map((line) => line.split(" ").slice(1).join(" "))).toEqual(
      expect.arrayContaining(["device.rename cellar", "device.revoke cellar", "device.forget cellar"]),
    );
  });

  it("hands a history question on and answers in columns", async () => {
    const path = "/api/v1/devices/attic-7/history?signal=temperature&from=1000&to=5000&points=50";
    const { json } = await t.ask("GET", path);
    expect(json).toMatchObject({ unit: "°C", from: 1000, to: 5000, bucketMs: null, v: [21.4, null] });
    expect(t.host.historyAsked).toEqual({
      device: "attic-7",
      signal: "temperature",
      fromUnixMs: 1000,
      toUnixMs: 5000,
      pointsMax: 50,
    });
    const iso = "from=1970-01-01T00:00:02Z&to=1970-01-01T00:00:09.500Z";
    await t.ask("GET", `/api/v1/devices/attic-7/history?signal=temperature&${iso}`);
    expect(t.host.historyAsked).toMatchObject({ fromUnixMs: 2000, toUnixMs: 9500, pointsMax: 600 });
    expect((await t.ask("GET", "/api/v1/devices/attic-7/history?signal=temperature&from=soon")).status).toBe(400);
    const backwards = await t.ask("GET", "/api/v1/devices/attic-7/history?signal=temperature&from=5&to=1");
    expect(backwards.status).toBe(400);
  });
});

describe("commands", () => {
  const path = "/api/v1/devices/attic-7/commands";

  it("accepts one with 202, its id and its state", async () => {
    const body = { name: "pump", args: { seconds: 5 }, ttlMs: 5000, delivery: "atMostOnce" };
    const { status, json, headers } = await t.ask("POST", path, { body });
    expect(status).toBe(202);
    expect(json).toEqual({ commandId: expect.stringMatching(/^cmd_/), state: "queued", repeated: false });
    expect(headers.get("location")).toBe(`/api/v1/commands/${json.commandId}`);
    const shown = await t.ask("GET", `/api/v1/commands/${json.commandId}`);
    expect(shown.json).toMatchObject({
      name: "pump",
      args: { seconds: 5 },
      ttlMs: 5000,
      delivery: "atMostOnce",
      source: "api",
    });
    expect(COMMAND_STATES).toContain(shown.json.state);
  });

  it("makes no second command for a repeated Idempotency-Key", async () => {
    const headers = { "idempotency-key": "k1" };
    const first = await t.ask("POST", path, { headers, body: { name: "pump" } });
    const again = await t.ask("POST", path, { headers, body: { name: "pump" } });
    expect(again.json).toEqual({ ...first.json, repeated: true });
  });

  it("says who asks: the CLI names itself, a session is the dashboard", async () => {
    await t.ask("POST", path, { headers: { "x-tidegate-client": "cli" }, body: { name: "pump" } });
    expect(t.host.calls.at(-1)).toBe("submit attic-7 pump null cli");
    await t.ask("POST", path, { anonymous: true, headers: { cookie: await t.cookie() }, body: { name: "pump" } });
    expect(t.host.calls.at(-1)).toBe("submit attic-7 pump null dashboard");
  });

  it("refuses bad names, unknown fields, endless lives and long arguments", async () => {
    const refused = async (body: unknown) => (await t.ask("POST", path, { body })).json.error.code;
    expect(await refused({ name: "a/b" })).toBe("E_NAME_INVALID");
    expect(await refused({ name: "pump", extra: 1 })).toBe("E_BAD_REQUEST");
    expect(await refused({ name: "pump", ttlMs: 0 })).toBe("E_BAD_REQUEST");
    expect(await refused({ name: "pump", ttlMs: 8 * 24 * 3600 * 1000 })).toBe("E_BAD_REQUEST");
    expect(await refused({ name: "pump", delivery: "maybe" })).toBe("E_BAD_REQUEST");
    expect(await refused({ name: "pump", args: "x".repeat(33 * 1024) })).toBe("E_COMMAND_ARGS");
    expect(await refused("{not json")).toBe("E_BAD_REQUEST");
    const unknown = await t.ask("POST", "/api/v1/devices/nobody/commands", { body: { name: "pump" } });
    expect([unknown.status, unknown.json.error.code]).toEqual([404, "E_DEVICE_UNKNOWN"]);
  });

  it("cancels one that waits, and says why another cannot be cancelled", async () => {
    const { json } = await t.ask("POST", path, { body: { name: "pump" } });
    const cancelled = await t.ask("DELETE", `/api/v1/commands/${json.commandId}`);
    expect(cancelled.json.state).toBe("cancelled");
    const again = await t.ask("DELETE", `/api/v1/commands/${json.commandId}`);
    expect([again.status, again.json.error.code]).toEqual([409, "E_COMMAND_STATE"]);
    const unknown = await t.ask("GET", "/api/v1/commands/cmd_0000000000000000000099");
    expect([unknown.status, unknown.json.error.code]).toEqual([404, "E_COMMAND_UNKNOWN"]);
    expect((await t.ask("GET", "/api/v1/commands?limit=5")).json.commands[0].state).toBe("cancelled");
  });
});

describe("what the gateway says of itself", () => {
  it("answers health without a credential, and 503 unless all is well", async () => {
    const well = await t.ask("GET", "/healthz", { anonymous: true });
    expect([well.status, well.text]).toEqual([200, '{"status":"ok"}']);
    for (const state of ["starting", "stopping", "failed"] as const) {
      t.host.healthNow = state;
      expect((await t.ask("GET", "/healthz", { anonymous: true })).status).toBe(503);
    }
    t.host.healthNow = "ok";
  });

  it("carries the fields of the status page", async () => {
    const { json } = await t.ask("GET", "/api/v1/status");
    expect(json).toMatchObject({
      version: "0.1.0",
      uptimeMs: 60_000,
      ports: { devices: 8443, admin: 8080 },
      devices: { online: 3 },
      duplicates: 1,
      conflicts: 0,
      backlog: [
        { sink: "broker", count: 42, ageMs: 1500 },
        { sink: "old", orphaned: true },
      ],
      disk: { usedBytes: 1_000_000 },
      outageHoursLeft: 31,
      bytesWrittenToday: 123_456,
      eventLoopDelayMs: { p99: 5 },
    });
  });

  it("shows the rates of the last minutes to those who are logged in", async () => {
    t.host.ackedPerSecond = [3, 2.5, 0];
    expect((await t.ask("GET", "/api/v1/rates")).json).toEqual({ stepMs: 2000, acked: [3, 2.5, 0] });
  });

  it("shows metrics in the Prometheus format, the configuration and its sources", async () => {
    const metrics = await t.ask("GET", "/metrics");
    expect(metrics.headers.get("content-type")).toContain("version=0.0.4");
    expect(metrics.text).toContain("tidegate_up 1");
    expect((await t.ask("GET", "/api/v1/config")).json.effective.gateway.id).toBe("attic-pi");
  });

  it("pages through gaps", async () => {
    const gap = { epoch: 1, fromSeq: 1, toSeq: null, reason: "restart", atUnixMs: 0, sink: null } as const;
    t.host.gapList = [1, 2, 3].map((id) => ({ ...gap, id, device: id === 2 ? "bed-1" : "attic-7" }));
    const page = await t.ask("GET", "/api/v1/gaps?limit=2");
    expect(page.json.gaps.map((g: { id: number }) => g.id)).toEqual([1, 2]);
    expect(page.json.next).toBe(2);
    expect((await t.ask("GET", "/api/v1/gaps?after=2&limit=2")).json.next).toBeNull();
    expect((await t.ask("GET", "/api/v1/gaps?device=bed-1")).json.gaps).toHaveLength(1);
    expect((await t.ask("GET", "/api/v1/gaps?limit=0")).status).toBe(400);
  });

  it("lists sinks with their backlog, orphans too, and tests, pauses and resumes them", async () => {
    const { json } = await t.ask("GET", "/api/v1/sinks");
    expect(json.sinks[0]).toMatchObject({ name: "broker", state: "up", backlog: { count: 42, ageMs: 1500 } });
    expect(json.sinks[1]).toMatchObject({ name: "old", type: "orphan", backlog: { orphaned: true } });
    expect((await t.ask("POST", "/api/v1/sinks/broker/test")).json.ok).toBe(true);
    expect((await t.ask("POST", "/api/v1/sinks/broker/pause")).json.state).toBe("paused");
    expect((await t.ask("POST", "/api/v1/sinks/broker/resume")).status).toBe(200);
    expect((await t.ask("GET", "/api/v1/sinks/broker/quarantine")).json.records[0].reason).toBe("too large");
    expect((await t.ask("POST", "/api/v1/sinks/broker/quarantine/4/requeue")).status).toBe(202);
    expect((await t.ask("POST", "/api/v1/sinks/broker/quarantine/nought/requeue")).status).toBe(400);
    expect((await t.ask("DELETE", "/api/v1/sinks/old")).status).toBe(204);
    const unknown = await t.ask("POST", "/api/v1/sinks/nope/pause");
    expect([unknown.status, unknown.json.error.code]).toEqual([404, "E_SINK_UNKNOWN"]);
  });

  it("describes every route in /openapi.json", async () => {
    const { json } = await t.ask("GET", "/openapi.json");
    expect(json.openapi).toBe("3.1.0");
    const paths = Object.keys(json.paths);
    expect(paths).toEqual(expect.arrayContaining(["/healthz", "/api/v1/devices/{id}/commands", "/api/v1/gaps"]));
    const source = json.paths["/api/v1/devices/{id}/commands"].post;
    expect(source.requestBody.required).toBe(true);
    expect(source.responses["202"]).toBeDefined();
  });

  it("has every route in docs/http-api.md, and none that is not there", async () => {
    const { json } = await t.ask("GET", "/openapi.json");
    interface Operation {
      readonly summary: string;
      readonly parameters?: readonly { readonly name: string; readonly in: string }[];
    }
    const routes = Object.entries<Record<string, Operation>>(json.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { summary, parameters = [] }]) => {
        const query = parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
        const call = `${method.toUpperCase()} ${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
        return `| \`${call}\` | ${summary} |`;
      }),
    );
    const page = readFileSync(new URL("../../../docs/http-api.md", import.meta.url), "utf8");
    const rows = page.split("\n").filter((line) => line.startsWith("| `"));
    expect(rows.toSorted()).toEqual(routes.toSorted());
  });
});

describe("errors", () => {
  it("have one shape: code, what, why, fix", async () => {
    const { status, json } = await t.ask("GET", "/api/v1/nothing");
    expect(status).toBe(404);
    expect(Object.keys(json.error)).toEqual(["code", "what", "why", "fix"]);
  });

  it("never show internals", async () => {
    const { gaps } = t.host;
    t.host.gaps = async () => {
      throw new Error("SELECT secret FROM table");
    };
    const { status, text, json } = await t.ask("GET", "/api/v1/gaps");
    t.host.gaps = gaps;
    expect([status, json.error.code]).toEqual([500, "E_INTERNAL"]);
    expect(text).not.toContain("SELECT");
  });

  it("refuse bodies past 64 KiB with 413", async () => {
    const body = JSON.stringify({ name: "pump", args: "x".repeat(70_000) });
    const { status, json } = await t.ask("POST", "/api/v1/devices/attic-7/commands", { body });
    expect([status, json.error.code]).toEqual([413, "E_TOO_LARGE"]);
  });

  it("count a body without a stated length as it comes", async () => {
    const send = (bytes: number): Promise<Response> =>
      fetch(`${t.url}/api/v1/devices/attic-7/commands`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        body: new Blob([JSON.stringify({ name: "pump", args: "x".repeat(bytes) })]).stream(),
        duplex: "half",
      } as RequestInit);
    expect((await send(100)).status).toBe(202);
    expect((await send(100_000)).status).toBe(413);
  });

  it("refuse a body that is not JSON by type", async () => {
    const headers = { "content-type": "text/plain" };
    const { status } = await t.ask("POST", "/api/v1/devices", { headers, body: '{"deviceId":"x1"}' });
    expect(status).toBe(400);
    expect(t.host.ids.some((id) => id.device === "x1")).toBe(false);
  });
});

describe("the rules of the door", () => {
  it("answers only to names it is reached by", () => {
    const names = new Set(["attic-pi.lan"]);
    for (const host of ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "attic-pi.lan:1"]) {
      expect(hostAllowed(host, "127.0.0.1", names)).toBe(true);
    }
    for (const host of [
      undefined,
      "",
      "evil.example",
      "192.168.1.5:8080",
      "localhost.evil.example",
      "a b",
      "127.0.0.1@x",
    ]) {
      expect(hostAllowed(host, "127.0.0.1", names)).toBe(false);
    }
    expect(hostAllowed("192.168.1.5:8080", "0.0.0.0", names)).toBe(true);
    expect(hostAllowed("evil.example", "0.0.0.0", names)).toBe(false);
  });

  it("lets programs and its own page change things, and no other site", () => {
    expect(originAllowed(undefined, "127.0.0.1:8080")).toBe(true);
    expect(originAllowed("http://127.0.0.1:8080", "127.0.0.1:8080", "same-origin")).toBe(true);
    expect(originAllowed("https://gw.example", "gw.example")).toBe(true);
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1:8081", "file://", "http://"]) {
      expect(originAllowed(origin, "127.0.0.1:8080")).toBe(false);
    }
    expect(originAllowed(undefined, "127.0.0.1:8080", "cross-site")).toBe(false);
  });

  it("leaves loopback only with a password and TLS, or with tls: off said", () => {
    const open = (passwordSet: boolean, tls: "files" | "off" | "none") => () =>
      checkExposure({ listenHost: "0.0.0.0", passwordSet, tls });
    expect(open(false, "files")).toThrow(expect.objectContaining({ code: "E_CONFIG_UNSAFE" }));
    expect(open(true, "none")).toThrow(expect.objectContaining({ code: "E_CONFIG_UNSAFE" }));
    expect(open(true, "files")).not.toThrow();
    expect(open(true, "off")).not.toThrow();
    expect(() => checkExposure({ listenHost: "127.0.0.1", passwordSet: false, tls: "none" })).not.toThrow();
  });

  it("refuses to start on a busy port and on an open address, with the reason", async () => {
    await expect(startTestServer({ port: t.port })).rejects.toMatchObject({ code: "E_PORT_BUSY", exitCode: 75 });
    await expect(startTestServer({ listenHost: "0.0.0.0" })).rejects.toMatchObject({
      code: "E_CONFIG_UNSAFE",
      exitCode: 78,
    });
    await expect(startTestServer({ listenHost: "192.0.2.1", tls: "off" })).rejects.toMatchObject({
      code: "E_CONFIG_UNSAFE",
    });
  });
});

const withOpenssl = requires("openssl");
withOpenssl.describe("with a certificate", () => {
  it("speaks https only and marks its cookie Secure", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-tls-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
    execFileSync(
      withOpenssl.path("openssl"),
      ["req", "-x509", ...curve, ...subject, "-keyout", keyFile, "-out", certFile],
      {
        stdio: "ignore",
      },
    );
    const tls = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
    const secure = await startTestServer({ tls });
    expect(secure.url).toMatch(/^https:\/\/127/);
    const code = secure.server.loginLink().split("#")[1];
    const cookie = await new Promise<string>((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const options = { method: "POST", headers, ca: tls.cert, agent: false };
      const outgoing = httpsRequest(`${secure.url}/api/v1/login`, options, (answer) => {
        answer.resume();
        resolve(String(answer.headers["set-cookie"]));
      });
      outgoing.on("error", reject);
      outgoing.end(JSON.stringify({ code }));
    });
    expect(cookie).toContain("Secure");
    await expect(fetch(secure.url.replace("https", "http"))).rejects.toThrow();
    await secure.stop();
    await expect(startTestServer({ tls: { key: "no key", cert: "no certificate" } })).rejects.toMatchObject({
      code: "E_TLS_FILES",
    });
  });
});
