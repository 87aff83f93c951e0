/** The route of this browser tab, following the address. */
import { hrefTo, type PageName, parseRoute, type Route } from "../route.js";
import { Observable, useSelected } from "./observable.js";

export const route = new Observable<Route>(parseRoute(location.hash));

addEventListener("hashchange", () => {
  const was = route.value;
  route.set(parseRoute(location.hash));
  const isOtherPage = was.page !== route.value.page || was.id !== route.value.id;
  if (!isOtherPage) return;
  scrollTo(0, 0);
  // People who cannot see the page hear that it changed.
  document.querySelector<HTMLElement>("#main")?.focus({ preventScroll: true });
});

/** The current route; renders again when it changes. */
export function useRoute(): Route {
  return useSelected(route, (now) => now);
}

/** Go elsewhere, with an entry in the history. */
export function go(page: PageName, parts: readonly string[] = [], query: Readonly<Record<string, string>> = {}): void {
  location.hash = hrefTo(page, parts, query);
}

/** Change the query of the current page without an entry in the history. */
export function refine(query: Readonly<Record<string, string>>): void {
  const { page, id, tab } = route.value;
  const parts = [id, tab].filter((part) => part !== "");
  history.replaceState(null, "", hrefTo(page, parts, query));
  route.set(parseRoute(location.hash));
}
