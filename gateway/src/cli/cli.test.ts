/** The `tidegate` command against a fake gateway: what it sends, what it prints, how it ends. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { IdentityStore } from "../model/identity.js";
import { ADMIN_TOKEN, error, FakeApi } from "./testing/fake-api.js";
import { type CliRun, cli, type FakeWorld, NOW } from "./testing/fake-context.js";
import { csvLine } from "./verbs/gaps.js";

let api: FakeApi;

beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.stop());

/** A gateway on this machine, found by its data folder. */
function local(world: FakeWorld = {}): FakeWorld {
  const files = {
    "/site/data/gateway.json": JSON.stringify({ url: api.url, pid: 42, more: "later" }),
    "/site/data/admin.token": `${ADMIN_TOKEN}\n`,
    ...world.files,
  };
  return { ...world, files };
}

const run = (line: string, world: FakeWorld = {}): Promise<CliRun> => cli(line.split(" "), local(world));

const iso = (agoMs: number): string => new Date(NOW - agoMs).toISOString();

const DEVICE = {
  id: "attic-7",
  name: "Attic",
  online: true,
  presence: "online",
  lastSeen: iso(3_000),
  connectedSince: iso(60_000),
  remote: "10.0.0.9",
  revoked: false,
  firmware: "1.2.0",
  model: "esp32\u001b[31m",
  epoch: 7,
  ackedSeq: 99,
  latest: [{ signal: "temperature", t: NOW - 5_000, v: 21.4, q: "good", unit: "°C" }],
  commands: [{ name: "fan", argsHint: '{"on":true}' }],
  later: "ignored",
};

const COMMAND = {
  commandId: "cmd_0123456789abcdefghijkl",
  device: "attic-7",
  name: "fan",
  args: { on: true },
  delivery: "atLeastOnce",
  state: "sent",
  source: "cli",
  ttlMs: 60_000,
  transmissions: 1,
  createdAt: iso(1_000),
  updatedAt: iso(500),
  result: null,
  error: null,
  idempotencyKey: null,
};

