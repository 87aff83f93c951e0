/** The charts of a device: one per signal, one cursor through all of them. */
import { useMemo, useState } from "preact/hooks";
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { api, problemText } from "../api.js";
import { type ChartColumns, extentOf, gapSpans, heldUntil, offlineSpans, type Span } from "../charts/columns.js";
import { download, toCsv } from "../charts/csv.js";
import type { PlotSeries } from "../charts/plot-options.js";
import { parseWindow, zoomQuery } from "../charts/time-window.js";
import { figureText } from "../format.js";
import { Chart } from "../parts/chart.js";
import { Problem } from "../parts/page-head.js";
import { RangePicker } from "../parts/range-picker.js";
import { signalLabel } from "../parts/reading-value.js";
import { fetchSeries, type SeriesData, useSeries } from "../parts/series-data.js";
import { usePolled } from "../store/polled.js";
import { refine, useRoute } from "../store/router.js";

const HEIGHT_PX = 150;
/** More charts on one page than anybody compares; Explore shows the others. */
const CHARTS_MAX = 16;
const CSV_POINTS_MAX = 5000;
const PRESENCE_MS = 15_000;

/** Signals of the catalog, then those that only their values tell of. */
export function signalKeys(device: DeviceView): string[] {
  const keys = new Set(device.signals.map(({ key }) => key).filter((key) => key !== ""));
  for (const { signal } of device.latest) keys.add(signal);
  return [...keys];
}

/** Charts with their range, pause and CSV. */
export function DeviceCharts({ device }: { readonly device: DeviceView }) {
  const { query } = useRoute();
  const window = parseWindow(query);
  const [isPaused, setPaused] = useState(false);
  const [csvProblem, setCsvProblem] = useState("");
  const keys = signalKeys(device);
  const refs = keys.slice(0, CHARTS_MAX).map((signal) => ({ device: device.id, signal }));
  const { value, problem } = useSeries(refs, window, isPaused);
  const presence = usePolled(`presence ${device.id}`, PRESENCE_MS, () => api.presence(device.id));
  const edgeS = value?.edges.to ?? 0;
  const offline = useMemo(() => offlineSpans(presence.value?.changes ?? [], edgeS * 1000), [presence.value, edgeS]);

  const exportCsv = async (): Promise<void> => {
    try {
      const { columns, problem } = await fetchSeries(refs, window, { pointsMax: CSV_POINTS_MAX, asSent: true });
      const parts = refs.flatMap((ref, i) => {
        const found = columns[i];
        return found === undefined ? [] : [{ ...ref, columns: found }];
      });
      download(`${device.id}.csv`, toCsv(parts));
      setCsvProblem(problem);
    } catch (thrown) {
      setCsvProblem(problemText(thrown));
    }
  };

  if (refs.length === 0) return <p class="empty">The device has not told what it measures yet.</p>;
  return (
    <>
      <div class="chart-tools">
        <RangePicker window={window} isPaused={isPaused} onPause={setPaused} onRange={(range) => refine({ range })} />
        <button type="button" class="quiet" onClick={() => void exportCsv()}>
          CSV
        </button>
      </div>
      <Problem text={[problem, value?.problem, csvProblem].find((text) => text !== "" && text !== undefined) ?? ""} />
      <Figures device={device} keys={refs.map(({ signal }) => signal)} value={value} offline={offline} />
      {keys.length > CHARTS_MAX ? <p class="empty">{keys.length - CHARTS_MAX} more signals: see Explore.</p> : null}
      <p class="legend">
        Drag to zoom. <i class="swatch swatch-gap" /> no data <i class="swatch swatch-offline" /> device offline
      </p>
    </>
  );
}

interface FiguresProps {
  readonly device: DeviceView;
  readonly keys: readonly string[];
  readonly value: SeriesData | null;
  readonly offline: readonly Span[];
}

function Figures({ device, keys, value, offline }: FiguresProps) {
  const { online } = device;
  // A zoom may end in the future: nothing is held beyond now.
  const held = useMemo(() => {
    const untilS = Math.min(value?.edges.to ?? 0, Date.now() / 1000);
    return (value?.columns ?? []).map((columns) => (online ? heldUntil(columns, untilS) : columns));
  }, [value, online]);
  if (value === null) return <p class="empty">Loading …</p>;
  return (
    <div class="figures">
      {keys.map((key, i) => {
        const columns = held[i];
        if (columns === undefined) return null;
        const label = signalLabel(device, key);
        return <SignalFigure key={key} label={label} columns={columns} edges={value.edges} offline={offline} />;
      })}
    </div>
  );
}

interface SignalFigureProps {
  readonly label: string;
  readonly columns: ChartColumns;
  readonly edges: Span;
  readonly offline: readonly Span[];
}

function SignalFigure({ label, columns, edges, offline }: SignalFigureProps) {
  const [index, setIndex] = useState<number | null>(null);
  const { x, mid, low, high, labels, unit, holds } = columns;
  const series: PlotSeries[] = [
    { label, unit, scale: "y", colour: 0, labels, holds, hasBand: low !== null && high !== null },
  ];
  const data = useMemo(
    (): [number[], ...(number | null)[][]] => [
      [...x],
      [...mid],
      ...(low === null || high === null ? [] : [[...low], [...high]]),
    ],
    [x, mid, low, high],
  );
  const gaps = useMemo(() => gapSpans(x, mid), [x, mid]);
  const summary = summaryOf(columns);
  return (
    <figure class="figure">
      <figcaption>
        <b>{label}</b> <span class="readout">{readoutAt(columns, index) ?? summary}</span>
      </figcaption>
      <Chart
        label={`${label}: ${summary}`}
        series={series}
        data={data}
        edges={edges}
        gaps={gaps}
        offline={offline}
        syncKey="device"
        height={HEIGHT_PX}
        onZoom={(from, to) => refine(zoomQuery(from, to))}
        onCursor={setIndex}
      />
    </figure>
  );
}

function wordsOf({ labels, unit }: ChartColumns, value: number): string {
  return labels === null ? `${figureText(value)} ${unit}` : (labels[value] ?? "");
}

/** What the whole line shows. */
function summaryOf(columns: ChartColumns): string {
  const extent = extentOf(columns);
  if (extent === null) return "no values in this range";
  const last = `last ${wordsOf(columns, extent.last)}`;
  if (columns.labels !== null) return last;
  return `${wordsOf(columns, extent.low)} to ${wordsOf(columns, extent.high)}, ${last}`;
}

/** What the cursor points at; null: nothing. */
function readoutAt(columns: ChartColumns, index: number | null): string | null {
  const at = index === null ? undefined : columns.x[index];
  if (at === undefined || index === null) return null;
  const value = columns.mid[index] ?? null;
  return `${value === null ? "–" : wordsOf(columns, value)} at ${new Date(at * 1000).toLocaleString()}`;
}
