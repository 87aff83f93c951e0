// `npm run check`. Everything that is checked without running the product.
// The work is in workspace/check.mjs; this file only refuses a Node that could not even parse it.

import { launch } from "./node-version.mjs";

launch(() => import("./workspace/check.mjs"));