describe("finding the gateway", () => {
  it("uses the data folder's gateway.json and admin.token", async () => {
    api.on("GET /api/v1/devices", [200, { devices: [] }]);
    const { exitCode, out } = await run("device ls");
    expect([exitCode, out]).toEqual([0, "no devices yet; add one with `tidegate device add my-device`\n"]);
    expect(api.seen[0]?.headers.authorization).toBe(`Bearer ${ADMIN_TOKEN}`);
  });

  it("uses --url or TIDEGATE_URL with a token file before anything else", async () => {
    api.on("GET /api/v1/devices", [200, { devices: [] }]);
    const files = { "/site/t": ADMIN_TOKEN };
    expect((await cli(["device", "ls", "--url", api.url, "--token-file", "t"], { files })).exitCode).toBe(0);
    const env = { TIDEGATE_URL: api.url, TIDEGATE_TOKEN_FILE: "/site/t" };
    expect((await cli(["device", "ls"], { files, env })).exitCode).toBe(0);
  });

  it("tells in three lines what is missing", async () => {
    const nothing = await cli(["status"]);
    const stale = await run("status", { overrides: { isAlive: () => false } });
    const foreign = await run("status", { files: { "/site/data/admin.token": "EACCES" } });
    const noToken = await cli(["status", "--url", api.url]);
    const empty = await run("status", { files: { "/site/data/admin.token": "\n" } });
    const damaged = await run("status", { files: { "/site/data/gateway.json": "{" } });
    const refused = await cli(["status", "--url", "http://127.0.0.1:9", "--token-file", "t"], {
      files: { "/site/t": "x" },
    });
    const other = await cli(["status", "--url", "ftp://x", "--token-file", "t"], { files: { "/site/t": "x" } });
    const all = [nothing, stale, foreign, noToken, empty, damaged, refused, other];
    expect(all.map((r) => r.exitCode)).toEqual([3, 3, 1, 2, 1, 3, 3, 2]);
    expect(all.map((r) => r.err).join("\n")).toMatchInlineSnapshot(`
      "error: E_UNREACHABLE: no running gateway was found
        why: there is no /site/data/gateway.json: no gateway runs on this data folder
        do:  start one with \`tidegate run\`, or name it with --url

      error: E_UNREACHABLE: no running gateway was found
        why: /site/data/gateway.json is left over from process 42, which has ended
        do:  start one with \`tidegate run\`, or name it with --url

      error: E_FORBIDDEN: the request is not allowed
        why: /site/data/admin.token belongs to the gateway's user
        do:  run \`sudo usermod -aG tidegate "$USER"\` and log in again, or use sudo

      error: the command line does not fit
        why: a gateway named by address needs the admin token in a file
        do:  copy <dataDir>/admin.token from the gateway and name the copy with TIDEGATE_TOKEN_FILE

      error: E_UNAUTHORIZED: the request carries no valid credential
        why: /site/data/admin.token is missing or empty
        do:  restart the gateway: it makes a new one when the file is missing

      error: E_UNREACHABLE: no running gateway was found
        why: /site/data/gateway.json is damaged
        do:  restart the gateway: it writes the file when it is ready

      error: E_UNREACHABLE: no running gateway was found
        why: http://127.0.0.1:9 does not answer: nothing listens there
        do:  start one with \`tidegate run\`, or name it with --url

      error: the command line does not fit
        why: "ftp://x" is no address of a gateway
        do:  write it as http://127.0.0.1:8080 or https://…
      "
    `);
  });

  it("names the group, too, when it is the settings that only the gateway's group may read", async () => {
    const { exitCode, err } = await cli(["status"], { files: { "/etc/tidegate/tidegate.yaml": "EACCES" } });
    expect(exitCode).toBe(1);
    expect(err).toContain("usermod -aG tidegate");
  });

  it("says so when the token is wrong, the gateway refuses, or something else answers", async () => {
    const wrong = await run("status", { files: { "/site/data/admin.token": "wrong" } });
    api.on("GET /api/v1/status", [
      418,
      error("E_TEAPOT", "this is a teapot", "short\nand\u001b[2Jstout", "use a kettle"),
    ]);
    const unknown = await run("status");
    api.on("GET /api/v1/status", [200, { hello: "world" }]);
    const shape = await run("status");
    api.on("GET /api/v1/status", (_request, response) => response.end("<html>"));
    const html = await run("status");
    const all = [wrong, unknown, shape, html];
    expect(all.map((r) => r.exitCode)).toEqual([1, 1, 3, 3]);
    expect(all.map((r) => r.err.replaceAll(/:\d{4,5}/g, ":PORT")).join("\n")).toMatchInlineSnapshot(`
      "error: E_UNAUTHORIZED: the request carries no valid credential
        why: the admin token is not the one of this gateway
        do:  copy <dataDir>/admin.token from the gateway again, or leave --token-file away on its own machine

      error: E_TEAPOT: this is a teapot
        why: short
             and·[2Jstout
        do:  use a kettle

      error: E_UNREACHABLE: no running gateway was found
        why: http://127.0.0.1:PORT answered something else than a Tidegate gateway of this version does
        do:  start one with \`tidegate run\`, or name it with --url

      error: E_UNREACHABLE: no running gateway was found
        why: http://127.0.0.1:PORT answered something else than a Tidegate gateway of this version does
        do:  start one with \`tidegate run\`, or name it with --url
      "
    `);
  });

  it("names what to do about a certificate that is not trusted", async () => {
    const failing = (code: string) => async () => {
      throw Object.assign(new Error("not trusted"), { code });
    };
    const files = { "/site/t": ADMIN_TOKEN };
    const https = (code: string) =>
      cli(["status", "--url", "https://gate.lan:8080", "--token-file", "t"], {
        files,
        overrides: { http: failing(code) },
      });
    expect((await https("UNABLE_TO_VERIFY_LEAF_SIGNATURE")).err).toContain("do:  name the root it was issued by: --ca");
    expect((await https("ERR_TLS_CERT_ALTNAME_INVALID")).err).toContain("see devices.names");
    expect((await https("ECONNRESET")).err).toContain("do:  start one with `tidegate run`");
  });

  it("answers --json with the error as JSON on stderr", async () => {
    const { err, out } = await cli(["status", "--json"]);
    expect(out).toBe("");
    expect(JSON.parse(err)).toMatchObject({ error: { code: "E_UNREACHABLE", what: "no running gateway was found" } });
  });
});

