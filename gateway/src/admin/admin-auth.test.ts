/** Who gets in: every route without a credential, links, sessions, passwords, and what other sites can do. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { Metrics } from "../core/metrics.js";
import { SystemRandom } from "../core/random.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { AdminAuth } from "./admin-auth.js";
import { LOGIN_CODE_MS_MAX } from "./login-codes.js";
import { SESSION_MS_MAX, SESSIONS_MAX, type SessionKeeping } from "./login-sessions.js";
import { group, LoginThrottle } from "./login-throttle.js";
import { PasswordHasher } from "./password.js";
import { fileShelf } from "./session-shelf.js";
import { startTestServer, type TestServer, TOKEN } from "./testing/test-server.js";

let t: TestServer;
beforeAll(async () => {
  t = await startTestServer();
});
afterAll(() => t.stop());

/** Status of a raw request with exactly these headers: fetch would not let us lie about Host. */
function raw(method: string, path: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: "127.0.0.1", port: t.port, method, path, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** HTTP status that a WebSocket client is refused with; 101 when it was let in. */
function knock(headers: Record<string, string>, path = "/api/v1/live"): Promise<number> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${t.port}${path}`, { headers });
    ws.on("open", () => {
      ws.terminate();
      resolve(101);
    });
    ws.on("unexpected-response", (_request, answer) => resolve(answer.statusCode ?? 0));
    ws.on("error", reject);
  });
}

describe("without a credential", () => {
  it("every documented route answers 401, but health and logging in", async () => {
    const { json } = await t.ask("GET", "/openapi.json");
    const open: string[] = [];
    for (const [template, operations] of Object.entries<Record<string, unknown>>(json.paths)) {
      const path = template.replace("{id}", "attic-7").replace("{name}", "broker").replace("{commandId}", "cmd_1");
      for (const method of Object.keys(operations)) {
        const { status } = await t.ask(method.toUpperCase(), path, { anonymous: true });
        if (status !== 401) open.push(`${method} ${template} ${status}`);
      }
    }
    expect(open).toEqual(["get /healthz 200", "post /api/v1/login 400"]);
  });

  it("so does every other address, known or not", async () => {
    for (const path of [
      "/",
      "/openapi.json",
      "/metrics",
      "/assets/x.js",
      "/api/v1/live",
      "/api/v1/live/sse",
      "/nope",
    ]) {
      expect((await t.ask("GET", path, { anonymous: true })).status).toBe(401);
    }
    expect((await t.ask("GET", "/login", { anonymous: true })).status).toBe(200);
    expect((await t.ask("PUT", "/healthz", { anonymous: true })).status).toBe(401);
  });

  it("a wrong, empty or half token opens nothing", async () => {
    for (const authorization of ["Bearer x", "Bearer ", `Bearer ${TOKEN.slice(0, -1)}`, `Basic ${TOKEN}`, TOKEN]) {
      expect((await t.ask("GET", "/api/v1/status", { headers: { authorization } })).status).toBe(401);
    }
    const cookie = `${await t.cookie()}`;
    expect((await t.ask("GET", "/api/v1/status", { headers: { authorization: "Bearer x", cookie } })).status).toBe(401);
  });

  it("an empty admin token opens nothing", () => {
    const auth = makeAuth(new ManualClock(), "\n");
    expect(auth.check("Bearer ", undefined)).toBeNull();
    expect(auth.check("Bearer \n", undefined)).toBeNull();
  });

  it("the live feed refuses the upgrade before it happens", async () => {
    expect(await knock({})).toBe(401);
    expect(await knock({ authorization: `Bearer ${TOKEN}` })).toBe(101);
    expect(await knock({ authorization: `Bearer ${TOKEN}` }, "/api/v1/other")).toBe(404);
    expect(await knock({ cookie: await t.cookie() })).toBe(101);
  });
});

describe("other sites", () => {
  it("do not reach the gateway by a rebound name", async () => {
    const authorization = `Bearer ${TOKEN}`;
    expect(await raw("GET", "/api/v1/status", { authorization, host: "evil.example" })).toBe(403);
    expect(await raw("GET", "/healthz", { host: "evil.example" })).toBe(403);
    expect(await raw("GET", "/api/v1/status", { authorization, host: "attic-pi.lan" })).toBe(200);
    expect(await knock({ authorization, host: "evil.example" })).toBe(403);
  });

  it("cannot change anything or listen, even with the session's cookie", async () => {
    const cookie = await t.cookie();
    const evil = { cookie, origin: "http://evil.example" };
    expect((await t.ask("DELETE", "/api/v1/devices/attic-7", { anonymous: true, headers: evil })).status).toBe(403);
    expect((await t.ask("POST", "/api/v1/logout", { anonymous: true, headers: evil })).status).toBe(403);
    expect(await knock(evil)).toBe(403);
    expect(await knock({ cookie, origin: "null" })).toBe(403);
    expect(await knock({ cookie, origin: t.url })).toBe(101);
    expect(t.host.ids.some((id) => id.device === "attic-7")).toBe(true);
  });

  it("get strict headers with every answer", async () => {
    for (const path of ["/healthz", "/login", "/nope", "/api/v1/status"]) {
      const { headers } = await t.ask("GET", path);
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain("unsafe");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    }
  });
});

describe("login links", () => {
  it("work once, case and dashes aside, and give a cookie no script can read", async () => {
    const code = t.server.loginLink().split("#")[1] ?? "";
    expect(code).toMatch(/^[A-Z2-9]{26}$/);
    const typed = `${code.slice(0, 8)}-${code.slice(8)}`.toLowerCase();
    const first = await t.ask("POST", "/api/v1/login", { anonymous: true, body: { code: typed } });
    expect(first.status).toBe(204);
    const set = first.headers.get("set-cookie") ?? "";
    expect(set).toContain(`tidegate_session_${t.port}=`);
    expect(set).toContain("HttpOnly");
    expect(set).toContain("SameSite=Strict");
    expect(set).toContain("Max-Age=604800");
    const again = await t.ask("POST", "/api/v1/login", { anonymous: true, body: { code } });
    expect([again.status, again.json.error.code]).toEqual([401, "E_UNAUTHORIZED"]);
  });

  it("end after ten minutes of monotonic time, whatever the wall clock does", () => {
    const clock = new ManualClock();
    const auth = makeAuth(clock);
    const [early, late] = [auth.issueLoginCode().code, auth.issueLoginCode().code];
    clock.jumpUnix(24 * 3600 * 1000);
    clock.advance(LOGIN_CODE_MS_MAX - 1);
    expect(auth.loginWithCode(early, "a").secret).toHaveLength(43);
    clock.advance(1);
    expect(() => auth.loginWithCode(late, "a")).toThrow(expect.objectContaining({ code: "E_UNAUTHORIZED" }));
  });

  it("are few at a time: the seventeenth makes the first void", () => {
    const auth = makeAuth(new ManualClock());
    const codes = Array.from({ length: 17 }, () => auth.issueLoginCode().code);
    expect(() => auth.loginWithCode(codes[0] ?? "", "a")).toThrow();
    expect(auth.loginWithCode(codes[1] ?? "", "a").sessionId).toBeDefined();
  });

  it("can be asked for with the admin token, not with a session", async () => {
    const { status, json } = await t.ask("POST", "/api/v1/login-codes");
    expect(status).toBe(201);
    expect(json).toEqual({ code: expect.any(String), path: `/login#${json.code}`, expiresInMs: LOGIN_CODE_MS_MAX });
    const headers = { cookie: await t.cookie() };
    expect((await t.ask("POST", "/api/v1/login-codes", { anonymous: true, headers })).status).toBe(403);
  });
});

