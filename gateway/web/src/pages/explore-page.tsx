/** Signals of any devices in one chart with two axes; the address says it all and can be shared. */
import { useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { type ChartColumns, gapSpans, type Span } from "../charts/columns.js";
import { joinColumns } from "../charts/join.js";
import { PALETTE_SIZE, type PlotSeries } from "../charts/plot-options.js";
import { parseWindow, type TimeWindow, zoomQuery } from "../charts/time-window.js";
import { axesOf, parseSignals, signalsText, unitName, whyNot } from "../explore-state.js";
import { figureText } from "../format.js";
import { Chart } from "../parts/chart.js";
import { PageHead, Problem } from "../parts/page-head.js";
import { RangePicker } from "../parts/range-picker.js";
import { deviceLabel, signalLabel } from "../parts/reading-value.js";
import { type SeriesData, type SignalRef, useSeries } from "../parts/series-data.js";
import { SignalPicker } from "../parts/signal-picker.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { refine } from "../store/router.js";

const HEIGHT_PX = 380;
const NO_SPANS: readonly Span[] = [];

/** Picker, range, chart. */
export function ExplorePage({ query }: { readonly query: URLSearchParams }) {
  const text = query.get("signals") ?? "";
  const refs = useMemo(() => parseSignals(text), [text]);
  const window = parseWindow(query);
  const [isPaused, setPaused] = useState(false);
  const [problem, setProblem] = useState("");
  const isKnown = useSelected(state, (s) => s.devices !== null);
  const show = (signals: readonly SignalRef[], time: Record<string, string> = timeOf(window)): void =>
    refine({ signals: signalsText(signals), ...time });
  const add = (ref: SignalRef): void => {
    const why = whyNot(refs.map(unitOf), unitOf(ref));
    setProblem(why);
    if (why === "") show([...refs, ref]);
  };
  return (
    <>
      <PageHead title="Explore" />
      <SignalPicker onPick={add} />
      <Problem text={problem} />
      <Chips refs={refs} onRemove={(gone) => show(refs.filter((ref) => ref !== gone))} />
      <RangePicker window={window} isPaused={isPaused} onPause={setPaused} onRange={(range) => show(refs, { range })} />
      {refs.length === 0 ? (
        <p class="empty">
          Pick signals above. The address of this page keeps them: share it, or bookmark it.{" "}
          <code>npx tidegate watch '*'</code> shows what arrives right now.
        </p>
      ) : isKnown ? (
        <Together
          refs={refs}
          window={window}
          isPaused={isPaused}
          onZoom={(from, to) => show(refs, zoomQuery(from, to))}
        />
      ) : null}
    </>
  );
}

function timeOf({ range, fixed }: TimeWindow): Record<string, string> {
  return fixed === null ? { range } : zoomQuery(fixed.fromUnixMs / 1000, fixed.toUnixMs / 1000);
}

/** From the catalog, else from the newest value. */
function unitOf({ device, signal }: SignalRef): string {
  const known = state.value.devices?.get(device);
  const unit = known?.signals.find(({ key }) => key === signal)?.unit;
  return unit ?? known?.latest.find((reading) => reading.signal === signal)?.unit ?? "";
}

function labelOf({ device, signal }: SignalRef): string {
  const known = state.value.devices?.get(device);
  return known === undefined ? `${device} ${signal}` : `${deviceLabel(known)} · ${signalLabel(known, signal)}`;
}

interface ChipsProps {
  readonly refs: readonly SignalRef[];
  readonly onRemove: (ref: SignalRef) => void;
}

function Chips({ refs, onRemove }: ChipsProps) {
  return (
    <ul class="chips" aria-label="Shown signals" hidden={refs.length === 0}>
      {refs.map((ref, i) => (
        <li key={`${ref.device}/${ref.signal}`} class={`chip-signal series-${(i % PALETTE_SIZE) + 1}`}>
          <span>
            {labelOf(ref)} ({unitName(unitOf(ref))})
          </span>
          <button type="button" class="quiet" aria-label={`Remove ${labelOf(ref)}`} onClick={() => onRemove(ref)}>
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}

interface TogetherProps {
  readonly refs: readonly SignalRef[];
  readonly window: TimeWindow;
  readonly isPaused: boolean;
  readonly onZoom: (from: number, to: number) => void;
}

function Together({ refs, window, isPaused, onZoom }: TogetherProps) {
  const { value, problem } = useSeries(refs, window, isPaused);
  return (
    <>
      <Problem text={problem !== "" ? problem : (value?.problem ?? "")} />
      {value === null ? <p class="empty">Loading …</p> : <Drawn refs={refs} value={value} onZoom={onZoom} />}
    </>
  );
}

interface DrawnProps {
  readonly refs: readonly SignalRef[];
  readonly value: SeriesData;
  readonly onZoom: (from: number, to: number) => void;
}

function Drawn({ refs, value, onZoom }: DrawnProps) {
  const [index, setIndex] = useState<number | null>(null);
  const { columns, edges } = value;
  const data = useMemo(() => joinColumns(columns), [columns]);
  const series = seriesOf(refs, columns);
  const [only] = columns;
  // Gaps of several signals laid over each other would say nothing: only one alone has them shaded.
  const gaps = useMemo(
    () => (columns.length === 1 && only !== undefined ? gapSpans(only.x, only.mid) : NO_SPANS),
    [columns, only],
  );
  return (
    <figure class="figure">
      <figcaption>
        <span class="readout">{readout(series, data, index)}</span>
      </figcaption>
      <Chart
        label={`Chart of ${refs.map(labelOf).join(", ")}`}
        series={series}
        data={data}
        edges={edges}
        gaps={gaps}
        offline={NO_SPANS}
        syncKey="explore"
        height={HEIGHT_PX}
        onZoom={onZoom}
        onCursor={setIndex}
      />
    </figure>
  );
}

function seriesOf(refs: readonly SignalRef[], columns: readonly ChartColumns[]): PlotSeries[] {
  const units = refs.map(unitOf);
  const axes = axesOf(units);
  return refs.map((ref, i) => ({
    label: labelOf(ref),
    unit: units[i] ?? "",
    scale: axes[i] ?? "y",
    colour: i,
    labels: columns[i]?.labels ?? null,
    holds: columns[i]?.holds ?? false,
    hasBand: columns[i]?.low !== null && columns[i]?.high !== null,
  }));
}

/** What the cursor points at, or how to get there. */
function readout(series: readonly PlotSeries[], data: uPlot.AlignedData, index: number | null): string {
  const at = index === null ? undefined : data[0][index];
  if (at === undefined || index === null) return "Point at the chart for values; drag to zoom.";
  let column = 1;
  const parts = series.map(({ label, unit, labels, hasBand }) => {
    const value = data[column]?.[index];
    column += hasBand ? 3 : 1;
    if (typeof value !== "number") return `${label} –`;
    return `${label} ${labels === null ? `${figureText(value)} ${unit}` : (labels[value] ?? "")}`;
  });
  return `${new Date(at * 1000).toLocaleString()}: ${parts.join(" · ")}`;
}
