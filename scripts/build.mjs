// `npm run build`. Compiles every package and the dashboard; a fast no-op when nothing changed.
// The work is in workspace/build.mjs; this file only refuses a Node that could not even parse it.

import { launch } from "./node-version.mjs";

launch(() => import("./workspace/build.mjs"));
