/**
 * Where the dashboard is, as the part of the address behind `#`: it can be bookmarked, shared, and reloaded.
 *
 *   #/devices/attic-7/charts?range=1h  ⇄  { page: "devices", id: "attic-7", tab: "charts", query: range=1h }
 *
 * Pure. What does not parse is the overview.
 */
export const PAGES = [
  "overview",
  "devices",
  "explore",
  "sinks",
  "gaps",
  "serial",
  "logs",
  "settings",
  "welcome",
] as const;
export type PageName = (typeof PAGES)[number];

export interface Route {
  readonly page: PageName;
  /** Second part: the device. Empty: none. */
  readonly id: string;
  /** Third part: the tab of the device's page. Empty: the first one. */
  readonly tab: string;
  readonly query: URLSearchParams;
}

/** The route that a fragment names. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [page = "", id = "", tab = ""] = path.split("/").map(decoded);
  const known = PAGES.find((name) => name === page);
  return { page: known ?? "overview", id: known === undefined ? "" : id, tab, query: new URLSearchParams(query) };
}

/** The fragment of a route, for links. Query values that are empty are left out. */
export function hrefTo(page: PageName, parts: readonly string[] = [], query: Readonly<Record<string, string>> = {}) {
  const path = [page, ...parts].map(encodeURIComponent).join("/");
  const kept = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ""));
  const text = kept.toString();
  return `#/${path}${text === "" ? "" : `?${text}`}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
