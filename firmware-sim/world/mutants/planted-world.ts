/**
 * A world with one planted bug: the sources of gateway and SDK are bundled with one text replaced, so that the bug is
 * in the product's own code and the world around it is the same.
 *
 *   world.ts ─import tidegate/dist/x.js─▶ gateway/src/x.ts ─one replacement─▶ bundle ─▶ World
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { World } from "../src/world.js";
import { type Mutant, mutated } from "./mutant.js";

/** Bundle the world with that bug. `null`: without one. @param root of the repository. */
export async function plantedWorld(plant: Mutant | null, root: string): Promise<typeof World> {
  // Among the package's own output, so that libraries and the C edition are found from there.
  const out = join(root, "firmware-sim", "world", "dist");
  mkdirSync(out, { recursive: true });
  const outfile = join(out, `${plant?.name.replaceAll(/\W+/g, "-") ?? "sound"}-${process.pid}.mjs`);
  await build({
    entryPoints: [join(root, "firmware-sim/world/src/world.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile,
    logLevel: "error",
    plugins: [sources(plant, root)],
  });
  const bundle = (await import(pathToFileURL(outfile).href)) as { World: typeof World }; // what world.ts exports
  rmSync(outfile);
  return bundle.World;
}

function sources(plant: Mutant | null, root: string): Plugin {
  const planted = plant === null ? null : join(root, plant.file);
  return {
    name: "sources",
    setup(bundle) {
      bundle.onResolve({ filter: /^tidegate\/dist\// }, ({ path }) => ({
        path: join(root, path.replace(/^tidegate\/dist\//, "gateway/src/").replace(/\.js$/, ".ts")),
      }));
      bundle.onResolve({ filter: /^@tidegate\/proto$/ }, () => ({ path: join(root, "proto/src/index.ts") }));
      bundle.onResolve({ filter: /^@tidegate\/device-sdk$/ }, () => ({
        path: join(root, "device-sdk/ts/src/index.ts"),
      }));
      bundle.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
        kind === "entry-point" ? null : { path, external: true },
      );
      bundle.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== planted || plant === null) return null;
        return { contents: mutated(plant, readFileSync(path, "utf8")), loader: "ts" };
      });
    },
  };
}
