// Keeps two pages equal to the program: docs/configuration.md is written from the schema of the settings,
// docs/errors.md is checked against the table of error codes. Needs a built gateway.
//
//   node scripts/docs-check.mjs            check; exit 1 and the differences when a page is behind
//   node scripts/docs-check.mjs --write    write docs/configuration.md anew

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const inRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

export const CONFIGURATION_PAGE = "docs/configuration.md";
export const ERRORS_PAGE = "docs/errors.md";

/** What is wrong with the page of settings; empty when nothing is. */
export function configurationProblems(page, expected) {
  if (page === expected) return [];
  const [have, want] = [page.split("\n"), expected.split("\n")];
  const at = want.findIndex((line, index) => line !== have[index]);
  const line = at < 0 ? want.length + 1 : at + 1;
  return [`${CONFIGURATION_PAGE}:${line}: differs from the schema; run \`node scripts/docs-check.mjs --write\``];
}

/** `### E_CODE` sections of the page of errors, in order. */
export function errorSections(page) {
  return page
    .split(/^### /m)
    .slice(1)
    .map((text) => {
      const [code, ...rest] = text.split("\n");
      const body = rest.join("\n").split(/^## /m)[0];
      return { code: code.trim(), body: body.replaceAll(/\s+/g, " ").trim() };
    });
}

/** What is wrong with the page of errors; empty when nothing is. */
export function errorProblems(page, errors) {
  const sections = errorSections(page);
  const codes = sections.map(({ code }) => code);
  const missing = Object.keys(errors).filter((code) => !codes.includes(code));
  const twice = codes.filter((code, index) => codes.indexOf(code) !== index);
  return [
    ...missing.map((code) => `${ERRORS_PAGE}: ${code} is missing`),
    ...twice.map((code) => `${ERRORS_PAGE}: ${code} stands there twice`),
    ...sections.flatMap((section) => sectionProblems(section, errors[section.code])),
  ];
}

function sectionProblems({ code, body }, row) {
  if (row === undefined) return [`${ERRORS_PAGE}: ${code} is no code of the gateway`];
  const what = row.what.charAt(0).toUpperCase() + row.what.slice(1);
  const facts = `${what}. Exit ${row.exit}, HTTP ${row.http}.`;
  const problems = [];
  if (!body.startsWith(facts)) problems.push(`${ERRORS_PAGE}: ${code} must begin with "${facts}"`);
  if (!body.includes(`**Do:** ${row.fix}`)) problems.push(`${ERRORS_PAGE}: ${code} must say "**Do:** ${row.fix}"`);
  return problems;
}

async function main(args) {
  const { configurationPage } = await import(pathToFileURL(inRoot("gateway/dist/config/reference.js")).href);
  const { ERRORS } = await import(pathToFileURL(inRoot("gateway/dist/core/errors.js")).href);
  const expected = configurationPage();
  if (args.includes("--write")) writeFileSync(inRoot(CONFIGURATION_PAGE), expected);
  const problems = [
    ...configurationProblems(readFileSync(inRoot(CONFIGURATION_PAGE), "utf8"), expected),
    ...errorProblems(readFileSync(inRoot(ERRORS_PAGE), "utf8"), ERRORS),
  ];
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
