/** What the doctor makes of the facts: verdicts, and a way out of everything that is not well. */
import { describe, expect, it } from "vitest";
import { paintFor } from "../paint.js";
import { certificateCheck } from "./certificate-check.js";
import { type Check, fail, ok, skipped, warn } from "./check.js";
import { diskCheck, folderCheck, spaceCheck } from "./disk-checks.js";
import type { CertificateFacts, FolderFacts, SerialFacts, SinkFacts } from "./facts.js";
import { configurationCheck, portCheck, runningCheck, tokenCheck } from "./gateway-checks.js";
import { clockCheck, databaseCheck, nodeCheck } from "./machine-checks.js";
import { allWell, report } from "./report.js";
import { noSerialCheck, serialCheck } from "./serial-check.js";
import { sinkCheck } from "./sink-check.js";

const NODE = { version: "22.3.0", abi: "127", machine: "linux arm64" };
const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;
const ME = { id: 1000, name: "pi" };
const ROOT = { id: 0, name: "root" };
const SERVICE = { id: 998, name: "tidegate" };

/** Verdict and both texts, for one expectation. */
const told = (check: Check): string => `${check.verdict}: ${check.detail} → ${check.fix ?? ""}`;

describe("the machine", () => {
  it("needs a Node that is new enough, and a 64-bit one better", () => {
    expect(nodeCheck(NODE).verdict).toBe("ok");
    expect(told(nodeCheck({ ...NODE, version: "20.18.9" }))).toMatch(/^fail: .*needs 20\.19 → install Node/);
    expect(nodeCheck({ ...NODE, version: "20.19.0" }).verdict).toBe("ok");
    expect(nodeCheck({ ...NODE, machine: "linux arm" }).verdict).toBe("warn");
  });

  it("says how a database module of another Node, or none, is mended", () => {
    expect(databaseCheck(null, NODE).verdict).toBe("ok");
    const abi = "The module was compiled against a different Node.js version using\nNODE_MODULE_VERSION 115.";
    expect(told(databaseCheck(abi, NODE))).toMatch(/^fail: .*another Node.*ABI 127.* → .*npm rebuild/);
    expect(told(databaseCheck("Could not locate the bindings file. Tried:", NODE))).toMatch(/^fail: .* → .*scripts/);
    expect(told(databaseCheck("EACCES: mkdtemp", NODE))).toMatch(/^fail: .*EACCES.* → .*TMPDIR/);
  });

  it("needs a clock in this century that somebody keeps", () => {
    const facts = { unixMs: NOW, isSynchronised: true, hasRtc: true };
    expect(clockCheck(facts).verdict).toBe("ok");
    expect(clockCheck({ ...facts, isSynchronised: null }).verdict).toBe("ok");
    expect(clockCheck({ ...facts, isSynchronised: false }).verdict).toBe("warn");
    expect(told(clockCheck({ unixMs: 0, isSynchronised: null, hasRtc: false }))).toMatch(
      /^fail: it is 1970-01-01.*no battery-backed clock.* → .*set-ntp/,
    );
  });
});

