// Words that belong to one file: time, randomness, the environment, the terminal and SQL are passed in everywhere else,
// so that the whole product can run inside one seeded simulation.

/** What is banned, where it is at home, and what to use instead. `pattern` is matched against the masked code. */
const BANS = [
  { name: "Date.now", pattern: /\bDate\.now\b/g, home: "clock", instead: "the Clock that is passed in" },
  { name: "new Date()", pattern: /\bnew Date\(\s*\)/g, home: "clock", instead: "the Clock that is passed in" },
  {
    name: "timers",
    pattern: /(?<![.\w$])(?:globalThis\.)?set(?:Timeout|Interval|Immediate)\s*\(/g,
    home: "clock",
    instead: "the Clock's timers",
  },
  {
    name: "performance.now",
    pattern: /\bperformance\.now\b|\bprocess\.hrtime\b/g,
    home: "clock",
    instead: "the Clock that is passed in",
  },
  { name: "Math.random", pattern: /\bMath\.random\b/g, home: "random", instead: "the Random that is passed in" },
  {
    name: "process.env or argv",
    pattern: /\bprocess\.(?:env|argv)\b/g,
    home: "entry",
    instead: "a value that main passes in",
  },
  { name: "console", pattern: /(?<![.\w$])console\.\w/g, home: "terminal", instead: "the Log that is passed in" },
];

/** Files in which a banned word is at home, by kind. */
const HOMES = {
  clock: /^(gateway\/src\/core|device-sdk\/ts\/src|firmware-sim\/src)\/clock\.ts$/,
  random: /^(gateway\/src\/core|device-sdk\/ts\/src|firmware-sim\/src)\/random\.ts$/,
  entry: /^gateway\/src\/(main\.ts|cli\/)|^firmware-sim\/src\/(main\.ts|cli)/,
  terminal: /^gateway\/src\/(core\/log(-\w+)?\.ts|main\.ts|cli\/)|^firmware-sim\/src\/(main\.ts|cli)/,
};

const SQL_VERBS = [
  "SELECT\\s",
  "INSERT\\s+(?:OR\\s+\\w+\\s+)?INTO\\s",
  "UPDATE\\s+\\w+\\s+SET\\s",
  "DELETE\\s+FROM\\s",
  "CREATE\\s+(?:TABLE|INDEX)\\s",
  "PRAGMA\\s",
];
const SQL = new RegExp(`["'\`]\\s*(?:${SQL_VERBS.join("|")})`, "g");
const SQL_HOME = /^gateway\/src\/storage\/|^device-sdk\/ts\/src\/outbox-/;

/** Rules `banned` and `sql`. */
export function checkBanned(repository) {
  return repository.product.flatMap((source) => [...bannedWords(source), ...sqlText(source)]);
}

function bannedWords(source) {
  return BANS.flatMap(({ name, pattern, home, instead }) => {
    if (HOMES[home].test(source.path)) return [];
    return [...source.code.matchAll(pattern)].map((match) => ({
      rule: "banned",
      path: source.path,
      line: source.lineAt(match.index),
      message: `${name} is used elsewhere only; use ${instead}`,
    }));
  });
}

function sqlText(source) {
  if (SQL_HOME.test(source.path)) return [];
  return [...source.noComments.matchAll(SQL)].map((match) => ({
    rule: "sql",
    path: source.path,
    line: source.lineAt(match.index),
    message: "SQL text belongs into gateway/src/storage",
  }));
}
