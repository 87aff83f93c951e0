// misra.mjs -- runs cppcheck's MISRA addon over src/ and compares with the deviations listed in MISRA.md.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const allowed = new Map(
  [...readFileSync("MISRA.md", "utf8").matchAll(/^\| (\d+\.\d+) \| (\d+) \|/gm)].map((m) => [m[1], Number(m[2])]),
);
const { stderr } = spawnSync("cppcheck", ["--quiet", "--std=c99", "--addon=misra", "-Iinclude", "src"], {
  encoding: "utf8",
});
const found = new Map();
for (const [, rule] of stderr.matchAll(/\[misra-c2012-(\d+\.\d+)\]/g)) found.set(rule, (found.get(rule) ?? 0) + 1);
const bad = [...found].filter(([rule, count]) => count > (allowed.get(rule) ?? 0));
for (const [rule, count] of bad) console.error(`rule ${rule}: ${count} times, listed: ${allowed.get(rule) ?? 0}`);
const total = [...found.values()].reduce((sum, count) => sum + count, 0);
console.log(`${found.size} rules, ${total} deviations, ${bad.length} rules over what MISRA.md lists`);
process.exitCode = bad.length > 0 ? 1 : 0;
