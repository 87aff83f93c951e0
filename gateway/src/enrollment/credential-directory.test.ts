/** The directory of credentials: what it lets in, and when it stops letting in. */
import { describe, expect, it } from "vitest";
import { GatewayError } from "../core/errors.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import type { DeviceIdentity, IdentityStore } from "../model/identity.js";
import { CredentialDirectory } from "./credential-directory.js";

class FakeIdentityStore implements IdentityStore {
  readonly rows = new Map<string, DeviceIdentity>();
  failing = false;
  #password: string | null = null;

  devices = async () => [...this.rows.values()];
  add = async (device: string, name: string, tokenHash: string) =>
    this.#save({ device, name, tokenHash, createdUnixMs: 1, revokedUnixMs: null });
  replaceToken = async (device: string, tokenHash: string) =>
    this.#save({ ...this.#row(device), tokenHash, revokedUnixMs: null });
  revoke = async (device: string) => this.#save({ ...this.#row(device), tokenHash: null, revokedUnixMs: 2 });
  rename = async (device: string, name: string) => this.#save({ ...this.#row(device), name });
  forget = async (device: string) => {
    this.#row(device);
    this.rows.delete(device);
  };
  passwordHash = async () => this.#password;
  setPasswordHash = async (hash: string) => {
    this.#password = hash;
  };
  audit() {}

  #row(device: string): DeviceIdentity {
    const row = this.rows.get(device);
    if (this.failing || row === undefined) throw new GatewayError("E_STORE_IO", "the disk is gone");
    return row;
  }

  #save(row: DeviceIdentity): DeviceIdentity {
    if (this.failing) throw new GatewayError("E_STORE_IO", "the disk is gone");
    this.rows.set(row.device, row);
    return row;
  }
}

async function open(identitiesMax = 100) {
  const store = new FakeIdentityStore();
  const directory = await CredentialDirectory.open(store, new SeededRandom(3), { identitiesMax });
  const ended: string[] = [];
  directory.onEnded((device, reason) => ended.push(`${device} ${reason}`));
  return { store, directory, ended };
}

describe("the credential directory", () => {
  it("lets in who shows the token it gave out, also after a restart, and keeps only the hash", async () => {
    const { store, directory } = await open();
    const { token } = await directory.add("attic-7", "Attic");
    expect(directory.check(token)).toBe("attic-7");
    expect(directory.checkProof(Buffer.from(token))).toBe("attic-7");
    expect(JSON.stringify([...store.rows.values()])).not.toContain(token);
    const again = await CredentialDirectory.open(store, new SeededRandom(4));
    expect(again.check(token)).toBe("attic-7");
    expect(again.identity("attic-7")?.name).toBe("Attic");
  });

  it("knows nobody by an empty, wrong or endless token", async () => {
    const { directory } = await open();
    const { token } = await directory.add("attic-7");
    for (const wrong of ["", "tg_", `${token}=`, token.toUpperCase(), "x".repeat(1_000_000)]) {
      expect(directory.check(wrong)).toBeNull();
    }
    expect(directory.checkProof(new Uint8Array(0))).toBeNull();
    expect(directory.checkProof(new Uint8Array(100_000))).toBeNull();
  });

  it("ends a credential when it is revoked, replaced or forgotten, and says so", async () => {
    const { directory, ended } = await open();
    const first = (await directory.add("a")).token;
    const second = (await directory.replace("a")).token;
    expect([directory.check(first), directory.check(second)]).toEqual([null, "a"]);
    await directory.revoke("a");
    expect(directory.check(second)).toBeNull();
    const third = (await directory.replace("a")).token;
    expect(directory.check(third)).toBe("a");
    await directory.forget("a");
    expect(directory.check(third)).toBeNull();
    expect(ended).toEqual(["a replaced", "a revoked", "a replaced", "a forgotten"]);
    expect(directory.count).toBe(0);
  });

  it("keeps letting in a device whose revocation the disk refused, and tells", async () => {
    const { store, directory, ended } = await open();
    const { token } = await directory.add("a");
    store.failing = true;
    await expect(directory.revoke("a")).rejects.toMatchObject({ code: "E_STORE_IO" });
    expect(directory.check(token)).toBe("a");
    expect(ended).toEqual([]);
  });

  it("keeps the token over a new name", async () => {
    const { directory } = await open();
    const { token } = await directory.add("a");
    expect((await directory.rename("a", "Kitchen")).name).toBe("Kitchen");
    expect(directory.check(token)).toBe("a");
  });

  it("refuses ids, names and amounts out of bounds", async () => {
    const { directory } = await open(1);
    for (const id of ["", "a/b", "#", "-a", "ä", "a".repeat(64), "../x"]) {
      await expect(directory.add(id)).rejects.toMatchObject({ code: "E_NAME_INVALID" });
    }
    await expect(directory.add("a", "x".repeat(129))).rejects.toMatchObject({ code: "E_BAD_REQUEST" });
    await expect(directory.add("a", "one\ntwo")).rejects.toMatchObject({ code: "E_BAD_REQUEST" });
    await directory.add("a");
    await expect(directory.add("a")).rejects.toMatchObject({ code: "E_DEVICE_EXISTS" });
    await expect(directory.add("b")).rejects.toMatchObject({ code: "E_TOO_MANY" });
    await expect(directory.revoke("nobody")).rejects.toMatchObject({ code: "E_DEVICE_UNKNOWN" });
  });
});
