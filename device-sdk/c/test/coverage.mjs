// coverage.mjs -- line and branch coverage of src/, over all test programs of a `make coverage` folder.
//
//   node coverage.mjs DIR [--missing]      fails below 100 % of lines or 97 % of branches
//
// Each test program has its own counters for every source; a line or branch counts when any of them took it.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename } from "node:path";

const dir = process.argv[2];
const files = new Map();

for (const notes of readdirSync(dir).filter((name) => name.endsWith(".gcno"))) {
  const json = execFileSync("gcov", ["-b", "--json-format", "--stdout", notes], {
    cwd: dir,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  for (const file of json
    .split("\n")
    .filter(Boolean)
    .flatMap((text) => JSON.parse(text).files)) {
    if (!file.file.includes("/src/")) continue;
    const name = basename(file.file);
    const lines = files.get(name) ?? new Map();
    files.set(name, lines);
    for (const line of file.lines) {
      const seen = lines.get(line.line_number) ?? { count: 0, branches: [] };
      seen.count += line.count;
      line.branches.forEach((branch, i) => {
        seen.branches[i] = (seen.branches[i] ?? 0) + branch.count;
      });
      lines.set(line.line_number, seen);
    }
  }
}

const percent = (part, whole) => (whole === 0 ? "100.0" : ((100 * part) / whole).toFixed(1));
const total = { lines: 0, hit: 0, branches: 0, taken: 0 };
for (const [name, lines] of [...files].sort()) {
  const all = [...lines.values()];
  const branches = all.flatMap((line) => line.branches);
  const row = {
    lines: all.length,
    hit: all.filter((line) => line.count > 0).length,
    branches: branches.length,
    taken: branches.filter((count) => count > 0).length,
  };
  for (const key of Object.keys(total)) total[key] += row[key];
  console.log(
    `${name.padEnd(22)} lines ${percent(row.hit, row.lines)} %  branches ${percent(row.taken, row.branches)} %`,
  );
  if (!process.argv.includes("--missing")) continue;
  for (const [number, line] of [...lines].sort((a, b) => a[0] - b[0])) {
    const missed = line.branches.filter((count) => count === 0).length;
    if (line.count === 0 || missed > 0)
      console.log(`  ${name}:${number} ${line.count === 0 ? "never" : `${missed} branches`}`);
  }
}
console.log(
  `all of src/: lines ${percent(total.hit, total.lines)} %, branches ${percent(total.taken, total.branches)} %`,
);
if (total.hit < total.lines || total.taken < 0.97 * total.branches) {
  console.error("Below 100 % of lines or 97 % of branches: node test/coverage.mjs build/coverage --missing");
  process.exitCode = 1;
}
