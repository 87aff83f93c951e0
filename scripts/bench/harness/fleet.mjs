// Devices that are known to a gateway before it is measured.
//
// They are added once per size, through the API; every round starts on a copy of that data folder, so that no round
// inherits what the one before has stored.

import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Gateway } from "./gateway.mjs";

/** Requests at once while devices are added. */
const ADDING_AT_ONCE = 64;

/** A number of devices with their credentials. */
export class Fleet {
  #newFolder;

  constructor(count, folder, newFolder) {
    this.count = count;
    this.#newFolder = newFolder;
    this.tokensFile = join(folder, "tokens");
    this.caFile = join(folder, "ca.pem");
    this.dataDir = join(folder, "data");
  }

  /**
   * Adds `count` devices to a gateway made for that.
   * @param {number} count
   * @param {() => string} newFolder makes an empty folder
   */
  static async make(count, newFolder) {
    const folder = newFolder();
    const fleet = new Fleet(count, folder, newFolder);
    const gateway = await Gateway.start(folder, { devices: { tls: "site" } });
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
    const folder = this.#newFolder();
    cpSync(this.dataDir, join(folder, "data"), { recursive: true });
    const gateway = await Gateway.start(folder, settings);
    try {
      return await use(gateway);
    } finally {
      await gateway.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
