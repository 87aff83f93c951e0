/** Log lines and presence over HTTP. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PresenceLog } from "./presence-log.js";
import { offline, online } from "./testing/fake-host.js";
import { startTestServer, type TestServer } from "./testing/test-server.js";

describe("recent activity", () => {
  let t: TestServer;
  beforeEach(async () => {
    t = await startTestServer();
  });
  afterEach(() => t.stop());

  it("log lines come with level, device and place to go on from, and never without a credential", async () => {
    t.host.logRing.write('{"level":30,"time":"2026-04-01T12:00:00.000Z","msg":"device online","device":"attic-7"}\n');
    t.host.logRing.write('{"level":50,"time":"2026-04-01T12:00:01.000Z","msg":"broken"}\n');
    const all = await t.ask("GET", "/api/v1/logs");
    expect(all.json).toMatchObject({ lastId: 2, droppedCount: 0, lines: [{ level: "info" }, { level: "error" }] });
    expect((await t.ask("GET", "/api/v1/logs?device=attic-7")).json.lines).toHaveLength(1);
    expect((await t.ask("GET", "/api/v1/logs?after=1&level=error")).json.lines).toHaveLength(1);
    expect((await t.ask("GET", "/api/v1/logs?level=loud")).status).toBe(400);
    expect((await t.ask("GET", "/api/v1/logs", { anonymous: true })).status).toBe(401);
  });

  it("a device's coming and going is remembered", async () => {
    t.host.setPresence("cellar", offline());
    t.host.setPresence("cellar", online());
    const { changes } = (await t.ask("GET", "/api/v1/devices/cellar/presence")).json;
    expect(changes).toMatchObject([{ presence: "offline", remote: null }, { presence: "online" }]);
    expect((await t.ask("GET", "/api/v1/devices/nobody/presence")).json.changes).toEqual([]);
  });

  it("the memory of presence is bounded per device and in devices, and skips repeats", () => {
    const log = new PresenceLog(3, 2);
    for (let i = 0; i < 10; i++) {
      log.note("a", { atUnixMs: i, presence: i % 2 === 0 ? "online" : "offline", remote: null });
    }
    log.note("a", { atUnixMs: 99, presence: "offline", remote: null });
    expect(log.of("a").map(({ atUnixMs }) => atUnixMs)).toEqual([7, 8, 9]);
    log.note("b", { atUnixMs: 1, presence: "online", remote: null });
    log.note("c", { atUnixMs: 1, presence: "online", remote: null });
    expect([log.of("a").length, log.of("b").length, log.of("c").length]).toEqual([0, 1, 1]);
  });
});
