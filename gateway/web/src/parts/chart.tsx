/**
 * One chart: uPlot in a figure, with a caption that says in words what the line shows and what the cursor points at.
 * New data is put into the standing chart; only other series, another width or another theme make a new one.
 */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Span } from "../charts/columns.js";
import { type PlotSeries, plotOptions } from "../charts/plot-options.js";

export interface ChartProps {
  /** Names the figure for those who cannot see it. */
  readonly label: string;
  readonly series: readonly PlotSeries[];
  /** x, then for each series its column, and low and high when it has a band. */
  readonly data: uPlot.AlignedData;
  readonly edges: Span;
  readonly gaps: readonly Span[];
  readonly offline: readonly Span[];
  readonly syncKey: string;
  readonly height: number;
  readonly onZoom: (from: number, to: number) => void;
  /** What the cursor is at; null: it is elsewhere. */
  readonly onCursor: (index: number | null) => void;
}

/** Fills the width it is given. */
export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const width = useWidth(place);
  const theme = useTheme();
  const shape = JSON.stringify(props.series);

  // The theme changes the colours that the options read.
  useLayoutEffect(() => {
    if (place.current === null || width === 0) return;
    const { series, height, syncKey, data } = latest.current;
    const options = plotOptions({
      series,
      width,
      height,
      syncKey,
      edges: () => latest.current.edges,
      gaps: () => latest.current.gaps,
      offline: () => latest.current.offline,
      onZoom: (from, to) => latest.current.onZoom(from, to),
      onCursor: (index) => latest.current.onCursor(index),
    });
    const made = new uPlot(options, data, place.current);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [shape, width, theme, props.height, props.syncKey]);

  // Edges and shades are read while drawing.
  useEffect(() => {
    plot.current?.setData(props.data);
  }, [props.data, props.edges.from, props.edges.to, props.gaps, props.offline]);

  return <div ref={place} class="plot" role="img" aria-label={props.label} />;
}

function useWidth(place: { readonly current: HTMLDivElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    if (place.current === null) return;
    setWidth(Math.floor(place.current.clientWidth));
    const watcher = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setWidth(Math.floor(entry.contentRect.width));
    });
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, [place]);
  return width;
}

function useTheme(): string {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const [isDark, setDark] = useState(dark.matches);
  useEffect(() => {
    const changed = (): void => setDark(dark.matches);
    dark.addEventListener("change", changed);
    return () => dark.removeEventListener("change", changed);
  });
  return isDark ? "dark" : "light";
}
