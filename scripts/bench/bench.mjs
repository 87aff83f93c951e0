// `npm run bench`. Measures this gateway beside its peers and prints one table; see main.mjs.
// This file only refuses a Node that could not even parse the rest.

import { launch } from "../node-version.mjs";

launch(() => import("./main.mjs"));