const notHere = () => Promise.reject(new Error("not here"));
const NO_BACKUPS = { backUpStored: notHere, saveBackup: notHere, restoreFrom: notHere };

describe("the command line", () => {
  it.each([
    "stat",
    "device",
    "device ad",
    "device add",
    "device ls --bogus",
    "device ls extra",
    "watch --count x",
    "send a b --wait 5",
    "send a b --delivery twice",
    "gaps ls --limit 0",
    "completion tcsh",
  ])("ends with 2 and three lines on `%s`", async (line) => {
    const { exitCode, err, out } = await run(line);
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toMatchSnapshot();
    expect(err.trimEnd().split("\n")).toHaveLength(3);
  });

  it("refuses an empty pattern, which would match nothing for ever", async () => {
    const { exitCode, err } = await cli(["watch", ""], local());
    expect(exitCode).toBe(2);
    expect(err).toContain("the pattern is empty");
  });

  it("cuts tables at the edge of a terminal, and never in a pipe", async () => {
    api.on("GET /api/v1/devices", [200, { devices: [{ ...DEVICE, name: "n".repeat(200) }] }]);
    expect((await run("device ls", { isTty: true, columns: 80 })).out).toContain("n…");
    expect((await run("device ls", { columns: 80 })).out).toContain("n".repeat(200));
  });

  it("shows help and versions with 0", async () => {
    expect((await run("--help")).out).toMatchSnapshot();
    expect((await cli([])).out).toContain("Usage: tidegate");
    expect((await run("device add --help")).out).toContain("Usage: tidegate device add");
    expect((await run("--version")).out).toMatch(/^tidegate \d+\.\d+\.\d+\n$/);
    expect(JSON.parse((await run("version --json")).out)).toMatchObject({ node: process.versions.node });
  });

  it("makes completion scripts that know every verb", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { out } = await run(`completion ${shell}`);
      expect(out).toContain("replace");
      expect(out).toContain("watch");
    }
  });
});

describe("device", () => {
  it("add prints what a firmware needs, once", async () => {
    const issued = { deviceId: "attic-7", token: "tg_x", url: "wss://attic:8443/v1/device", ca: "PEM\n" };
    api.on("POST /api/v1/devices", [201, { ...issued, later: 1 }]);
    expect(JSON.parse((await run("device add attic-7 --json")).out)).toEqual(issued);
    const human = await run("device add attic-7");
    expect(human.out).toBe("device  attic-7\ntoken   tg_x\nurl     wss://attic:8443/v1/device\nPEM\n");
    expect(human.err).toContain("shown this once");
    expect(api.seen[0]?.body).toEqual({ deviceId: "attic-7" });
  });

  it("ls and show are tables for people and JSON for programs", async () => {
    api.on("GET /api/v1/devices", [200, { devices: [DEVICE, { id: "b", presence: "offline", revoked: true }] }]);
    api.on("GET /api/v1/devices/attic-7", [200, DEVICE]);
    expect((await run("device ls")).out).toMatchInlineSnapshot(`
      "device   presence  seen     model       firmware  name
      attic-7  online    3 s ago  esp32·[31m  1.2.0     Attic
      b        revoked   never
      "
    `);
    expect((await run("device show attic-7")).out).toMatchInlineSnapshot(`
      "device    attic-7 (Attic)
      presence  online from 10.0.0.9
      seen      3 s ago
      model     esp32·[31m · 1.2.0
      stream    epoch 7 · acked up to 99
      commands  fan {"on":true}

      signal       value  unit  quality  measured
      temperature   21.4  °C    good     5 s ago
      "
    `);
    expect(JSON.parse((await run("device ls --json")).out).devices[0]).toEqual(DEVICE);
  });

  it("rename, revoke, replace and forget call their routes", async () => {
    api.on("PATCH /api/v1/devices/a", [200, DEVICE]);
    api.on("DELETE /api/v1/devices/a/credential", [204, null]);
    api.on("POST /api/v1/devices/a/credential", [201, { deviceId: "a", token: "tg_y", url: "wss://x", ca: null }]);
    api.on("DELETE /api/v1/devices/a", [204, null]);
    for (const args of [
      ["rename", "a", "The attic"],
      ["revoke", "a"],
      ["replace", "a"],
      ["forget", "a"],
    ]) {
      expect((await cli(["device", ...args], local())).exitCode).toBe(0);
    }
    expect(api.seen.map((r) => `${r.method} ${r.path} ${JSON.stringify(r.body)}`)).toEqual([
      'PATCH /api/v1/devices/a {"name":"The attic"}',
      "DELETE /api/v1/devices/a/credential null",
      "POST /api/v1/devices/a/credential null",
      "DELETE /api/v1/devices/a null",
    ]);
  });

  it("passes the gateway's refusal on, with its exit code", async () => {
    const refusal = error("E_NAME_INVALID", "the name is not allowed", '"a/b"', "use letters");
    api.on("POST /api/v1/devices", [400, refusal]);
    const { exitCode, err } = await run("device add a/b");
    expect([exitCode, err]).toEqual([
      2,
      'error: E_NAME_INVALID: the name is not allowed\n  why: "a/b"\n  do:  use letters\n',
    ]);
  });

  it("cannot be led to another route by an id", async () => {
    await run("device forget ../../v1/sinks");
    expect(api.seen[0]?.path).toBe("/api/v1/devices/..%2F..%2Fv1%2Fsinks");
  });
});