describe("the data folder", () => {
  const folder: FolderFacts = {
    path: "/data",
    kind: "folder",
    existing: "/data",
    errno: null,
    owner: ME,
    user: ME,
    othersMayWrite: false,
    foreign: [],
  };

  it.each<[string, Partial<FolderFacts>, RegExp]>([
    ["its own user's", {}, /^ok/],
    ["not there yet", { kind: "absent", existing: "/" }, /^ok: .*not there yet/],
    [
      "not to be made",
      { kind: "absent", existing: "/", errno: "EACCES", owner: ROOT },
      /^fail: .*cannot be made in \//,
    ],
    [
      "somebody else's",
      { errno: "EACCES", owner: SERVICE },
      /^fail: .*by pi.*belongs to tidegate → .*chown.*sudo -u tid/,
    ],
    ["out of sight", { kind: "hidden", errno: "EACCES", owner: null }, /^fail: .* → .*chown/],
    ["on a read-only card", { errno: "EROFS" }, /^fail: .*read-only.* → .*worn out/],
    ["a file", { kind: "other" }, /^fail: .*is a file/],
    ["below a file", { kind: "absent", existing: "/f", errno: "ENOTDIR" }, /^fail: \/f, above \/data, is a file/],
    ["broken", { kind: "hidden", errno: "EIO" }, /^fail: .*EIO/],
    ["open to all", { othersMayWrite: true }, /^warn: .* → .*chmod o-w/],
    ["spoilt by sudo", { foreign: ["spool.db"] }, /^fail: pi may not write spool\.db.* → .*chown -R pi: \/data/],
  ])("that is %s", (_, facts, expected) => {
    expect(told(folderCheck({ ...folder, ...facts }, false))).toMatch(expected);
  });

  it("belongs to the running gateway's user, whoever asks", () => {
    const seen = { ...folder, owner: SERVICE, errno: "EACCES" };
    expect(folderCheck(seen, true).verdict).toBe("ok");
    expect(folderCheck({ ...seen, foreign: ["spool.db"] }, true).verdict).toBe("fail");
  });

  it("needs room for its quotas, and fails only when nothing fits any more", () => {
    const space = { usedBytes: 0, fileSystem: "ext4", isOnCard: false };
    const GIB = 1024 ** 3;
    expect(spaceCheck({ ...space, freeBytes: 10 * GIB }, 3 * GIB).verdict).toBe("ok");
    expect(spaceCheck({ ...space, freeBytes: 2 * GIB }, 3 * GIB).verdict).toBe("warn");
    expect(spaceCheck({ ...space, freeBytes: 2 * GIB, usedBytes: GIB }, 3 * GIB).verdict).toBe("ok");
    expect(spaceCheck({ ...space, freeBytes: 1_000_000 }, 3 * GIB).verdict).toBe("fail");
  });

  it.each<[string, boolean, number | "auto", RegExp]>([
    ["ext4", false, "auto", /^ok: .*commits at once/],
    ["ext4", true, "auto", /^ok: .*SD card.*gathered for 1\.0 s/],
    ["ext4", true, 0, /^warn: .*wear.* → .*auto/],
    ["ext4", true, 5_000, /^ok/],
    ["tmpfs", false, "auto", /^warn: .*gone with the power/],
    ["nfs", false, "auto", /^warn: .*over the network/],
    ["overlay", false, "auto", /^warn: .*container.* → .*volume/],
  ])("on %s (card: %s) with commitInterval %s", (fileSystem, isOnCard, interval, expected) => {
    expect(told(diskCheck({ freeBytes: 0, usedBytes: 0, fileSystem, isOnCard }, interval))).toMatch(expected);
  });
});

