// `npm start`: set-up, build, then the gateway, and once it is ready three simulated devices beside it.
//
//   npm start [-- --no-sim] [--config FILE] [more for `tidegate run`]
//
//   gateway ──{type:"ready", dataDir, …}──► us ──► simulator: demo --data-dir DIR
//
// Our exit code is the gateway's. Ctrl-C or SIGTERM stops both in order; a second one ends them at once.

import { existsSync } from "node:fs";
import { ensureBuilt } from "./build.mjs";
import { Child } from "./children.mjs";
import { watchNpm } from "./parents.mjs";
import { inRoot, Report, ROOT } from "./report.mjs";
import { ensureSetup } from "./setup.mjs";

/** The simulator has three devices to drain and close. */
const SIM_STOP_MS_MAX = 5_000;
/** The gateway finishes its transaction and closes the store; an SD card may take seconds over it. */
const GATEWAY_STOP_MS_MAX = 15_000;

/** No `eval` and no `new Function` in the daemon; it can only be said on Node's command line. */
const GATEWAY_NODE_FLAGS = ["--disallow-code-generation-from-strings"];

/** Splits our own flags from what goes to `tidegate run`. */
export function parseStartArgs(args) {
  return { withSim: !args.includes("--no-sim"), gatewayArgs: args.filter((arg) => arg !== "--no-sim") };
}

/** `npm start`. */
export async function main(args) {
  const { withSim, gatewayArgs } = parseStartArgs(args);
  await ensureSetup();
  await ensureBuilt();
  return runDemo({
    gatewayScript: inRoot("gateway", "bin", "tidegate.js"),
    simScript: withSim ? inRoot("firmware-sim", "bin", "tidegate-sim.js") : null,
    gatewayArgs,
    cwd: invocationFolder(),
  });
}

/** `npm start` runs us in the repository; a relative --config is meant from where it was typed. */
function invocationFolder(env = process.env) {
  const folder = env.INIT_CWD;
  return folder !== undefined && existsSync(folder) ? folder : ROOT;
}

/**
 * Runs gateway and simulator until the gateway ends or we are told to stop.
 * @param {{ gatewayScript: string, simScript: string | null, gatewayArgs: string[], cwd?: string }} options
 * @returns {Promise<number>} the gateway's exit code
 */
export async function runDemo({ gatewayScript, simScript, gatewayArgs, cwd = ROOT }) {
  for (const script of [gatewayScript, simScript]) if (script !== null) assertExists(script);
  const demo = { gateway: null, sim: null, isStopping: false };
  demo.gateway = new Child(
    { script: gatewayScript, args: ["run", ...gatewayArgs], execArgv: GATEWAY_NODE_FLAGS, cwd },
    (message) => {
      if (simScript !== null && isReady(message)) startSim(demo, simScript, message.dataDir);
    },
  );
  const unlisten = listenForStop(demo);
  const exitCode = await demo.gateway.ended;
  demo.isStopping = true;
  await demo.sim?.stop(SIM_STOP_MS_MAX);
  unlisten();
  return exitCode;
}

function assertExists(script) {
  if (existsSync(script)) return;
  throw new Report({
    what: "a program of this checkout is missing",
    why: `there is no ${script}`,
    action: "restore it with `git status` and `git checkout`, or clone afresh",
  });
}

const isReady = (message) => message?.type === "ready" && typeof message.dataDir === "string";

function startSim(demo, simScript, dataDir) {
  if (demo.isStopping || demo.sim !== null) return;
  demo.sim = new Child({ script: simScript, args: ["demo", "--data-dir", dataDir] });
  demo.sim.ended.then((exitCode) => {
    if (demo.isStopping || exitCode === 0) return;
    console.error(`error: the simulated devices stopped`);
    console.error(`  why: the simulator ended with ${exitCode}; its own words are above`);
    console.error(`  do:  the gateway goes on without them; stop it with Ctrl-C and run \`npm start\` again`);
  });
}

function listenForStop(demo) {
  const stop = () => {
    if (demo.isStopping) {
      demo.sim?.kill();
      demo.gateway.kill();
      return;
    }
    demo.isStopping = true;
    stopInOrder(demo);
  };
  // npm passes a terminal's Ctrl-C on as well, so one wish may arrive twice at once: only a later one is impatience.
  const onSignal = debounce(stop);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  const unwatch = watchNpm(() => {
    if (!demo.isStopping) stop();
  });
  return () => {
    unwatch();
    for (const signal of signals) process.off(signal, onSignal);
  };
}

const SAME_WISH_MS = 500;

function debounce(action) {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = performance.now();
    if (nowMs - lastMs < SAME_WISH_MS) return;
    lastMs = nowMs;
    action();
  };
}

async function stopInOrder(demo) {
  await demo.sim?.stop(SIM_STOP_MS_MAX);
  await demo.gateway.stop(GATEWAY_STOP_MS_MAX);
}
