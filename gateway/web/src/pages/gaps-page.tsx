/** The list of everything that is missing for good, and why. Newest first; as many as a page can hold. */
import { useMemo } from "preact/hooks";
import type { GapView } from "../../../src/admin/api-schemas.js";
import { countText, timeText } from "../format.js";
import { Filter, PageHead, Problem } from "../parts/page-head.js";
import { hrefTo } from "../route.js";
import { GapTail } from "../store/gap-tail.js";
import { usePolled } from "../store/polled.js";
import { refine } from "../store/router.js";
import { gapCount, gapReasonText, plural } from "../words.js";

const ASK_MS = 10_000;
const ROWS_MAX = 500;

/** A table with its filter. */
export function GapsPage({ query }: { readonly query: URLSearchParams }) {
  const needle = query.get("filter") ?? "";
  const tail = useMemo(() => new GapTail(), []);
  const { value, problem } = usePolled("gaps", ASK_MS, () => tail.read());
  const found = useMemo(() => (value ?? []).filter((gap) => matches(gap, needle.toLowerCase())), [value, needle]);
  const missing = found.reduce((sum, gap) => sum + (gapCount(gap) ?? 0), 0);
  return (
    <>
      <PageHead title="Gaps">
        <Filter label="Filter gaps" value={needle} onValue={(filter) => refine({ filter })} />
      </PageHead>
      <Problem text={problem} />
      {value === null ? <p class="empty">Loading …</p> : null}
      {value?.length === 0 ? (
        <p class="empty">
          Nothing is missing: every message that a device numbered arrived. <code>npx tidegate gaps ls</code> says the
          same to scripts.
        </p>
      ) : null}
      {value !== null && value.length > 0 ? (
        <>
          <p class="facts">
            {plural(found.length, "gap")}, {plural(missing, "message")} known to be missing. Export all with{" "}
            <code>npx tidegate gaps export</code>.
          </p>
          <GapTable gaps={found.slice(0, ROWS_MAX)} />
          {found.length > ROWS_MAX ? (
            <p class="empty">{found.length - ROWS_MAX} older ones; filter to see them.</p>
          ) : null}
        </>
      ) : null}
    </>
  );
}

function matches(gap: GapView, needle: string): boolean {
  const text = `${gap.device} ${gap.reason} ${gapReasonText(gap.reason)} ${gap.sink ?? ""}`;
  return text.toLowerCase().includes(needle);
}

function GapTable({ gaps }: { readonly gaps: readonly GapView[] }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Device</th>
          <th scope="col">Missing</th>
          <th scope="col">Why</th>
          <th scope="col" class="wide">
            Range
          </th>
          <th scope="col" class="wide">
            Who misses it
          </th>
          <th scope="col" class="wide">
            Found
          </th>
        </tr>
      </thead>
      <tbody>
        {gaps.map((gap) => (
          <tr key={gap.id}>
            <th scope="row">
              <a href={hrefTo("devices", [gap.device, "log"])}>{gap.device}</a>
            </th>
            <td class="number">{missingText(gap)}</td>
            <td>
              {gapReasonText(gap.reason)} <code>{gap.reason}</code>
            </td>
            <td class="wide">
              {gap.fromSeq} – {gap.toSeq ?? "?"} <small>epoch {gap.epoch}</small>
            </td>
            <td class="wide">{gap.sink === null ? "everybody" : `sink ${gap.sink}`}</td>
            <td class="wide">{timeText(gap.at)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function missingText(gap: GapView): string {
  const count = gapCount(gap);
  return count === null ? "?" : countText(count);
}