describe("send", () => {
  const POST = "POST /api/v1/devices/attic-7/commands";
  const GET = `GET /api/v1/commands/${COMMAND.commandId}`;
  const accepted = { commandId: COMMAND.commandId, state: "queued", repeated: false };

  it("sends name, arguments, ttl, delivery and key", async () => {
    api.on(POST, [202, { ...accepted, repeated: true }]);
    const line = "send attic-7 fan 21.5 --ttl 2m --delivery atMostOnce --idempotency-key k1";
    const { exitCode, out } = await run(line);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^accepted cmd_\w{22} in \d+ ms \(known already, by its key\)\n$/);
    expect(api.seen[0]?.body).toEqual({ name: "fan", args: 21.5, ttlMs: 120_000, delivery: "atMostOnce" });
    expect(api.seen[0]?.headers["idempotency-key"]).toBe("k1");
  });

  it("waits for the outcome and ends with 0 only when it succeeded", async () => {
    api.on(POST, [202, accepted]);
    const states = (...states: string[]) => states.map((state) => [200, { ...COMMAND, state }] as const);
    api.on(GET, ...states("queued", "sent", "started"), [
      200,
      { ...COMMAND, state: "succeeded", result: { rpm: 900 } },
    ]);
    const good = await run("send attic-7 fan --wait 5s");
    expect(good.exitCode).toBe(0);
    expect(good.out).toMatch(/succeeded in \d+ ms {2}\{"rpm":900\}\n$/);
    for (const state of ["failed", "expired", "cancelled", "unknown"]) {
      api.on(GET, [200, { ...COMMAND, state, error: "motor\u0007 stuck" }]);
      const bad = await run("send attic-7 fan --wait 5s");
      expect(bad.exitCode).toBe(1);
      expect(bad.out).toContain("motor· stuck");
    }
  });

  it("stops waiting when the time is up, and says what it knows", async () => {
    api.on(POST, [202, accepted]);
    api.on(GET, [200, COMMAND]);
    const { exitCode, out } = await run("send attic-7 fan --wait 1s");
    expect(exitCode).toBe(1);
    expect(out).toMatch(/still sent after 1\.\d s; see `tidegate command show cmd_\w{22}`\n$/);
    const json = JSON.parse((await run("send attic-7 fan --wait 1s --json")).out);
    expect(json).toMatchObject({ state: "sent", commandId: COMMAND.commandId });
    expect(json.appliedMs).toBeGreaterThanOrEqual(1000);
  });

  it("reads arguments from stdin and refuses what is no JSON before it calls", async () => {
    api.on(POST, [202, accepted]);
    await cli(["send", "attic-7", "fan", "-"], local({ stdin: '{"on":true}\n' }));
    expect(api.seen[0]?.body).toEqual({ name: "fan", args: { on: true } });
    const { exitCode, err } = await run("send attic-7 fan {on:true}");
    expect([exitCode, api.seen.length]).toEqual([2, 1]);
    expect(err).toMatchInlineSnapshot(`
      "error: E_COMMAND_ARGS: the arguments are not valid JSON or too long
        why: {on:true} is not JSON
        do:  quote it for the shell: '{"on":true}', 21.5, '"text"'
      "
    `);
  });
});

