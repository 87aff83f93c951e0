// `npm run setup`. Installs what a fresh clone is missing; does nothing when nothing is.
// The work is in workspace/setup.mjs; this file only refuses a Node that could not even parse it.

import { launch } from "./node-version.mjs";

launch(() => import("./workspace/setup.mjs"));
