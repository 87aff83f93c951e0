/** Identities on a real file: credentials, their end, and the audit. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GatewayError } from "../core/errors.js";
import { openTestStore, type TestFolder, type TestStore, testFolder } from "./testing/store.js";

let folder: TestFolder;
let store: TestStore;
beforeEach(() => {
  folder = testFolder();
  store = openTestStore(folder.path);
});
afterEach(() => {
  store.engine.abandon();
  folder.remove();
});

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown.code;
    throw thrown;
  }
  return "none";
}

describe("the identities", () => {
  it("are added together, and one that is refused leaves the others", () => {
    const { identity } = store.engine;
    identity.add("attic-7", "", "h0", 1);
    const answers = identity.addAll(
      [
        ["cellar", "The cellar", "h1"],
        ["attic-7", "", "h2"],
        ["cellar", "", "h3"],
        ["roof", "", "h4"],
      ],
      5,
    );
    expect(answers.map((answer) => (answer instanceof GatewayError ? answer.code : answer.tokenHash))).toEqual([
      "h1",
      "E_DEVICE_EXISTS",
      "E_DEVICE_EXISTS",
      "h4",
    ]);
    expect(identity.all().map(({ device }) => device)).toEqual(["attic-7", "cellar", "roof"]);
  });

  it("keep a device until it is forgotten, and one device per id", () => {
    const { identity } = store.engine;
    const added = identity.add("attic-7", "The attic", "h1", 5);
    expect(added).toEqual({
      device: "attic-7",
      name: "The attic",
      tokenHash: "h1",
      createdUnixMs: 5,
      revokedUnixMs: null,
    });
    expect(codeOf(() => identity.add("attic-7", "", "h2", 6))).toBe("E_DEVICE_EXISTS");
    expect(identity.rename("attic-7", "Upstairs").name).toBe("Upstairs");
    identity.forget("attic-7");
    expect(identity.all()).toEqual([]);
  });

  it("lose their token when revoked, and come back with a new one", () => {
    const { identity } = store.engine;
    identity.add("attic-7", "", "h1", 5);
    expect(identity.revoke("attic-7", 9)).toMatchObject({ tokenHash: null, revokedUnixMs: 9 });
    expect(identity.revoke("attic-7", 12).revokedUnixMs).toBe(9);
    expect(identity.replaceToken("attic-7", "h2")).toMatchObject({ tokenHash: "h2", revokedUnixMs: null });
  });

  it("say so when there is no such device", () => {
    const { identity } = store.engine;
    const calls = [
      () => identity.revoke("x", 1),
      () => identity.replaceToken("x", "h"),
      () => identity.rename("x", "y"),
      () => identity.forget("x"),
    ];
    expect(calls.map(codeOf)).toEqual(calls.map(() => "E_DEVICE_UNKNOWN"));
  });

  it("keep the password's hash and a bounded audit", () => {
    const { identity } = store.engine;
    expect(identity.setting("password")).toBeNull();
    identity.putSetting("password", "$scrypt$x");
    expect(identity.setting("password")).toBe("$scrypt$x");
    const lines = Array.from({ length: 200 }, (_, i) => ["cli", "add", `device-${i} ${"x".repeat(1_000)}`] as const);
    store.engine.note({ cursors: [], boots: [], audit: lines });
    store.engine.tick();
    expect(auditRow()).toEqual({ n: 200, longest: 256 });
  });

  it("write audit lines with the housekeeping, before it when many wait, and at the end", () => {
    const lines = (count: number) => Array.from({ length: count }, () => ["cli", "add", "x"] as const);
    store.engine.note({ cursors: [], boots: [], audit: lines(3) });
    expect(auditRow()).toMatchObject({ n: 0 });
    store.engine.note({ cursors: [], boots: [], audit: lines(253) });
    expect(auditRow()).toMatchObject({ n: 256 });
    store.engine.note({ cursors: [], boots: [], audit: lines(1) });
    store.engine.close();
    store = openTestStore(folder.path);
    expect(auditRow()).toMatchObject({ n: 257 });
  });

  function auditRow(): unknown {
    const { db } = store.stores.identity;
    return db.prepare("SELECT count(*) AS n, max(length(subject)) AS longest FROM audit").get();
  }
});
