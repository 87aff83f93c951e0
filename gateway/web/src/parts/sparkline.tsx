/** A line without axes, the height of a word: how a number moved lately. */

const WIDTH = 96;
const HEIGHT = 24;

interface SparkScale {
  /** 0 is the lowest line, not the lowest value: for rates, where a jitter of a percent would look like a collapse. */
  readonly fromZero?: boolean;
}

/** Points of one unbroken stretch each; null breaks the line. Pure. */
export function sparkPaths(values: readonly (number | null)[], { fromZero = false }: SparkScale = {}): string {
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length < 2) return "";
  const low = known.reduce((a, b) => Math.min(a, b), fromZero ? 0 : Number.POSITIVE_INFINITY);
  const high = known.reduce((a, b) => Math.max(a, b));
  const span = high - low;
  const flat = fromZero ? HEIGHT - 2 : HEIGHT / 2;
  const x = (i: number): string => ((i / (values.length - 1)) * WIDTH).toFixed(1);
  const y = (v: number): string => (span === 0 ? flat : HEIGHT - 2 - ((v - low) / span) * (HEIGHT - 4)).toFixed(1);
  let path = "";
  let isPenDown = false;
  for (const [i, value] of values.entries()) {
    const isPoint = value !== null && Number.isFinite(value);
    if (isPoint) path += `${isPenDown ? "L" : "M"}${x(i)} ${y(value)}`;
    isPenDown = isPoint;
  }
  return path;
}

interface SparklineProps extends SparkScale {
  readonly values: readonly (number | null)[];
  /** What a person who cannot see it is told. */
  readonly label: string;
}

/** Empty while there are fewer than two values. */
export function Sparkline({ values, label, fromZero = false }: SparklineProps) {
  const path = sparkPaths(values, { fromZero });
  if (path === "") return <span class="spark" />;
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} preserveAspectRatio="none">
      <path d={path} />
    </svg>
  );
}