describe("command", () => {
  it("ls, show and cancel", async () => {
    api.on("GET /api/v1/commands", [200, { commands: [COMMAND, { ...COMMAND, state: "succeeded", result: 21 }] }]);
    api.on(`GET /api/v1/commands/${COMMAND.commandId}`, [200, COMMAND]);
    api.on(`DELETE /api/v1/commands/${COMMAND.commandId}`, [200, { ...COMMAND, state: "cancelled" }]);
    expect((await run("command ls --device attic-7 --state sent --limit 5")).out).toMatchInlineSnapshot(`
      "command                     device   name  state      changed  result
      cmd_0123456789abcdefghijkl  attic-7  fan   sent       now
      cmd_0123456789abcdefghijkl  attic-7  fan   succeeded  now      21
      "
    `);
    expect(api.seen[0]?.path).toBe("/api/v1/commands?device=attic-7&state=sent&limit=5");
    expect((await run(`command show ${COMMAND.commandId}`)).out).toMatchInlineSnapshot(`
      "command   cmd_0123456789abcdefghijkl
      device    attic-7
      call      fan {"on":true}
      state     sent · now
      delivery  atLeastOnce · sent 1 times · may wait 1 min
      from      cli
      result    none
      error     none
      "
    `);
    expect((await run(`command cancel ${COMMAND.commandId}`)).out).toBe(`${COMMAND.commandId} is cancelled\n`);
  });
});

describe("status", () => {
  const STATUS = {
    gateway: "attic-pi",
    version: "0.1.0",
    state: "ok",
    uptimeMs: 7_200_000,
    ports: { devices: 8443, admin: 8080 },
    devices: { online: 3, sleeping: 1, total: 5 },
    acked: 1_234_567,
    duplicates: 2,
    conflicts: 0,
    gaps: 1,
    backlog: [
      { sink: "broker", count: 1200, ageMs: 65_000, orphaned: false },
      { sink: "old", count: 0, ageMs: 0, orphaned: true },
    ],
    disk: { usedBytes: 1_572_864, quotaBytes: 2_147_483_648, freeBytes: 31e9, full: false },
    outageHoursLeft: 31.4,
    bytesWrittenToday: 5_000_000,
    eventLoopDelayMs: { p50: 1, p99: 2.345, max: 9 },
  };

  it("is one page, and fails when the gateway does", async () => {
    api.on("GET /api/v1/status", [200, STATUS]);
    const good = await run("status");
    expect(good.exitCode).toBe(0);
    expect(good.out).toMatchInlineSnapshot(`
      "gateway      attic-pi · ok · tidegate 0.1.0 · up 2 h
      ports        devices 8443 · dashboard 8080
      devices      3 online of 5, 1 sleeping
      messages     1 234 567 acked · 2 repeats · 0 conflicts
      gaps         1, see \`tidegate gaps ls\`
      sink broker  1 200 waiting, oldest 1 min
      sink old     caught up · no longer configured
      disk         1.5 MiB of 2.0 GiB · 29 GiB free
      outage       31 hours until the spool is full
      written      4.8 MiB today
      delay        2.3 ms at the 99th percentile
      "
    `);
    expect(JSON.parse((await run("status --json")).out)).toEqual(STATUS);
    api.on("GET /api/v1/status", [200, { ...STATUS, state: "failed", backlog: [], outageHoursLeft: null }]);
    expect((await run("status")).exitCode).toBe(1);
  });
});

