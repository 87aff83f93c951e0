/**
 * What the failure page shows: places and reasons of a bad configuration, and not one value out of the file. Pure.
 *
 *   tidegate.yaml:4:3 │ devices.keepalive │ unknown key; did you mean …?
 */

/** One thing that is wrong. */
export interface FailureProblem {
  /** `tidegate.yaml:4:3`, a variable, or empty. */
  readonly place: string;
  readonly message: string;
}

/** Everything the page says. */
export interface FailureView {
  /** The code and what it means. */
  readonly what: string;
  readonly problems: readonly FailureProblem[];
  readonly fix: string;
  /** The configuration file; null: there is none. */
  readonly file: string | null;
}

/** Values stand at the end of a message; any of them may be a password in the wrong place. */
const VALUE = /, got [\s\S]*$/;
const LOGIN_IN_URL = /\/\/[^\s/@]*@/g;

/** A message without the value it complains about. */
export function withoutValues(message: string): string {
  return message.replace(VALUE, "").replace(LOGIN_IN_URL, "//…@");
}

/** The page. Everything that varies is escaped; it has no inline script and no inline style. */
export function failureHtml(view: FailureView, assets: { readonly style: string; readonly script: string }): string {
  const problems = view.problems.map(
    ({ place, message }) => `<li>${place === "" ? "" : `<code>${escaped(place)}</code> `}${coded(message)}</li>`,
  );
  const file = view.file === null ? "" : `<p class="hint">File: <code>${escaped(view.file)}</code></p>`;
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Not running · Tidegate</title>
    ${assets.style === "" ? "" : `<link rel="stylesheet" href="/assets/${escaped(assets.style)}">`}
  </head>
  <body class="login failure">
    <main>
      <h1>Tidegate is not running</h1>
      <p class="problem">${escaped(view.what)}</p>
      <ul id="problems">${problems.join("")}</ul>
      <p><strong>Do this:</strong> ${coded(view.fix)}.</p>
      ${file}
      <p id="state" class="hint" role="status">Save the file: the gateway starts by itself, and this page follows.</p>
    </main>
    ${assets.script === "" ? "" : `<script type="module" src="/assets/${escaped(assets.script)}"></script>`}
  </body>
</html>
`;
}

/** What stands between backticks is what a person types. */
function coded(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");
}
