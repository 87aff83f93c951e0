// The command line of `npm run bench`.

import { parseArgs } from "node:util";
import { Report } from "../workspace/report.mjs";

const ROUNDS_MAX = 99;
const MINUTES = { quick: 0.1, full: 1 };
const MINUTES_MAX = 1_440;

export const USAGE = `npm run bench -- [options]

  --quick          small fleets and one short round each: a look in under two minutes
  --only T1,T2     these rows alone
  --rounds N       rounds per row, 1 … ${ROUNDS_MAX}; the median counts
  --minutes N      how long T12 holds its rate; 1 unless told, quick 0.1
  --record         append the medians to docs/benchmarks.jsonl, for the release
  --json FILE      write the table as JSON, too
  --dir FOLDER     where databases are put during the run; on a real disk, or an fsync costs nothing
  --profile FOLDER write CPU profiles of the gateway's threads there (it is slower with them)
  --no-build       take the build that is there
  --list           say which rows there are
  --help           this text
`;

/**
 * Reads the options.
 * @param {string[]} args as typed, without the program's name
 * @param {readonly string[]} knownRows ids of the rows there are
 * @returns {{ quick: boolean, only: string[], rounds: number | null, minutes: number, record: boolean,
 *   json: string | null,
 *   dir: string | null, profile: string | null, build: boolean, list: boolean, help: boolean }}
 *   `rounds` is null for each row's own number
 * @throws Report for anything unknown
 */
export function readOptions(args, knownRows) {
  const values = parse(args);
  return {
    quick: values.quick,
    only: rowsOf(values.only, knownRows),
    rounds: values.rounds === undefined ? null : roundsOf(values.rounds),
    minutes: values.minutes === undefined ? (values.quick ? MINUTES.quick : MINUTES.full) : minutesOf(values.minutes),
    record: values.record,
    json: values.json ?? null,
    dir: values.dir ?? null,
    profile: values.profile ?? null,
    build: !values["no-build"],
    list: values.list,
    help: values.help,
  };
}

function parse(args) {
  const text = { type: "string" };
  const flag = { type: "boolean", default: false };
  const options = {
    quick: flag,
    list: flag,
    help: flag,
    "no-build": flag,
    only: text,
    rounds: text,
    json: text,
    minutes: text,
  };
  try {
    return parseArgs({ args, options: { ...options, dir: text, profile: text, record: flag } }).values;
  } catch (error) {
    throw mistake("the options cannot be read", error.message);
  }
}

function rowsOf(only, knownRows) {
  if (only === undefined) return [...knownRows];
  const wanted = only.split(",").map((id) => id.trim().toUpperCase());
  const unknown = wanted.find((id) => !knownRows.includes(id));
  if (unknown !== undefined) throw mistake(`there is no row ${unknown}`, `the rows are ${knownRows.join(", ")}`);
  return knownRows.filter((id) => wanted.includes(id));
}

function roundsOf(text) {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= ROUNDS_MAX) return rounds;
  throw mistake(`--rounds ${text} cannot be used`, `it is a whole number from 1 to ${ROUNDS_MAX}`);
}

function minutesOf(text) {
  const minutes = Number(text);
  if (minutes > 0 && minutes <= MINUTES_MAX) return minutes;
  throw mistake(`--minutes ${text} cannot be used`, `it is a number above 0, up to ${MINUTES_MAX}`);
}

const mistake = (what, why) => new Report({ what, why, action: "npm run bench -- --help lists the options" });
