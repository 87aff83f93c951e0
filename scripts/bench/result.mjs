// From the numbers of all rounds to one row: medians, the ratio to the peer, and whether the target is met. Pure.
//
//   rounds: { ours: [measure, …], mosquitto: [measure, …] }     measure = { value, columns: { name: number | null } }
//      └─▶ medians ─▶ ratio = ours / peer ─▶ atLeast or atMost the target, and every condition holds ─▶ met

/** Middle value; the mean of the two middle ones for an even count. Null for nothing. */
export function median(values) {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (known.length === 0) return null;
  const middle = known.length >> 1;
  return known.length % 2 === 1 ? known[middle] : (known[middle - 1] + known[middle]) / 2;
}

/** @typedef {Record<string, number | null>} Columns */

/**
 * Makes the row.
 * @param {{ id: string, title: string, unit: string, against: string, direction: "atLeast" | "atMost",
 *   target: number, conditions?: (ours: Columns, medians: Columns) => { name: string, met: boolean }[] }} spec
 *   what is measured; `against` is the peer that the ratio is taken to, or "fastest"
 * @param {Record<string, { value: number, columns: Record<string, number | null> }[]>} rounds by contender
 * @param {string[]} notes what the reader has to know: absent peers, failures, sizes
 */
export function makeRow(spec, rounds, notes) {
  const contenders = Object.keys(rounds);
  const medians = Object.fromEntries(contenders.map((name) => [name, median(valuesOf(rounds[name]))]));
  const columns = Object.fromEntries(contenders.map((name) => [name, medianColumns(rounds[name])]));
  const { ours = null, ...peers } = medians;
  const reference = referenceOf(spec, peers);
  const ratio = ours === null || reference === null || reference.value === 0 ? null : ours / reference.value;
  const conditions = ours === null ? [] : (spec.conditions?.(columns.ours, medians) ?? []);
  return {
    id: spec.id,
    title: spec.title,
    unit: spec.unit,
    ours: rounded(ours),
    peers: Object.fromEntries(Object.entries(peers).map(([name, value]) => [name, rounded(value)])),
    ratio: ratio === null ? null : Number(ratio.toFixed(3)),
    against: reference?.name ?? spec.against,
    direction: spec.direction,
    target: spec.target,
    conditions,
    met: ratio === null ? null : reaches(spec, ratio) && conditions.every(({ met }) => met),
    columns,
    rounds: Object.fromEntries(contenders.map((name) => [name, valuesOf(rounds[name]).map(rounded)])),
    ratios: reference === null ? [] : ratiosOf(rounds.ours ?? [], rounds[reference.name]),
    notes,
  };
}

const valuesOf = (measures) => measures.map(({ value }) => value);

/** Round by round: on a machine that others use too, their spread tells how far to trust the ratio of medians. */
function ratiosOf(ours, theirs) {
  const count = Math.min(ours.length, theirs.length);
  return Array.from({ length: count }, (_, i) => Number((ours[i].value / theirs[i].value).toFixed(3)));
}

const reaches = ({ direction, target }, ratio) => (direction === "atLeast" ? ratio >= target : ratio <= target);

/** A peer that could not be measured cannot be the fastest; without any there is no ratio. */
function referenceOf({ against }, peers) {
  const known = Object.entries(peers).filter(([name, value]) => value !== null && [name, "fastest"].includes(against));
  const [best] = known.sort(([, a], [, b]) => b - a);
  return best === undefined ? null : { name: best[0], value: best[1] };
}

function medianColumns(measures) {
  const names = [...new Set(measures.flatMap(({ columns }) => Object.keys(columns)))];
  return Object.fromEntries(
    names.map((name) => [name, rounded(median(measures.map(({ columns }) => columns[name] ?? null)))]),
  );
}

/** Four significant digits are more than rounds repeat; whole numbers stay whole. */
function rounded(value) {
  if (value === null) return null;
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4));
}