describe("the gateway", () => {
  it("has a configuration whose problems are told with their lines", () => {
    expect(configurationCheck({ file: null, error: null }).detail).toMatch(/defaults/);
    const error = { lines: ["E", "a.yaml:1:2: x\na.yaml:3:4: y", "correct them"] as const };
    expect(configurationCheck({ error })).toEqual(
      fail("configuration", "a.yaml:1:2: x\na.yaml:3:4: y", "correct them"),
    );
  });

  it.each<[string, string | null, number | null, number, RegExp]>([
    ["free", null, null, 8443, /^ok: .*is free/],
    ["any", null, null, 0, /^ok: .*any free port/],
    ["somebody else's", "EADDRINUSE", null, 8443, /^fail: .*something else.* → .*ss -ltnp 'sport = :8443'/],
    ["ours", "EADDRINUSE", 8443, 8443, /^ok: .*own gateway/],
    ["ours, chosen by the system", null, 40_001, 0, /^ok: .*:40001 is held/],
    ["another than ours", null, 9_000, 8443, /^warn: .*9000.*8443 → restart/],
    ["deserted", null, 8443, 8443, /^fail: .*nothing does/],
    ["privileged", "EACCES", null, 443, /^fail: .* → .*1024/],
    ["elsewhere", "EADDRNOTAVAIL", null, 8443, /^fail: .*no address of this machine/],
    ["odd", "EINVAL", null, 8443, /^fail: .*EINVAL/],
  ])("has a port that is %s", (_, errno, ownPort, port, expected) => {
    const use = { name: "device port", setting: "devices.listen", ownPort };
    expect(told(portCheck({ host: "0.0.0.0", port, errno }, use))).toMatch(expected);
  });

  it("is asked how it is when it runs, and missed when it ended badly", () => {
    const running = { state: "running", url: "http://x", pid: 7, devicesPort: 1, adminPort: 2 } as const;
    const asked = (status: number | null) => runningCheck(running, { status, error: "stuck" });
    expect([asked(200), asked(503), asked(404), asked(null)].map((check) => check.verdict)).toEqual([
      "ok",
      "fail",
      "fail",
      "fail",
    ]);
    expect(asked(null).detail).toContain("stuck");
    const path = "/data/gateway.json";
    const states = [{ state: "absent" }, { state: "denied", path }, { state: "damaged", path }] as const;
    expect(states.map((file) => runningCheck(file, null).verdict)).toEqual(["skipped", "skipped", "fail"]);
    expect(told(runningCheck({ state: "stale", path, pid: 7 }, null))).toMatch(/^warn: .*process 7/);
  });

  it("has a token that its people, and nobody else, can read", () => {
    const token = { path: "/data/admin.token", state: "readable", othersMayRead: false } as const;
    expect(tokenCheck(token, true).verdict).toBe("ok");
    expect(tokenCheck({ ...token, othersMayRead: true }, true).verdict).toBe("warn");
    expect(told(tokenCheck({ ...token, state: "denied" }, true))).toMatch(/^fail: .* → .*usermod -aG tidegate/);
    expect(tokenCheck({ ...token, state: "empty" }, false).verdict).toBe("fail");
    expect(tokenCheck({ ...token, state: "absent" }, false).verdict).toBe("skipped");
    expect(tokenCheck({ ...token, state: "absent" }, true).verdict).toBe("fail");
  });

  it("has certificates that are valid now and carry today's names", () => {
    const facts: Extract<CertificateFacts, { state: "present" }> = {
      state: "present",
      path: "/data/pki/gateway.crt",
      isSite: true,
      leafBytes: 570,
      fingerprint: "AA:BB",
      notBeforeUnixMs: NOW - DAY_MS,
      notAfterUnixMs: NOW + 400 * DAY_MS,
      names: ["attic"],
      missingNames: [],
    };
    const check = (part: Partial<typeof facts>, isRunning = true): string =>
      told(certificateCheck("certificates", { ...facts, ...part }, { unixMs: NOW, isRunning }));
    expect(check({})).toMatch(/^ok: root SHA-256 AA:BB · until 2027-/);
    expect(check({ missingNames: ["10.0.0.7"] })).toMatch(/^warn: .*10\.0\.0\.7 → .*SIGHUP/);
    expect(check({ missingNames: ["10.0.0.7"] }, false)).toMatch(/^ok: .*added at the next start/);
    expect(check({ missingNames: ["x.lan"], isSite: false }, false)).toMatch(/^warn: .* → have it issued/);
    expect(check({ leafBytes: 1_015 })).toMatch(/^warn: .*1015 bytes.*small records → drop names/);
    expect(check({ leafBytes: 3_000, isSite: false })).toMatch(/^ok: /);
    expect(check({ notBeforeUnixMs: NOW + DAY_MS })).toMatch(/^fail: .* → check this machine's clock/);
    expect(check({ notAfterUnixMs: NOW - 1 })).toMatch(/^fail: .*ended/);
    expect(check({ notAfterUnixMs: NOW + 3 * DAY_MS })).toMatch(/^warn: .*ends in 3 d/);
    const use = { unixMs: NOW, isRunning: false };
    expect(certificateCheck("certificates", null, use).verdict).toBe("skipped");
    expect(certificateCheck("certificates", { state: "denied", path: "/p" }, use).verdict).toBe("skipped");
    const damaged = { state: "damaged", path: "/p", problem: "empty", fix: "restore" } as const;
    expect(told(certificateCheck("certificates", damaged, use))).toBe("fail: /p: empty → restore");
  });
});

describe("a sink", () => {
  const facts: SinkFacts = {
    name: "broker",
    target: "broker.lan:1883",
    addresses: ["10.0.0.2"],
    secure: false,
    trouble: null,
    report: null,
  };
  const trouble = { why: "connection refused by broker.lan:1883", fix: "start it" };
  const up = { state: "up", protocol: "MQTT 5", lastError: null, waitingCount: 0 };
  const refused = { why: "the broker does not let this user in (CONNACK not authorized (0x87))", fix: "set a user" };

  it("is judged by the running gateway first, down to the CONNACK reason", () => {
    expect(told(sinkCheck({ ...facts, report: up, trouble }, true))).toMatch(/^ok: connected to .* by MQTT 5/);
    const blocked = { ...up, state: "blocked", lastError: refused, waitingCount: 5 };
    expect(told(sinkCheck({ ...facts, report: blocked }, true))).toMatch(/^fail: .*0x87.*, 5 waiting → set a user/);
    expect(told(sinkCheck({ ...facts, report: { ...up, state: "paused" } }, true))).toMatch(/→ .*sink resume broker/);
    expect(sinkCheck({ ...facts, report: { ...up, state: "connecting" } }, true).verdict).toBe("warn");
  });

  it("is tried from here when no gateway tells", () => {
    expect(told(sinkCheck(facts, false))).toMatch(/^ok: broker\.lan:1883 \(10\.0\.0\.2\) answers/);
    expect(told(sinkCheck({ ...facts, trouble }, false))).toBe(`fail: ${trouble.why} → start it`);
    expect(told(sinkCheck(facts, true))).toMatch(/^warn: .*no such sink → restart/);
  });
});

describe("a serial line", () => {
  const facts: SerialFacts = {
    path: "/dev/ttyUSB0",
    errno: null,
    group: { id: 20, name: "dialout" },
    isListedInGroup: false,
    user: ME,
    byId: [],
  };

  it("is there and may be opened, or it is said which group is missing", () => {
    expect(serialCheck(facts).verdict).toBe("ok");
    expect(told(serialCheck({ ...facts, errno: "EACCES" }))).toMatch(
      /^fail: pi \(uid 1000\) .*group dialout → .*usermod -aG dialout pi/,
    );
    expect(told(serialCheck({ ...facts, errno: "EACCES", isListedInGroup: true }))).toMatch(/→ log out and in again/);
    expect(told(serialCheck({ ...facts, errno: "ENOENT" }))).toMatch(/^fail: .* → plug/);
    expect(serialCheck({ ...facts, errno: "ENXIO" }).verdict).toBe("fail");
  });

  it("is better named by what stays the same", () => {
    const byId = ["/dev/serial/by-id/usb-x"];
    expect(told(serialCheck({ ...facts, byId }))).toMatch(/^warn: .* → .*by-id\/usb-x/);
    expect(serialCheck({ ...facts, path: byId[0] ?? "", byId }).verdict).toBe("ok");
    expect(noSerialCheck(byId).detail).toContain("usb-x");
  });
});

describe("the report", () => {
  const paint = paintFor({ write: () => {}, isTty: false, columns: 80 }, {});

  it("has one line per check and the fix below what is not well", () => {
    const checks = [ok("node", "fine"), warn("disk", "wears", "move it"), fail("port", "busy", "stop it")];
    expect(report([...checks, skipped("sinks", "none")], paint)).toBe(
      "✓ node   fine\n! disk   wears\n         → move it\n✗ port   busy\n         → stop it\n· sinks  none\n\n" +
        "1 failed, 1 thing to look at\n",
    );
  });

  it("is well when nothing failed, and keeps control characters off the terminal", () => {
    expect(allWell([warn("a", "b", "c"), skipped("d", "e")])).toBe(true);
    expect(allWell([fail("a", "b", "c")])).toBe(false);
    expect(report([ok("a", "x\u001b[2J")], paint)).not.toContain("\u001b");
  });
});
