/** The way between pages: a rail on the left, a bar at the bottom on phones. */
import { hrefTo, type PageName } from "../route.js";
import { useRoute } from "../store/router.js";

/** Label, and the icon's strokes in a box of 24 by 24. */
const ENTRIES: readonly (readonly [page: PageName, label: string, path: string])[] = [
  ["overview", "Overview", "M4 13h6V4H4zm10 7h6v-9h-6zM4 20h6v-4H4zM14 4v4h6V4z"],
  ["devices", "Devices", "M7 7h10v10H7zM9 3v4m6-4v4M9 17v4m6-4v4M3 9h4m-4 6h4m10-6h4m-4 6h4"],
  ["explore", "Explore", "M4 4v16h16M7 15l4-5 3 3 5-7"],
  ["sinks", "Sinks", "M12 20V6m-6 6 6-6 6 6M4 3h16"],
  ["gaps", "Gaps", "M3 12h5m8 0h5M10 8v8m4-8v8"],
  ["serial", "Serial", "M4 9h16l-2 7H6zM8 12.5h.01M12 12.5h.01M16 12.5h.01"],
  ["logs", "Logs", "M5 6h14M5 10h14M5 14h9M5 18h11"],
  ["settings", "Settings", "M4 7h9m4 0h3M4 17h3m4 0h9M15 5v4M9 15v4"],
];

/** All pages; the current one is marked. */
export function NavRail() {
  const { page } = useRoute();
  return (
    <nav class="rail" aria-label="Pages">
      <ul>
        {ENTRIES.map(([name, label, path]) => (
          <li key={name}>
            <a href={hrefTo(name)} aria-current={page === name ? "page" : undefined}>
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d={path} />
              </svg>
              <span>
                {label === "Overview" ? (
                  <>
                    <span class="long">Overview</span>
                    <span class="short">Home</span>
                  </>
                ) : (
                  label
                )}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
