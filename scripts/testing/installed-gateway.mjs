// Starts what was installed below a scratch root, by the unit's own command line and as another user, and stops it.
// For the tests of everything that installs.

import { spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";

/** `nobody`, where the root has no user of its own. */
const NOBODY = 65_534;
const START_MS_MAX = 30_000;
const POLL_MS = 50;

/**
 * Run the gateway of a root until its health was asked, then stop it.
 * @param {string} root the folder it was installed into
 * @param {(program: string) => string} nodeOf from the unit's Node to one that is there
 * @returns {Promise<{ health: unknown, exitCode: number, state: string }>} `state` is its data folder
 * @throws Error with its output when it does not start
 */
export async function runInstalled(root, nodeOf) {
  const unit = readFileSync(join(root, "usr/lib/systemd/system/tidegate.service"), "utf8");
  const [, command = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  const [program = "", ...args] = command.split(" ");
  const state = join(root, "state");
  mkdirSync(state, { mode: 0o750 });
  // Only root may become somebody else, so an ordinary user's run proves less.
  const identity = process.getuid?.() === 0 ? userOf(root) : {};
  if (identity.uid !== undefined) chownSync(state, identity.uid, identity.gid);
  const gateway = spawn(
    nodeOf(program),
    args.map((arg) => arg.replace("/opt/tidegate", join(root, "opt/tidegate"))),
    {
      cwd: "/",
      env: {
        STATE_DIRECTORY: state,
        TIDEGATE_CONFIG: join(root, "etc/tidegate/tidegate.yaml"),
        TIDEGATE_ADMIN__LISTEN: "127.0.0.1:0",
        TIDEGATE_DEVICES__LISTEN: "127.0.0.1:0",
      },
      stdio: ["ignore", "pipe", "pipe"],
      ...identity,
    },
  );
  let output = "";
  gateway.stdout.on("data", (text) => (output += text));
  gateway.stderr.on("data", (text) => (output += text));
  const ended = new Promise((resolve) => gateway.on("close", resolve));
  let health;
  try {
    const { url } = JSON.parse(await fileText(join(state, "gateway.json"), () => output));
    health = await (await fetch(new URL("/healthz", url))).json();
  } finally {
    gateway.kill("SIGTERM");
  }
  return { health, exitCode: await ended, state };
}

/** The service's user, as the root knows it. */
function userOf(root) {
  const passwd = join(root, "etc/passwd");
  const text = existsSync(passwd) ? readFileSync(passwd, "utf8") : "";
  const [, uid = NOBODY, gid = NOBODY] = /^tidegate:[^:]*:(\d+):(\d+):/m.exec(text) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/** The text of a file that a process is about to write; fails with that process's output. */
function fileText(path, output) {
  return vi.waitFor(
    () => {
      if (!existsSync(path)) throw new Error(`${path} never came; the gateway said:\n${output()}`);
      return readFileSync(path, "utf8");
    },
    { timeout: START_MS_MAX, interval: POLL_MS },
  );
}