describe("sessions", () => {
  it("say who they are and end with logout", async () => {
    const headers = { cookie: await t.cookie() };
    const { json } = await t.ask("GET", "/api/v1/session", { anonymous: true, headers });
    expect(json).toMatchObject({ gateway: "attic-pi", kind: "session", passwordSet: false });
    expect(json.expiresInMs).toBeGreaterThan(SESSION_MS_MAX - 60_000);
    expect((await t.ask("POST", "/api/v1/logout", { anonymous: true, headers })).status).toBe(204);
    expect((await t.ask("GET", "/api/v1/session", { anonymous: true, headers })).status).toBe(401);
  });

  it("end after seven days and are bounded in number", () => {
    const clock = new ManualClock();
    const auth = makeAuth(clock);
    const open = () => `tidegate_session=${auth.loginWithCode(auth.issueLoginCode().code, "a").secret}`;
    const first = open();
    expect(auth.check(undefined, first)).toMatchObject({ kind: "session" });
    for (let i = 0; i < SESSIONS_MAX; i++) open();
    expect(auth.check(undefined, first)).toBeNull();
    const last = open();
    clock.advance(SESSION_MS_MAX);
    expect(auth.check(undefined, last)).toBeNull();
  });
});

describe("sessions kept on a shelf", () => {
  const keeping = (bootId: string, text: string | null) => {
    const kept = { text };
    const shelf = {
      load: async () => kept.text,
      save: (saved: string) => {
        kept.text = saved;
      },
    };
    return { kept, sessions: { bootId, shelf } };
  };

  it("outlive a restart within one boot of the machine, as hashes only", async () => {
    const clock = new ManualClock();
    const first = keeping("boot1", null);
    const before = makeAuth(clock, TOKEN, first.sessions);
    const { secret } = before.loginWithCode(before.issueLoginCode().code, "a");
    expect(first.kept.text).not.toContain(secret);
    const after = async (bootId: string, text: string | null): Promise<boolean> => {
      const auth = makeAuth(clock, TOKEN, keeping(bootId, text).sessions);
      await auth.restoreSessions();
      return auth.check(undefined, `tidegate_session=${secret}`) !== null;
    };
    expect(await after("boot1", first.kept.text)).toBe(true);
    expect(await after("boot2", first.kept.text)).toBe(false);
    for (const damaged of ["", "{", "[]", '{"boot":"boot1","sessions":[{"id":1}]}', null]) {
      expect(await after("boot1", damaged)).toBe(false);
    }
    expect(await after("boot1", first.kept.text?.replace(/"endMonoMs":\d+/, '"endMonoMs":1e15') ?? null)).toBe(false);
    clock.advance(SESSION_MS_MAX);
    expect(await after("boot1", first.kept.text)).toBe(false);
  });

  it("that logged out stay out", async () => {
    const { kept, sessions } = keeping("boot1", null);
    const clock = new ManualClock();
    const auth = makeAuth(clock, TOKEN, sessions);
    const { secret, sessionId } = auth.loginWithCode(auth.issueLoginCode().code, "a");
    auth.logout({ kind: "session", sessionId });
    const next = makeAuth(clock, TOKEN, keeping("boot1", kept.text).sessions);
    await next.restoreSessions();
    expect(next.check(undefined, `tidegate_session=${secret}`)).toBeNull();
  });

  it("live in a file that only its owner reads", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-shelf-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "admin.sessions");
    const shelf = fileShelf(path);
    expect(await shelf.load()).toBeNull();
    shelf.save("one");
    shelf.save("two");
    await expect.poll(() => shelf.load()).toBe("two");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });
});

