// The rows as people read them. Pure: rows and machine in, text out.
//
//   row | measure | ours | peers | ratio | target | met          then per row: cost per contender, notes

/**
 * The whole report.
 * @param {Record<string, unknown>} machine as `describeMachine` tells it
 * @param {ReturnType<typeof import("./result.mjs").makeRow>[]} rows
 */
export function renderTable(machine, rows) {
  const head = ["row", "measure", "ours", "peers", "ratio", "target", "met"];
  const body = rows.map((row) => [
    row.id,
    `${row.title} (${row.unit})`,
    number(row.ours),
    Object.entries(row.peers)
      .map(([name, value]) => `${name} ${number(value)}`)
      .join("  "),
    row.ratio === null ? "–" : `${row.ratio.toFixed(2)}×`,
    `${row.direction === "atLeast" ? "≥" : "≤"} ${row.target}× ${row.against}`,
    met(row.met),
  ]);
  return [machineLines(machine), align([head, ...body]), ...rows.map(detail)].join("\n\n");
}

const met = (value) => (value === null ? "unknown" : value ? "yes" : "NO");

/** 1234567 as "1,234,567"; small ones keep their digits. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
}

function machineLines(machine) {
  return Object.entries(machine)
    .filter(([, value]) => value !== null && !["object", "boolean"].includes(typeof value))
    .map(([name, value]) => `${name}: ${value}`)
    .concat(
      `versions: ${Object.entries(machine.versions)
        .map(([name, version]) => `${name} ${version ?? "absent"}`)
        .join(", ")}`,
    )
    .join("\n");
}

function align(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** One line per contender: everything measured beside the value, and its rounds. */
function detail(row) {
  const names = Object.keys(row.columns);
  const width = Math.max(0, ...names.map((name) => name.length));
  const lines = names.map((name) => {
    const cells = Object.entries(row.columns[name]).map(([column, value]) => `${column} ${number(value)}`);
    const rounds = `rounds ${row.rounds[name].map(number).join(" ")}`;
    return `  ${name.padEnd(width)}  ${[...cells, rounds].join(" · ")}`;
  });
  const conditions = row.conditions.map(({ name, met: holds }) => `  also: ${name}: ${met(holds)}`);
  const ratios = row.ratios.length > 1 ? [`  ratio to ${row.against} by round: ${row.ratios.join(" ")}`] : [];
  return [`${row.id}`, ...lines, ...ratios, ...conditions, ...row.notes.map((note) => `  note: ${note}`)].join("\n");
}
