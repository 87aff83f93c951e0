// `npm test`. The whole suite: set-up, build, checks, tests; arguments go to vitest.
// The work is in workspace/test.mjs; this file only refuses a Node that could not even parse it.

import { launch } from "./node-version.mjs";

launch(() => import("./workspace/test.mjs"));
