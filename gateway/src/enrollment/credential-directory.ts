/**
 * Who may connect, in memory: answers before the WebSocket upgrade without touching the disk. Domain `enrollment`.
 *
 *   token shown ─▶ SHA-256 ─▶ Map hash → device ─▶ device id, or null (401)
 *                                  ▲
 *   add, replace, revoke, forget ──┘ after the store has made it durable; then the listeners: live session closed
 */
import { type ErrorCode, GatewayError } from "../core/errors.js";
import { type DeviceId, deviceId } from "../core/ids.js";
import type { Random } from "../core/random.js";
import type { DeviceIdentity, IdentityStore } from "../model/identity.js";
import { hashToken, mintToken, TOKEN_CHARS_MAX } from "./token.js";

/** Longest free-text name of a device, in characters. */
export const DISPLAY_NAME_CHARS_MAX = 128;

/** Identities one gateway holds unless told: ten times the fleet it is built for. */
export const IDENTITIES_MAX = 100_000;

/** A new or replaced identity with its token, which is not kept and cannot be asked for again. */
export interface IssuedCredential {
  readonly identity: DeviceIdentity;
  readonly token: string;
}

/** Why a credential ended: the reason a live session is given. */
export type EndReason = "revoked" | "replaced" | "forgotten";

/** Told after the end is durable. */
export type CredentialEnded = (device: DeviceId, reason: EndReason) => void;

/** Bounds of a directory. */
export interface DirectoryOptions {
  /** Most identities; `add` beyond it is refused with E_TOO_MANY. */
  readonly identitiesMax?: number;
}

/** The identities of one gateway. One instance per store; it alone changes credentials while the gateway runs. */
export class CredentialDirectory {
  readonly #store: IdentityStore;
  readonly #random: Random;
  readonly #identitiesMax: number;
  readonly #byHash = new Map<string, DeviceId>();
  readonly #byDevice = new Map<string, DeviceIdentity>();
  readonly #listeners: CredentialEnded[] = [];

  private constructor(store: IdentityStore, random: Random, options: DirectoryOptions) {
    this.#store = store;
    this.#random = random;
    this.#identitiesMax = options.identitiesMax ?? IDENTITIES_MAX;
  }

  /** Read every identity once. The directory owns nothing of the store but calls it for every change. */
  static async open(
    store: IdentityStore,
    random: Random,
    options: DirectoryOptions = {},
  ): Promise<CredentialDirectory> {
    const directory = new CredentialDirectory(store, random, options);
    for (const identity of await store.devices()) directory.#put(identity);
    return directory;
  }

  /** The device that holds this token, or null. Costs one hash; the lookup is by hash, so timing tells nothing. */
  check(token: string): DeviceId | null {
    if (token.length === 0 || token.length > TOKEN_CHARS_MAX) return null;
    return this.#byHash.get(hashToken(token)) ?? null;
  }

  /** The same for a serial Hello, whose `proof` holds the token's bytes. */
  checkProof(proof: Uint8Array): DeviceId | null {
    if (proof.length === 0 || proof.length > TOKEN_CHARS_MAX) return null;
    return this.check(Buffer.from(proof.buffer, proof.byteOffset, proof.byteLength).toString("latin1"));
  }

  /** The identity of a device id, also a revoked one; null when there is none. */
  identity(device: string): DeviceIdentity | null {
    return this.#byDevice.get(device) ?? null;
  }