describe("sink", () => {
  const SINK = {
    name: "broker",
    state: "backingOff",
    target: "mqtts://broker.lan:8883",
    protocol: null,
    lastError: { code: "E_SINK_UNAVAILABLE", why: "connection refused", fix: "start the broker" },
    retryInMs: 32_000,
    deliveredCount: 12_345,
    quarantinedCount: 0,
    backlog: { count: 7, ageMs: 3_000, orphaned: false },
  };

  it("ls, pause and resume", async () => {
    api.on("GET /api/v1/sinks", [200, { sinks: [SINK] }]);
    api.on("POST /api/v1/sinks/broker/pause", [200, { ...SINK, state: "paused" }]);
    expect((await run("sink ls")).out).toMatchInlineSnapshot(`
      "sink    state                      target                   delivered  backlog  last error
      broker  backingOff, again in 32 s  mqtts://broker.lan:8883     12 345   7, 3 s  connection refused; start the broker
      "
    `);
    expect((await run("sink pause broker")).out).toBe("broker is paused\n");
  });

  it("test ends with 1 when the broker cannot be reached", async () => {
    const answer = { ok: false, elapsedMs: 12, protocol: null, error: SINK.lastError };
    api.on("POST /api/v1/sinks/broker/test", [200, answer]);
    const { exitCode, out } = await run("sink test broker");
    expect(exitCode).toBe(1);
    expect(out).toBe("broker  E_SINK_UNAVAILABLE after 12 ms\nwhy     connection refused\ndo      start the broker\n");
    api.on("POST /api/v1/sinks/broker/test", [200, { ...answer, ok: true, protocol: "MQTT 5", error: null }]);
    expect((await run("sink test broker")).out).toBe("broker answers: MQTT 5 in 12 ms\n");
  });

  it("quarantine and requeue: one record, or all that can be sent again, the oldest first", async () => {
    const record = (recordId: number, canRequeue: boolean) => ({
      ...{ recordId, sink: "broker", device: "attic-7", epoch: 7, seq: recordId, reason: "too large" },
      ...{ at: iso(60_000), state: canRequeue ? "aside" : "delivered", canRequeue },
    });
    const records = [record(9, true), record(5, false), record(4, true)];
    api.on("GET /api/v1/sinks/broker/quarantine", [200, { records }]);
    for (const id of [4, 9]) api.on(`POST /api/v1/sinks/broker/quarantine/${id}/requeue`, [202, null]);
    expect((await run("sink quarantine broker")).out).toContain("9  attic-7");
    expect((await run("sink requeue broker 4")).out).toContain("1 record is sent again");
    const before = api.seen.length;
    expect((await run("sink requeue broker all")).out).toContain("2 records are sent again");
    expect(api.seen.slice(before + 1).map(({ path }) => path)).toEqual(
      [4, 9].map((id) => `/api/v1/sinks/broker/quarantine/${id}/requeue`),
    );
  });

  it("forget says what the sink had not taken", async () => {
    const orphan = { ...SINK, name: "old", state: "stopped", backlog: { count: 1_200, ageMs: 0, orphaned: true } };
    api.on("GET /api/v1/sinks", [200, { sinks: [orphan] }]).on("DELETE /api/v1/sinks/old", [204, null]);
    expect((await run("sink forget old")).out).toBe(
      "old is forgotten; it had not taken 1 200 records of those still stored\n",
    );
  });
});

describe("gaps verify", () => {
  const message = (seq: number) => `tidegate/gw/attic-7/data {"id":"gw/attic-7/7/${seq}","readings":[]}`;
  const watermark = 'tidegate/gw/attic-7/watermark {"device":"attic-7","epoch":7,"seq":3}';

  it("says complete, or what is missing and exit code 1, and asks no gateway", async () => {
    const whole = [message(1), message(2), message(3), watermark].join("\n");
    const good = await cli(["gaps", "verify"], { stdin: whole });
    expect(good).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining("complete: every number is here or listed"),
    });
    const bad = await cli(["gaps", "verify"], { stdin: [message(1), watermark].join("\n") });
    expect(bad).toMatchObject({ exitCode: 1, out: expect.stringContaining("2: 2 … 3") });
    const json = await cli(["gaps", "verify", "--json"], { stdin: [message(1), watermark].join("\n") });
    expect(JSON.parse(json.out)).toMatchObject({ complete: false, missingCount: 2, streams: [{ missing: [[2, 3]] }] });
  });

  it("does not call nothing complete", async () => {
    expect(await cli(["gaps", "verify"], { stdin: "" })).toMatchObject({ exitCode: 1 });
  });
});

