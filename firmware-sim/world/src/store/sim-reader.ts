/** The reader of the simulated disk: durable records, rendered by the gateway's own renderer. */
import { type Catalog, decodeCatalog, joinCatalog } from "@tidegate/proto";
import type { QuarantinedRecord, RenderedSlice, RequeuedRecord } from "tidegate/dist/model/spool.js";
import { SliceBuilder } from "tidegate/dist/storage/slice-builder.js";
import { Renderer } from "tidegate/dist/telemetry/render.js";
import type { ProcessClock } from "../process-clock.js";
import type { Seeded } from "../seeded.js";
import type { DiskTables } from "./disk-tables.js";
import type { StoreReader } from "./world-store.js";

export const GATEWAY_ID = "gw";
const READ_MS_MIN = 0.2;
const READ_MS_MAX = 20;

const NOTHING = new SliceBuilder(1).finish(0, false);

/** One per life of the gateway; sees durable records only. */
export class SimReader implements StoreReader {
  readonly #tables: DiskTables;
  readonly #clock: ProcessClock;
  readonly #random: Seeded;
  readonly #renderer = new Renderer(GATEWAY_ID);
  readonly #catalogs = new Map<number, Catalog | null>();

  constructor(tables: DiskTables, clock: ProcessClock, random: Seeded) {
    this.#tables = tables;
    this.#clock = clock;
    this.#random = random;
  }

  rendered(afterId: number, rowsMax: number): Promise<RenderedSlice> {
    return this.#soon(() => this.#slice(afterId, rowsMax));
  }

  requeued(_sink: string, limit: number): Promise<readonly RequeuedRecord[]> {
    return this.#soon(() =>
      [...this.#tables.aside.values()]
        .flatMap(({ recordId, state, message }) =>
          state === "requeued" && message !== null ? [{ recordId, ...message }] : [],
        )
        .slice(0, limit),
    );
  }

  quarantined(sink: string | null, limit: number): Promise<readonly QuarantinedRecord[]> {
    return this.#soon(() =>
      [...this.#tables.aside.values()].slice(-limit).map(({ recordId, reason, state, message }) => {
        const { deviceKey = 0, epoch = 0, seq = 0 } = this.#tables.records[recordId - 1] ?? {};
        const device = this.#tables.deviceByKey(deviceKey)?.device ?? "";
        const canRequeue = state === "aside" && message !== null;
        return { recordId, sink: sink ?? "", device, epoch, seq, reason, atUnixMs: 0, state, canRequeue };
      }),
    );
  }

  #soon<T>(read: () => T): Promise<T> {
    return new Promise((resolve) => {
      this.#clock.after(this.#random.spread(READ_MS_MIN, READ_MS_MAX), () => resolve(read()));
    });
  }

  /** Ids are 1, 2, 3 …: a record's place in the list is its id − 1. */
  #slice(afterId: number, rowsMax: number): RenderedSlice {
    const { records, durableRecordCount } = this.#tables;
    const end = Math.min(afterId + rowsMax, durableRecordCount);
    // A builder brings a large buffer along: not for every look at a spool in which nothing is new.
    if (end <= afterId) return { ...NOTHING, scannedToId: afterId };
    const builder = new SliceBuilder(Math.max(1, rowsMax));
    for (const record of records.slice(afterId, end)) {
      const device = this.#tables.deviceByKey(record.deviceKey)?.device ?? "";
      const stored = { ...record, device };
      const message = this.#renderer.render(stored, this.#catalog(record.catalog));
      if (message !== null) builder.add(stored, message);
    }
    return builder.finish(Math.max(afterId, end), end < durableRecordCount);
  }

  #catalog(id: number): Catalog | null {
    if (id === 0) return null;
    const known = this.#catalogs.get(id);
    if (known !== undefined) return known;
    const parts: Catalog[] = [];
    for (const body of this.#tables.catalogParts(id)) {
      const decoded = decodeCatalog(body);
      if (decoded.ok) parts.push(decoded.value);
    }
    const whole = joinCatalog(parts);
    const catalog = whole.ok ? whole.value : null;
    this.#catalogs.set(id, catalog);
    return catalog;
  }
}
