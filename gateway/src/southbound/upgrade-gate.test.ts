/** Who may open a link: gate, places, lock-out. */
import { describe, expect, it } from "vitest";
import { FailedLogins } from "./failed-logins.js";
import { comeBackMs, type GateState, judgeUpgrade, type UpgradeFacts } from "./upgrade-gate.js";

const FACTS: UpgradeFacts = {
  path: "/v1/device",
  host: "gw.local:8443",
  origin: undefined,
  authorization: "Bearer tg_good",
  protocols: "tidegate.v1",
};
const GATE: GateState = {
  testEcho: false,
  comeBackInMs: null,
  lockedOut: false,
  authenticate: (token) => (token === "tg_good" ? "pump-7" : null),
};
const judge = (facts: Partial<UpgradeFacts>, gate: Partial<GateState> = {}) =>
  judgeUpgrade({ ...FACTS, ...facts }, { ...GATE, ...gate });
const status = (verdict: ReturnType<typeof judge>) => (verdict.let === "none" ? verdict.status : verdict.let);

describe("the gate before the upgrade", () => {
  it("lets a device with a good token in, under the token's own id", () => {
    expect(judge({})).toEqual({ let: "device", device: "pump-7" });
    expect(judge({ protocols: "other, tidegate.v1" }).let).toBe("device");
  });

  it("answers a wrong or missing token with 401 and says what to send", () => {
    for (const authorization of [undefined, "", "Basic abc", "Bearer ", "Bearer a b", `Bearer ${"x".repeat(600)}`]) {
      expect(status(judge({ authorization }))).toBe(401);
    }
    expect(judge({ authorization: "Bearer tg_bad" })).toMatchObject({ status: 401, badCredential: true });
  });

  it("answers other paths with 404 and a wrong subprotocol with 400", () => {
    expect(status(judge({ path: "/" }))).toBe(404);
    expect(status(judge({ protocols: "mqtt" }))).toBe(400);
    expect(status(judge({ protocols: undefined }))).toBe(400);
  });

  it("allows the Origin of devices and of its own host, and no other site's page", () => {
    for (const origin of [undefined, "null", "file://", "https://gw.local:8443"]) {
      expect(judge({ origin }).let).toBe("device");
    }
    for (const origin of [
      "https://evil.example",
      "https://gw.local",
      "nonsense",
      "https://gw.local:8443.evil.example",
    ]) {
      expect(status(judge({ origin }))).toBe(403);
    }
  });

  it("[P-36] serves the echo subprotocol only when tests asked for it", () => {
    expect(status(judge({ protocols: "tidegate.echo" }))).toBe(400);
    expect(judge({ protocols: "tidegate.echo" }, { testEcho: true }).let).toBe("echo");
  });

  it("sends a crowd away with a time to come back, before it looks at credentials", () => {
    let asked = 0;
    const authenticate = () => {
      asked += 1;
      return null;
    };
    expect(judge({}, { comeBackInMs: 4200, authenticate })).toMatchObject({ status: 503, retryAfterS: 5 });
    expect(judge({}, { lockedOut: true, authenticate })).toMatchObject({ status: 429 });
    expect(asked).toBe(0);
  });
});

it("sends links away when all places are taken or too many have not said hello, not all back at the same moment", () => {
  const limits = { linkCountMax: 100, greetingCountMax: 10, perSecond: 5 };
  expect(comeBackMs({ links: 99, greeting: 9 }, limits, 0)).toBeNull();
  expect(comeBackMs({ links: 100, greeting: 0 }, limits, 0)).toBe(5_000);
  expect(comeBackMs({ links: 101, greeting: 0 }, limits, 0.5)).toBe(10_000);
  expect(comeBackMs({ links: 10, greeting: 10 }, limits, 0)).not.toBeNull();
});

describe("failed logins", () => {
  it("lock one address out for the rest of the minute, and no other", () => {
    const book = new FailedLogins(3);
    for (let i = 0; i < 3; i++) book.failed("10.0.0.9", 1000 * i);
    expect(book.lockedOut("10.0.0.9", 3000)).toBe(true);
    expect(book.lockedOut("10.0.0.8", 3000)).toBe(false);
    expect(book.lockedOut("10.0.0.9", 61_000)).toBe(false);
  });
});
