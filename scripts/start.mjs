// `npm start`. Runs the gateway and three simulated devices: the demo and the first use in one.
// The work is in workspace/start.mjs; this file only refuses a Node that could not even parse it.

import { launch } from "./node-version.mjs";

launch(() => import("./workspace/start.mjs"));
