/**
 * Catalogs as they arrive: part by part, put in force when the last part is here [P-26] [P-27].
 *
 *   part 0 ─┐
 *   part 2 ─┼─▶ row (device, hash), complete ──▶ in force for the records after it, never for those before
 *   part 1 ─┘
 */
import { CATALOG_PARTS_MAX, type Catalog } from "@tidegate/proto";
import type { CatalogTables } from "./tables.js";

/** Where a part comes from. */
export interface CatalogArrival {
  readonly deviceKey: number;
  readonly atUnixMs: number;
  /** As received; read during the call only. */
  readonly body: Uint8Array;
}

/**
 * Keep one part.
 *
 * @returns the catalog's row id when it is complete and in force from now on; null while parts are missing, or when
 *   the part makes no sense (no hash, a part beyond its parts): then nothing is stored, and the device's catalog
 *   stays what it was.
 */
export function takeCatalogPart(tables: CatalogTables, catalog: Catalog, arrival: CatalogArrival): number | null {
  const { hash, part } = catalog;
  const parts = Math.max(1, catalog.parts);
  if (hash === 0 || part >= parts || parts > CATALOG_PARTS_MAX) return null;
  const known = tables.catalog(arrival.deviceKey, hash);
  // A hash stands for its content: what records refer to must not change under them.
  if (known?.isComplete === true) return known.id;
  const row = tables.putCatalogPart({ ...arrival, hash, part, parts });
  return row.isComplete ? row.id : null;
}
