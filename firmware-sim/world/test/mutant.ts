/**
 * A world with one planted bug: the sources of gateway and SDK are bundled with one text replaced, so that the bug is in
 * the product's own code and the world around it is the same.
 *
 *   world.ts ─import tidegate/dist/x.js─▶ gateway/src/x.ts ─one replacement─▶ bundle ─▶ World
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { World } from "../src/world.js";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
/** Beside the package's own output, so that libraries are found from there. */
const OUT = join(ROOT, "firmware-sim", "world", "dist", "mutants");

export interface Plant {
  readonly name: string;
  /** Below the root of the repository. */
  readonly file: string;
  /** Found exactly once, or the plant is out of date. */
  readonly find: string;
  readonly replace: string;
}

/** Bundle the world with that bug. `null`: without one. */
export async function plantedWorld(plant: Plant | null): Promise<typeof World> {
  mkdirSync(OUT, { recursive: true });
  const outfile = join(OUT, `${plant?.name.replaceAll(/\W+/g, "-") ?? "sound"}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(ROOT, "firmware-sim/world/src/world.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile,
    logLevel: "error",
    plugins: [sources(plant)],
  });
  const bundle = (await import(pathToFileURL(outfile).href)) as { World: typeof World }; // what world.ts exports
  rmSync(outfile);
  return bundle.World;
}

function sources(plant: Plant | null): Plugin {
  const planted = plant === null ? null : join(ROOT, plant.file);
  return {
    name: "sources",
    setup(bundle) {
      bundle.onResolve({ filter: /^tidegate\/dist\// }, ({ path }) => ({
        path: join(ROOT, path.replace(/^tidegate\/dist\//, "gateway/src/").replace(/\.js$/, ".ts")),
      }));
      bundle.onResolve({ filter: /^@tidegate\/proto$/ }, () => ({ path: join(ROOT, "proto/src/index.ts") }));
      bundle.onResolve({ filter: /^@tidegate\/device-sdk$/ }, () => ({
        path: join(ROOT, "device-sdk/ts/src/index.ts"),
      }));
      bundle.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
        kind === "entry-point" ? null : { path, external: true },
      );
      bundle.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== planted || plant === null) return null;
        const text = readFileSync(path, "utf8");
        const count = text.split(plant.find).length - 1;
        if (count !== 1) throw new Error(`${plant.name}: "${plant.find}" is ${count} times in ${plant.file}`);
        return { contents: text.replace(plant.find, () => plant.replace), loader: "ts" };
      });
    },
  };
}
