/**
 * The dashboard's files, read once at start and served from memory: no request ever names a path on disk.
 *
 *   dist/web/  index.html  login.html  assets/<name>-<hash>.js|css|svg     manifest.json: what is public
 */
import { readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly type: string;
  /** May be fetched without a credential: part of the login page. */
  readonly isPublic: boolean;
}

export interface StaticAssets {
  /** The page for whoever is logged in. */
  readonly index: Asset;
  readonly login: Asset;
  /** By file name below /assets/. */
  readonly files: ReadonlyMap<string, Asset>;
}

/**
 * @param webDir the built dashboard; when it is missing or broken, two plain pages say so and everything else of the
 * API works.
 */
export function loadAssets(webDir: string): StaticAssets {
  try {
    const isPublic = publicNames(join(webDir, "manifest.json"));
    const names = readdirSync(join(webDir, "assets"));
    const files = names.map((name) => [name, load(join(webDir, "assets", name), isPublic.has(name))] as const);
    const page = (name: string): Asset => load(join(webDir, name), true);
    return { index: page("index.html"), login: page("login.html"), files: new Map(files) };
  } catch {
    return { index: MISSING, login: MISSING, files: new Map() };
  }
}

/** Script and style of the failure page; empty names when the dashboard is not built. */
export function failureAssets(webDir: string): {
  readonly files: ReadonlyMap<string, Asset>;
  readonly style: string;
  readonly script: string;
} {
  try {
    const isPublic = publicNames(join(webDir, "manifest.json"));
    const names = [...isPublic];
    const files = names.map((name) => [name, load(join(webDir, "assets", name), true)] as const);
    const named = (extension: string): string =>
      names.find((name) => name.startsWith("failure-") && name.endsWith(extension)) ?? "";
    return { files: new Map(files), style: named(".css"), script: named(".js") };
  } catch {
    return { files: new Map(), style: "", script: "" };
  }
}

function publicNames(path: string): ReadonlySet<string> {
  const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
  const names = typeof manifest === "object" && manifest !== null && "public" in manifest ? manifest.public : [];
  return new Set(Array.isArray(names) ? names.map(String) : []);
}

function load(path: string, isPublic: boolean): Asset {
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  return { bytes: Uint8Array.from(readFileSync(path)), type, isPublic };
}

const MISSING: Asset = {
  bytes: new TextEncoder().encode(
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Tidegate</title>' +
      "<h1>The dashboard is not built</h1>" +
      "<p>Run <code>npm run build</code> and restart the gateway. The API works.</p>",
  ),
  type: "text/html; charset=utf-8",
  isPublic: true,
};
