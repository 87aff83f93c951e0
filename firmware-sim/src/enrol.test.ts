/** Credentials: who gets a new one, who keeps his, and who must not lose his. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AdminClient } from "./admin-client.js";
import { CredentialStore } from "./credential.js";
import { enrol, judge } from "./enrol.js";
import type { GatewayAddress } from "./gateway-address.js";
import { ADMIN_TOKEN, FakeGateway } from "./testing/fake-gateway.js";

const WANTED = ["a", "b", "c"].map((id) => ({ id, name: `Device ${id}` }));

describe("enrolment", () => {
  let gateway: FakeGateway;
  let dir: string;
  let address: GatewayAddress;

  beforeEach(async () => {
    gateway = await FakeGateway.start();
    dir = mkdtempSync(join(tmpdir(), "sim-enrol-"));
    address = { url: new URL(gateway.adminUrl), token: ADMIN_TOKEN, ca: null, devicesUrl: null, gatewayId: "g" };
  });
  afterEach(async () => {
    rmSync(dir, { recursive: true });
    await gateway.close();
  });

  const run = (gatewayId = "g") =>
    enrol(new AdminClient(address), WANTED, { store: new CredentialStore(dir), gatewayId });

  it("adds unknown devices, and keeps their tokens where only the owner reads them", async () => {
    const credentials = await run();
    expect(credentials.map(({ deviceId }) => deviceId)).toEqual(["a", "b", "c"]);
    expect(statSync(join(dir, "a.json")).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  it("uses what it kept, and replaces only what is missing, unreadable or of another gateway", async () => {
    const [a, b, c] = await run();
    rmSync(join(dir, "b.json"));
    writeFileSync(join(dir, "c.json"), '{"deviceId":"c","tok');
    const again = await run();
    expect(again[0]).toEqual(a);
    expect(again[1]?.token).not.toBe(b?.token);
    expect(again[2]?.token).not.toBe(c?.token);
    expect((await run("another gateway"))[0]?.token).not.toBe(a?.token);
  });

  it("never takes the credential of a device that is not its own", async () => {
    await run();
    gateway.models.set("b", "attic-board");
    rmSync(join(dir, "b.json"));
    await expect(run()).rejects.toThrow(/attic-board/);
  });

  it("judges by what is known and what is kept", () => {
    const known = { id: "a", model: "tidegate-sim", revoked: false };
    expect(judge(undefined, true)).toBe("add");
    expect(judge(known, true)).toBe("use");
    expect(judge(known, false)).toBe("replace");
    expect(judge({ ...known, revoked: true }, true)).toBe("replace");
    expect(judge({ ...known, model: "" }, false)).toBe("replace");
    expect(judge({ ...known, model: "other" }, true)).toBe("foreign");
  });

  it("says in three parts what a gateway refuses, and that nobody answers", async () => {
    address = { ...address, token: "wrong" };
    await expect(run()).rejects.toMatchObject({ what: "who are you", fix: "read the test", exitCode: 1 });
    address = { ...address, url: new URL("http://127.0.0.1:1") };
    await expect(run()).rejects.toMatchObject({ exitCode: 3 });
  });
});