describe("gaps", () => {
  const gap = (id: number, toSeq: number | null) => ({
    id,
    device: "attic-7",
    epoch: 7,
    fromSeq: 5,
    toSeq,
    reason: "evicted",
    at: iso(60_000),
    sink: null,
  });

  it("ls shows ranges, also open ones", async () => {
    api.on("GET /api/v1/gaps", [200, { gaps: [gap(1, 5), gap(2, 9), gap(3, null)], next: 3 }]);
    const { out, err } = await run("gaps ls");
    expect(out).toMatchInlineSnapshot(`
      "id  device   epoch  numbers      reason   sink  noted
       1  attic-7      7  5            evicted  all   1 min ago
       2  attic-7      7  5 … 9        evicted  all   1 min ago
       3  attic-7      7  5 … unknown  evicted  all   1 min ago
      "
    `);
    expect(err).toBe("more follow: `tidegate gaps ls --after 3`\n");
  });

  it("export goes through all pages and ends when a page does not move on", async () => {
    api.on("GET /api/v1/gaps", [200, { gaps: [gap(1, 5)], next: 1 }], [200, { gaps: [gap(2, null)], next: null }]);
    const { out } = await run("gaps export --device attic-7 --format csv");
    expect(out).toBe(
      `id,device,epoch,fromSeq,toSeq,reason,sink,at\r\n1,attic-7,7,5,5,evicted,,${iso(60_000)}\r\n2,attic-7,7,5,,evicted,,${iso(60_000)}\r\n`,
    );
    expect(api.seen.map((r) => r.path)).toEqual([
      "/api/v1/gaps?device=attic-7&limit=10000",
      "/api/v1/gaps?device=attic-7&after=1&limit=10000",
    ]);
    api.on("GET /api/v1/gaps", [200, { gaps: [gap(1, 5)], next: 0 }]);
    expect((await run("gaps export")).out.split("\n")).toHaveLength(3);
  });

  it("export makes no formulas for spreadsheets", () => {
    expect(csvLine(["=1+1", "a,b", 'say "x"', 3, null])).toBe('\'=1+1,"a,b","say ""x""",3,\r\n');
  });
});

describe("admin", () => {
  it("password is read from the terminal twice, or from stdin, and sent to the running gateway", async () => {
    api.on("PUT /api/v1/password", [204, null]);
    expect((await run("admin password", { typed: ["correct horse", "correct horse"] })).exitCode).toBe(0);
    expect((await run("admin password", { stdin: "correct horse\n" })).exitCode).toBe(0);
    expect(api.seen.map((r) => r.body)).toEqual([{ password: "correct horse" }, { password: "correct horse" }]);
    const differ = await run("admin password", { typed: ["correct horse", "other"] });
    const none = await run("admin password", { stdin: "" });
    expect([differ.exitCode, none.exitCode, api.seen.length]).toEqual([2, 2, 2]);
    expect(differ.err + none.err).toMatchInlineSnapshot(`
      "error: the command line does not fit
        why: the two passwords differ
        do:  run the command again
      error: the command line does not fit
        why: no password was given
        do:  type one, or pass it on stdin: \`… | tidegate admin password\`
      "
    `);
  });

  it("password goes into the store when no gateway runs", async () => {
    let stored = "";
    const identity: Pick<IdentityStore, "setPasswordHash" | "audit"> = {
      setPasswordHash: async (hash) => {
        stored = hash;
      },
      audit: () => {},
    };
    const daemon = async () => ({
      runGateway: async () => 0,
      withIdentity: async <T>(_dir: string, fn: (i: IdentityStore, h: (p: string) => Promise<string>) => Promise<T>) =>
        fn(identity as IdentityStore, async (p) => `hashed ${p}`),
      ...NO_BACKUPS,
    });
    const offline = await cli(["admin", "password"], { stdin: "correct horse", overrides: { daemon } });
    expect([offline.exitCode, stored]).toEqual([0, "hashed correct horse"]);
  });

  it("login prints a link, token prints the token or its place", async () => {
    api.on("POST /api/v1/login-codes", [201, { code: "K7QM", path: "/login#K7QM", expiresInMs: 600_000 }]);
    expect((await run("admin login")).out).toBe(`${api.url}/login#K7QM\n`);
    expect((await run("admin token")).out).toBe(`${ADMIN_TOKEN}\n`);
    expect((await run("admin token --path")).out).toBe("/site/data/admin.token\n");
  });
});

