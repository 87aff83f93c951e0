/** The home of a store on the simulated disk. */
import type { GatewayDisk } from "./gateway-disk.js";
import { SimReader } from "./sim-reader.js";
import { SimStore } from "./sim-store.js";
import type { DurableTables, OpenParts, StoreHome, WorldStore } from "./world-store.js";

/** One per world. */
export class SimHome implements StoreHome {
  readonly #disk: GatewayDisk;

  constructor(disk: GatewayDisk) {
    this.#disk = disk;
  }

  get tables(): DurableTables {
    return this.#disk.tables;
  }

  get lastRecordId(): number {
    return this.#disk.tables.durableRecordCount;
  }

  open({ clock, random, bootId, durable, onFatal }: OpenParts): Promise<WorldStore> {
    const disk = this.#disk;
    const store = new SimStore({ disk, clock, random, bootId, watch: { durable }, onFatal });
    return Promise.resolve({
      spool: store,
      commands: store.commands,
      reader: new SimReader(disk.tables, clock, random),
      cursorOf: (sink) => store.cursorOf(sink),
      kill: () => store.kill(),
    });
  }

  backUp(): boolean {
    return false;
  }

  restore(): boolean {
    return false;
  }

  rot(): null {
    return null;
  }

  dispose(): void {}
}