  /** Every identity, by id. */
  identities(): DeviceIdentity[] {
    return [...this.#byDevice.values()].sort((a, b) => (a.device < b.device ? -1 : 1));
  }

  get count(): number {
    return this.#byDevice.size;
  }

  /** Called after a credential ended, once the end is durable: close the live session, void its commands. */
  onEnded(listener: CredentialEnded): void {
    this.#listeners.push(listener);
  }

  /** A new device. Errors: E_NAME_INVALID, E_BAD_REQUEST (display name), E_DEVICE_EXISTS, E_TOO_MANY. */
  async add(device: string, name = ""): Promise<IssuedCredential> {
    const id = checkedId(device);
    checkDisplayName(name);
    if (this.#byDevice.has(id)) throw new GatewayError("E_DEVICE_EXISTS", `"${id}" is taken`);
    if (this.#byDevice.size >= this.#identitiesMax) {
      throw new GatewayError("E_TOO_MANY", `this gateway holds ${this.#identitiesMax} devices at most`, {
        fix: "forget devices that are gone",
      });
    }
    const token = mintToken(this.#random);
    const identity = await this.#store.add(id, name, hashToken(token));
    this.#put(identity);
    return { identity, token };
  }

  /** A new token; the old one ends at once. Brings a revoked device back. Errors: E_DEVICE_UNKNOWN. */
  async replace(device: string): Promise<IssuedCredential> {
    const id = this.#known(device);
    const token = mintToken(this.#random);
    const identity = await this.#store.replaceToken(id, hashToken(token));
    this.#put(identity);
    this.#ended(id, "replaced");
    return { identity, token };
  }

  /** The token ends at once; the identity stays. Revoking twice is harmless. Errors: E_DEVICE_UNKNOWN. */
  async revoke(device: string): Promise<DeviceIdentity> {
    const id = this.#known(device);
    // Out of memory first: no new link of this device gets in while the disk is slow.
    this.#dropHash(id);
    const identity = await this.#changed(id, this.#store.revoke(id));
    this.#put(identity);
    this.#ended(id, "revoked");
    return identity;
  }

  /** Another name to show. Errors: E_DEVICE_UNKNOWN, E_BAD_REQUEST. */
  async rename(device: string, name: string): Promise<DeviceIdentity> {
    const id = this.#known(device);
    checkDisplayName(name);
    const identity = await this.#store.rename(id, name);
    this.#put(identity);
    return identity;
  }

  /** The identity is gone; its records stay. Errors: E_DEVICE_UNKNOWN. */
  async forget(device: string): Promise<void> {
    const id = this.#known(device);
    this.#dropHash(id);
    await this.#changed(id, this.#store.forget(id));
    this.#byDevice.delete(id);
    this.#ended(id, "forgotten");
  }

  /** When the store refuses, memory goes back to what the store still says. */
  async #changed<T>(device: DeviceId, change: Promise<T>): Promise<T> {
    try {
      return await change;
    } catch (error) {
      const before = this.#byDevice.get(device);
      if (before !== undefined) this.#put(before);
      throw error;
    }
  }

  #known(device: string): DeviceId {
    const id = checkedId(device);
    if (!this.#byDevice.has(id)) throw new GatewayError("E_DEVICE_UNKNOWN", `no device "${id}"`);
    return id;
  }

  #put(identity: DeviceIdentity): void {
    const id = deviceId(identity.device);
    if (id === null) return; // a row no version of ours wrote: it cannot connect
    this.#dropHash(id);
    this.#byDevice.set(id, identity);
    if (identity.tokenHash !== null && identity.revokedUnixMs === null) this.#byHash.set(identity.tokenHash, id);
  }

  #dropHash(device: DeviceId): void {
    const hash = this.#byDevice.get(device)?.tokenHash;
    if (hash !== undefined && hash !== null && this.#byHash.get(hash) === device) this.#byHash.delete(hash);
  }

  #ended(device: DeviceId, reason: EndReason): void {
    for (const listener of this.#listeners) listener(device, reason);
  }
}

function checkedId(device: string): DeviceId {
  const id = deviceId(device);
  if (id === null) throw refused("E_NAME_INVALID", device);
  return id;
}

const NAME_SHOWN_MAX = 80;

function refused(code: ErrorCode, text: string): GatewayError {
  const shown = JSON.stringify(text.length > NAME_SHOWN_MAX ? `${text.slice(0, NAME_SHOWN_MAX)}…` : text);
  return new GatewayError(code, `${shown} cannot be the id of a device`);
}

function checkDisplayName(name: string): void {
  if (name.length > DISPLAY_NAME_CHARS_MAX) {
    throw new GatewayError("E_BAD_REQUEST", `the name is longer than ${DISPLAY_NAME_CHARS_MAX} characters`);
  }
  // Control characters would let a name forge lines in logs and tables.
  if (/\p{Cc}/u.test(name)) throw new GatewayError("E_BAD_REQUEST", "the name holds control characters");
}
