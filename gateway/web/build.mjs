// Bundles the dashboard: two pages, hashed names, nothing inline, nothing from elsewhere.
//
//   src/app.tsx · login/login-page.ts · failure/failure-page.ts ──esbuild──▶ dist/web/assets/<name>-<hash>.js|css
//   html/*.html ──names filled in──▶ dist/web/*.html       manifest.json: files that need no login
//
// Run by `npm run build`; `node gateway/web/build.mjs --out DIR` builds elsewhere (tests do).

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

/** Oldest engines that are promised: two years of evergreen browsers. */
const TARGETS = ["chrome120", "firefox121", "safari17"];

export async function buildWeb(outDir) {
  const files = await bundle();
  const icon = hashed("icon.svg", readFileSync(join(here, "html/icon.svg")));
  const page = (template, script, style) =>
    readFileSync(join(here, "html", template), "utf8")
      .replaceAll("%SCRIPT%", `/assets/${script.name}`)
      .replaceAll("%STYLE%", `/assets/${style.name}`)
      .replaceAll("%ICON%", `/assets/${icon.name}`);

  // Written beside and moved into place: a gateway that starts meanwhile sees the old build or the new one.
  const fresh = `${outDir}.new-${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(join(fresh, "assets"), { recursive: true });
  for (const file of [...Object.values(files), icon]) writeFileSync(join(fresh, "assets", file.name), file.bytes);
  writeFileSync(join(fresh, "index.html"), page("index.html", files["app.js"], files["app.css"]));
  writeFileSync(join(fresh, "login.html"), page("login.html", files["login.js"], files["login.css"]));
  const open = ["login.js", "login.css", "failure.js", "failure.css"].map((name) => files[name].name);
  const manifest = { public: [...open, icon.name] };
  writeFileSync(join(fresh, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  rmSync(outDir, { recursive: true, force: true });
  mkdirSync(dirname(outDir), { recursive: true });
  renameSync(fresh, outDir);
  return { bytes: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file.bytes.length])) };
}

async function bundle() {
  const result = await build({
    absWorkingDir: here,
    entryPoints: { app: "src/app.tsx", login: "src/login/login-page.ts", failure: "src/failure/failure-page.ts" },
    outdir: "out",
    bundle: true,
    write: false,
    minify: true,
    format: "esm",
    target: TARGETS,
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    logLevel: "warning",
  });
  return Object.fromEntries(
    result.outputFiles.map((file) => [basename(file.path), hashed(basename(file.path), file.contents)]),
  );
}

function hashed(name, bytes) {
  const dot = name.lastIndexOf(".");
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 10);
  return { name: `${name.slice(0, dot)}-${hash}${name.slice(dot)}`, bytes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf("--out");
  await buildWeb(at > 0 ? process.argv[at + 1] : join(here, "../dist/web"));
}
