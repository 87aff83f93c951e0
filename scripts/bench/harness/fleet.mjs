// Devices that are known to a gateway before it is measured.
//
// They are added once per size, through the API; every round starts on a copy of that data folder, so that no round
// inherits what the one before has stored. Adding them is not measured, so it need not happen on the disk.

import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Gateway } from "./gateway.mjs";

/** Requests at once while devices are added. */
const ADDING_AT_ONCE = 64;

/** A number of devices with their credentials. */
export class Fleet {
  #place;

  constructor(count, folder, place) {
    this.count = count;
    this.#place = place;
    this.tokensFile = join(folder, "tokens");
    this.caFile = join(folder, "ca.pem");
    this.dataDir = join(folder, "data");
  }

  /**
   * Adds `count` devices to a gateway made for that.
   * @param {number} count
   * @param {object} [storage] settings that a new store takes its shape from
   * @param {{ newFolder: () => string, newFastFolder: () => string, profile: string | null }} place makes
   *   empty folders, on the disk that is measured and where an fsync is cheap; says where profiles go
   */
  static async make(count, place, storage = {}) {
    const folder = place.newFastFolder();
    const fleet = new Fleet(count, folder, place);
    const gateway = await Gateway.start(folder, { devices: { tls: "site" }, storage });
    const credentials = [];
    let next = 0;
    const addSome = async () => {
      while (next < count) {
        const index = next++;
        credentials[index] = await gateway.addDevice(`bench-${String(index).padStart(5, "0")}`);
      }
    };
    await Promise.all(Array.from({ length: ADDING_AT_ONCE }, addSome));
    await gateway.stop();
    writeFileSync(fleet.tokensFile, credentials.map(({ deviceId, token }) => `${deviceId} ${token}\n`).join(""));
    writeFileSync(fleet.caFile, credentials[0].ca);
    return fleet;
  }

  /**
   * Runs `use` with a fresh gateway that knows the fleet; it is gone afterwards, whatever happens.
   * @template T
   * @param {Parameters<typeof Gateway.start>[1]} settings
   * @param {(gateway: Gateway) => Promise<T>} use
   */
  async withGateway(settings, use) {
    const { gateway, end } = await this.open(settings);
    try {
      return await use(gateway);
    } finally {
      await end();
    }
  }

  /**
   * As `withGateway`, for those who end it themselves.
   * @param {Parameters<typeof Gateway.start>[1]} settings
   * @returns {Promise<{ gateway: Gateway, end: () => Promise<void> }>}
   */
  async open(settings) {
    const folder = this.#place.newFolder();
    const { profile } = this.#place;
    cpSync(this.dataDir, join(folder, "data"), { recursive: true });
    const gateway = await Gateway.start(
      folder,
      settings,
      profile === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    );
    const end = async () => {
      // Profiles are written by those who leave in good order.
      if (profile === null) await gateway.kill();
      else await gateway.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    return { gateway, end };
  }
}
