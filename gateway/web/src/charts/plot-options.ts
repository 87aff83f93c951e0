/**
 * How a chart looks: uPlot's options out of our series, in the colours of the page. No chart draws anything but what
 * stands here.
 */
import uPlot from "uplot";
import { valueText } from "../format.js";
import type { Span } from "./columns.js";

export interface PlotSeries {
  readonly label: string;
  readonly unit: string;
  /** `y` on the left, `y2` on the right. */
  readonly scale: "y" | "y2";
  /** Place in the palette. */
  readonly colour: number;
  /** Words for 0, 1, 2 …; null for numbers. */
  readonly labels: readonly string[] | null;
  /** Drawn in steps. */
  readonly holds: boolean;
  /** Two further columns, low and high, follow this one. */
  readonly hasBand: boolean;
}

export interface PlotParts {
  readonly series: readonly PlotSeries[];
  readonly width: number;
  readonly height: number;
  readonly syncKey: string;
  /** Read at every drawing, so that data and edges change together. */
  readonly edges: () => Span;
  readonly gaps: () => readonly Span[];
  readonly offline: () => readonly Span[];
  readonly onZoom: (from: number, to: number) => void;
  readonly onCursor: (index: number | null) => void;
}

export const PALETTE_SIZE = 8;
const AXIS_PX = 56;
const TICK_SPACE_PX = 28;
/** A pixel or two is a click, not a zoom. */
const ZOOM_PX_MIN = 8;

const SECOND = 1;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** The day where it changes, below the time; short, so that two of them fit beside each other on a phone. */
const DAY_BELOW = "\n{MM}-{DD}";
/** Half of a tick's words, which the last one needs beside the axis. */
const TICK_HALF_PX = 22;

/** How ticks are written, by the seconds between them: 24 hours, month and day, in the browser's zone. */
const TIME_WORDS: (string | number | null)[][] = [
  [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
  [DAY, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
  [HOUR, "{HH}:{mm}", DAY_BELOW, null, DAY_BELOW, null, null, null, 1],
  [MINUTE, "{HH}:{mm}", DAY_BELOW, null, DAY_BELOW, null, null, null, 1],
  [SECOND, "{HH}:{mm}:{ss}", DAY_BELOW, null, DAY_BELOW, null, null, null, 1],
  [0.001, "{HH}:{mm}:{ss}.{fff}", DAY_BELOW, null, DAY_BELOW, null, null, null, 1],
];

/** A colour of the page, as the theme has it now. */
function themeColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The options of one chart. */
export function plotOptions(parts: PlotParts): uPlot.Options {
  const { series, width, height } = parts;
  const right = series.some(({ scale }) => scale === "y2");
  return {
    width,
    height,
    legend: { show: false },
    padding: [8, right ? 0 : TICK_HALF_PX, 0, 0],
    series: [{}, ...series.flatMap(linesOf)],
    bands: bandsOf(series),
    scales: {
      x: { time: true, range: () => [parts.edges().from, parts.edges().to] },
      y: scaleOf(series, "y"),
      ...(right ? { y2: scaleOf(series, "y2") } : {}),
    },
    axes: axesFor(series, right),
    cursor: {
      drag: { x: true, y: false, setScale: false },
      sync: {
        key: parts.syncKey,
        filters: { pub: (type) => type === "mousemove" || type === "mouseleave", sub: () => true },
      },
    },
    hooks: {
      drawClear: [(plot) => shade(plot, parts.offline(), "--shade-offline")],
      drawAxes: [(plot) => shade(plot, parts.gaps(), "--shade-gap")],
      setCursor: [(plot) => parts.onCursor(plot.cursor.idx ?? null)],
      setSelect: [(plot) => zoomed(plot, parts.onZoom)],
    },
  };
}

function axesFor(series: readonly PlotSeries[], hasRight: boolean): uPlot.Axis[] {
  const line = themeColour("--line");
  const grid = { stroke: line, width: 1 };
  const axis: uPlot.Axis = { stroke: themeColour("--text-quiet"), grid, ticks: grid };
  const values: uPlot.Axis = { ...axis, size: AXIS_PX, space: TICK_SPACE_PX };
  const left: uPlot.Axis = { ...values, scale: "y", values: axisWords(series, "y") };
  const right: uPlot.Axis = {
    ...values,
    scale: "y2",
    side: 1,
    grid: { show: false },
    values: axisWords(series, "y2"),
  };
  return [{ ...axis, values: TIME_WORDS }, left, ...(hasRight ? [right] : [])];
}

function linesOf(series: PlotSeries): uPlot.Series[] {
  const { scale, colour, holds, hasBand, label } = series;
  const stroke = themeColour(`--series-${(colour % PALETTE_SIZE) + 1}`);
  const stepped = !holds ? undefined : uPlot.paths.stepped?.({ align: 1 });
  const main: uPlot.Series = {
    label,
    scale,
    stroke,
    width: 1.5,
    ...(stepped === undefined ? {} : { paths: stepped }),
    points: { size: 4 },
  };
  const edge: uPlot.Series = { scale, stroke: "transparent", width: 0, points: { show: false } };
  return hasBand ? [main, edge, edge] : [main];
}

/** A band fills between its high and its low column. */
function bandsOf(series: readonly PlotSeries[]): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  let column = 1;
  for (const { colour, hasBand } of series) {
    if (hasBand) {
      const fill = themeColour(`--band-${(colour % PALETTE_SIZE) + 1}`);
      bands.push({ series: [column + 2, column + 1], fill });
    }
    column += hasBand ? 3 : 1;
  }
  return bands;
}

function scaleOf(series: readonly PlotSeries[], scale: "y" | "y2"): uPlot.Scale {
  const labels = series.find((one) => one.scale === scale)?.labels ?? null;
  if (labels !== null) return { range: [-0.25, Math.max(1, labels.length - 1) + 0.25] };
  return {
    range: (_plot, low, high) => {
      // A flat line stands in the middle of an axis that shows where it is.
      if (low === null || high === null) return [0, 1];
      const pad = high === low ? Math.max(Math.abs(high) * 0.05, 0.5) : (high - low) * 0.08;
      return [low - pad, high + pad];
    },
  };
}

function axisWords(series: readonly PlotSeries[], scale: "y" | "y2"): uPlot.Axis.DynamicValues {
  const labels = series.find((one) => one.scale === scale)?.labels ?? null;
  if (labels !== null) return (_plot, splits) => splits.map((at) => (Number.isInteger(at) ? (labels[at] ?? "") : ""));
  return (_plot, splits) => splits.map((at) => valueText(at));
}

function shade(plot: uPlot, spans: readonly Span[], variable: string): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = themeColour(variable);
  for (const { from, to } of spans) {
    const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

function zoomed(plot: uPlot, onZoom: (from: number, to: number) => void): void {
  const { left, width } = plot.select;
  if (width < ZOOM_PX_MIN) return;
  onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}