describe("config, init and run", () => {
  it("check fits or tells every line, with exit code 1", async () => {
    const fits = await cli(["config", "check"], { files: { "/site/tidegate.yaml": "version: 1\n" } });
    expect([fits.exitCode, fits.out]).toEqual([0, "/site/tidegate.yaml fits\n"]);
    const files = { "/site/tidegate.yaml": "version: 2\nadmn: 1\n" };
    const wrong = await cli(["config", "check"], { files });
    expect(wrong.exitCode).toBe(1);
    expect(wrong.err).toMatchInlineSnapshot(`
      "error: E_CONFIG_INVALID: the configuration does not fit the schema
        why: tidegate.yaml:1:10: version: this gateway reads version 1, got 2
             tidegate.yaml:2:1: admn: unknown key; did you mean "admin"?
        do:  correct the lines named above; \`tidegate config check\` tells
      "
    `);
  });

  it("show is YAML with the place of what was written, and JSON", async () => {
    const files = {
      "/site/c.yaml": 'admin: { listen: "127.0.0.1:9" }\nsinks: [{ type: mqtt, name: a, url: "mqtt://x" }]\n',
    };
    const shown = await cli(["config", "show", "-c", "c.yaml"], { files, env: { TIDEGATE_LOG__LEVEL: "debug" } });
    expect(shown.out).toContain("  listen: 127.0.0.1:9 # c.yaml:1:18\n");
    expect(shown.out).toContain("    name: a # c.yaml:2:29\n");
    expect(shown.out).toContain("  level: debug # TIDEGATE_LOG__LEVEL\n");
    expect(shown.out).toContain("  keepalive: 30s\n");
    const json = JSON.parse((await cli(["config", "show", "--json", "-c", "c.yaml"], { files })).out);
    expect(json).toMatchObject({ file: "/site/c.yaml", effective: { admin: { listen: "127.0.0.1:9" } } });
    expect(JSON.parse((await run("config schema")).out)).toMatchObject({ type: "object", title: "tidegate.yaml" });
  });

  it("init writes a file that fits, and never over another", async () => {
    const { created } = await cli(["init"]);
    const files = { "/site/tidegate.yaml": created["/site/tidegate.yaml"] ?? "" };
    expect((await cli(["config", "check"], { files })).exitCode).toBe(0);
    const again = await cli(["init"], { files });
    expect([again.exitCode, again.created]).toEqual([1, {}]);
  });

  it("run passes the configuration on and ends with the gateway's code", async () => {
    const seen: unknown[] = [];
    const daemon = async () => ({
      runGateway: async (options: unknown) => {
        seen.push(options);
        return 75;
      },
      withIdentity: notHere,
      ...NO_BACKUPS,
    });
    const { exitCode } = await cli(["run", "--config", "x.yaml"], { env: { A: "1" }, overrides: { daemon } });
    expect([exitCode, seen]).toEqual([75, [{ configPath: "x.yaml", env: { A: "1" } }]]);
  });
});

describe("sim, rehearse and bench", () => {
  it("go to the sibling program with all their options and the data folder", async () => {
    const seen: unknown[] = [];
    const runNode: FakeWorld["overrides"] = {
      simulator: () => "/sim.js",
      runNode: async (script, args, env) => {
        seen.push([script, args, env["TIDEGATE_DATA_DIR"]]);
        return 4;
      },
    };
    const { exitCode } = await cli(["sim", "--devices", "10", "--drop-link", "30s", "--help"], { overrides: runNode });
    expect(exitCode).toBe(4);
    expect(seen).toEqual([["/sim.js", ["sim", "--devices", "10", "--drop-link", "30s", "--help"], "/site/data"]]);
    expect((await cli(["bench"])).err).toContain("E_SIM_MISSING");
  });
});

describe("colours", () => {
  it("are for terminals that want them", async () => {
    api.on("GET /api/v1/devices", [200, { devices: [DEVICE] }]);
    expect((await run("device ls", { isTty: true })).out).toContain("\u001b[32monline\u001b[39m");
    expect((await run("device ls", { isTty: true, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b");
    expect((await run("device ls", { isTty: true, env: { TERM: "dumb" } })).out).not.toContain("\u001b");
    expect((await run("device ls")).out).not.toContain("\u001b");
  });
});