describe("the password", () => {
  it("is set with the token, opens a session, and is changed only by who knows it", async () => {
    const password = "correct horse battery";
    expect((await t.ask("PUT", "/api/v1/password", { body: { password: "short" } })).status).toBe(400);
    expect((await t.ask("PUT", "/api/v1/password", { body: { password } })).status).toBe(204);
    expect(t.host.passwordHash).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$/);
    const opened = await t.ask("POST", "/api/v1/login", { anonymous: true, body: { password } });
    expect(opened.status).toBe(204);
    const headers = { cookie: (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
    const change = (current: string) =>
      t.ask("PUT", "/api/v1/password", { anonymous: true, headers, body: { password: "another long one", current } });
    expect((await change("wrong")).status).toBe(401);
    const other = await t.cookie();
    expect((await change(password)).status).toBe(204);
    expect((await t.ask("GET", "/api/v1/session", { anonymous: true, headers })).status).toBe(200);
    expect((await t.ask("GET", "/api/v1/session", { anonymous: true, headers: { cookie: other } })).status).toBe(401);
    t.host.passwordHash = null;
  });

  it("hashes differ each time and damaged ones fit nothing", async () => {
    const hasher = new PasswordHasher(new SystemRandom());
    const [one, two] = [await hasher.hash("a long password"), await hasher.hash("a long password")];
    expect(one).not.toBe(two);
    expect(await hasher.verify("a long password", one)).toBe(true);
    expect(await hasher.verify("another password", one)).toBe(false);
    for (const damaged of [null, "", "$scrypt$", one.slice(0, -5), one.replace("ln=15", "ln=1"), "plain"]) {
      expect(await hasher.verify("a long password", damaged)).toBe(false);
    }
  });

  it("runs two checks at once, lets eight wait and refuses the rest", async () => {
    const hasher = new PasswordHasher(new SystemRandom());
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => hasher.hash("a long password")));
    expect(results.filter((r) => r.status === "fulfilled")).toHaveLength(10);
    const refused = results.filter((r) => r.status === "rejected");
    expect(refused.map((r) => r.reason.code)).toEqual(["E_TOO_MANY", "E_TOO_MANY"]);
  });

  it("is throttled: five free failures, then growing pauses, forgotten after a success", async () => {
    const clock = new ManualClock();
    const auth = makeAuth(clock);
    const fail = () => auth.loginWithPassword("wrong password", "192.0.2.1");
    for (let i = 0; i < 5; i++) await expect(fail()).rejects.toMatchObject({ code: "E_UNAUTHORIZED" });
    await expect(fail()).rejects.toMatchObject({ code: "E_TOO_MANY", fix: "wait 1 s and try again" });
    clock.advance(1000);
    await expect(fail()).rejects.toMatchObject({ code: "E_UNAUTHORIZED" });
    await expect(fail()).rejects.toMatchObject({ code: "E_TOO_MANY", fix: "wait 2 s and try again" });
    clock.advance(2000);
    auth.loginWithCode(auth.issueLoginCode().code, "192.0.2.1");
    await expect(fail()).rejects.toMatchObject({ code: "E_UNAUTHORIZED" });
  });
});

