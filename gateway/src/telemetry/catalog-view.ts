/**
 * A catalog as rendering wants it: signals by id, with the parts of their JSON that never change already written.
 *
 * Built once per catalog object and remembered as long as that object lives, because a reader renders thousands of
 * records under one catalog. A catalog is a device's word: keys that are no names, and second uses of a key, are
 * passed over, so that such a signal shows as "#<id>" instead of as another one.
 */
import { type Catalog, isName, type Signal, Type } from "@tidegate/proto";

export interface SignalView {
  /** What stands in `signal`: the key, or "#<id>". */
  readonly key: string;
  /** `{"signal":"<key>","t":` */
  readonly jsonHead: string;
  readonly type: Type;
  readonly scale: number;
  readonly options: readonly string[];
  /** As it is displayed; empty when the signal has none. */
  readonly unit: string;
  /** `,"unit":"<unit>"`; empty when the signal has none. */
  readonly unitJson: string;
}

/** Signals by id; made by `viewOf`, which remembers it. */
export class CatalogView {
  readonly #signals: ReadonlyMap<number, SignalView>;

  constructor(catalog: Catalog | null) {
    this.#signals = viewsOf(catalog?.signals ?? []);
  }

  /** The signal of that id; one the catalog does not know is "#<id>" with plain values. */
  signal(id: number): SignalView {
    return this.#signals.get(id) ?? UNKNOWN[id] ?? unknownSignal(id);
  }
}

const WITHOUT_CATALOG = new CatalogView(null);
const remembered = new WeakMap<Catalog, CatalogView>();

/** The view of a catalog, built at its first use. */
export function viewOf(catalog: Catalog | null): CatalogView {
  if (catalog === null) return WITHOUT_CATALOG;
  let view = remembered.get(catalog);
  if (view === undefined) {
    view = new CatalogView(catalog);
    remembered.set(catalog, view);
  }
  return view;
}

function viewsOf(signals: readonly Signal[]): ReadonlyMap<number, SignalView> {
  const views = new Map<number, SignalView>();
  const keys = new Set<string>();
  for (const signal of signals) {
    if (views.has(signal.id) || keys.has(signal.key) || !isName(signal.key)) continue;
    keys.add(signal.key);
    views.set(signal.id, {
      key: signal.key,
      jsonHead: headOf(signal.key),
      type: signal.type,
      scale: signal.scale,
      options: signal.options,
      unit: signal.unit,
      unitJson: signal.unit === "" ? "" : `,"unit":${JSON.stringify(signal.unit)}`,
    });
  }
  return views;
}

function unknownSignal(id: number): SignalView {
  const key = `#${id}`;
  return { key, jsonHead: headOf(key), type: Type.UNSPECIFIED, scale: 0, options: [], unit: "", unitJson: "" };
}

/** Ids as small as boards give them, ready made. */
const UNKNOWN_READY = 64;
const UNKNOWN = Array.from({ length: UNKNOWN_READY }, (_, id) => unknownSignal(id));

function headOf(key: string): string {
  return `{"signal":${JSON.stringify(key)},"t":`;
}
