// Runs the real `npm start` supervisor over fake children, in a process of its own that a test may signal or kill.

import { fileURLToPath } from "node:url";
import { runDemo } from "../start.mjs";

const fake = fileURLToPath(new URL("./fake-child.mjs", import.meta.url));
const withSim = !process.argv.includes("--no-sim");

process.exitCode = await runDemo({
  gatewayScript: fake,
  simScript: withSim ? fake : null,
  gatewayArgs: process.argv.slice(2).filter((arg) => arg !== "--no-sim"),
});