describe("the throttle", () => {
  it("caps the pause, bounds all addresses together, and recovers", () => {
    const clock = new ManualClock();
    const throttle = new LoginThrottle(clock);
    for (let i = 0; i < 30; i++) throttle.failed("192.0.2.1");
    expect(throttle.waitMs("192.0.2.1")).toBe(60_000);
    for (let i = 0; i < 30; i++) throttle.failed(`198.51.100.${i}`);
    expect(throttle.waitMs("203.0.113.9")).toBe(1000);
    clock.advance(15 * 60_000);
    expect(throttle.waitMs("192.0.2.1")).toBe(0);
  });

  it("counts one IPv6 host as one, whichever of its addresses it uses", () => {
    expect(group("2001:db8:1:2:aaaa::1")).toBe(group("2001:db8:1:2::ffff"));
    expect(group("2001:db8:1:2::1")).not.toBe(group("2001:db8:1:3::1"));
    expect(group("::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(group("::1")).toBe("0:0:0:0::/64");
  });
});

function makeAuth(clock: ManualClock, adminToken = TOKEN, sessions?: SessionKeeping): AdminAuth {
  const passwords = { passwordHash: async () => null, setPasswordHash: async () => {} };
  return new AdminAuth({ adminToken, clock, random: new SystemRandom(), passwords, metrics: new Metrics(), sessions });
}
