// Installs the gateway as a service: builds here, copies what runs to /opt/tidegate, puts the files of `hardware/`
// where systemd and udev look. Never lets the service run from a checkout, which its owner would change under it.
//
//   checkout ─► build ─► <root>/opt/tidegate.new ─► rename to <root>/opt/tidegate     (the one before: .old, removed)
//   hardware/systemd, udev ─► <root>/usr/lib, /etc      /etc/tidegate/tidegate.yaml only when there is none
//
//   sudo node scripts/install-service.mjs [--dry-run] [--root DIR] [--node PATH]
//
// --node is the program in the unit, by default the Node that runs this.
// With --root nothing of this machine is touched and no program of systemd is run. Tested into a scratch root; NOT run
// under a real systemd or on a board.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ensureBuilt } from "./workspace/build.mjs";
import { inRoot, ROOT } from "./workspace/report.mjs";
import { ensureSetup } from "./workspace/setup.mjs";

const PROGRAM = "opt/tidegate";

/** Of our own packages, what runs. Not `proto/PROTOCOL.md`: by it the program would take itself for a checkout. */
const OWN_FILES = [
  "LICENSE",
  "gateway/bin",
  "gateway/dist",
  "gateway/package.json",
  "proto/dist",
  "proto/generated",
  "proto/package.json",
];

const SYSTEM_FILES = [
  ["hardware/systemd/tidegate.service", "usr/lib/systemd/system/tidegate.service"],
  ["hardware/systemd/tidegate.sysusers", "usr/lib/sysusers.d/tidegate.conf"],
  ["hardware/systemd/tidegate.tmpfiles", "usr/lib/tmpfiles.d/tidegate.conf"],
  ["hardware/udev/60-tidegate-serial.rules", "etc/udev/rules.d/60-tidegate-serial.rules"],
];

const CONFIG = "etc/tidegate/tidegate.yaml";
const CONFIG_TEXT = `# Configuration of the gateway; every setting is in docs/configuration.md.
version: 1
# The id is part of every topic and record id: choose it before you add a sink.
# gateway: { id: attic-pi }
`;

/** What follows on a real system; each must end with 0. */
const AFTERWARDS = [
  ["systemd-sysusers"],
  ["systemd-tmpfiles", "--create", "tidegate.conf"],
  ["systemctl", "daemon-reload"],
];

/**
 * Everything that will be done, without doing it.
 * @param {{ root: string, nodePath: string, modules: string[] }} facts `root` is absolute; `modules` are folders of
 *   production dependencies, relative to the checkout
 * @returns {{ what: "copy" | "write" | "link", from?: string, to: string, text?: string }[]} `to` is below the root
 * @throws Error when the unit could not start this Node
 */
export function planInstall({ root, nodePath, modules }) {
  if (/^\/(home|root|run\/user)\//.test(nodePath)) {
    throw new Error(
      `the service cannot see ${nodePath} (ProtectHome); install Node for all users, then run it with that`,
    );
  }
  const fresh = `${PROGRAM}.new`;
  const copies = [...OWN_FILES, ...modules].map((path) => ({ what: "copy", from: path, to: `${fresh}/${path}` }));
  const files = SYSTEM_FILES.map(([from, to]) => {
    const text = readFileSync(inRoot(from), "utf8").replaceAll("/usr/bin/node", nodePath);
    return { what: "write", from, to, text };
  });
  const config = existsSync(join(root, CONFIG)) ? [] : [{ what: "write", to: CONFIG, text: CONFIG_TEXT }];
  return [
    ...copies,
    { what: "link", from: "../../proto", to: `${fresh}/node_modules/@tidegate/proto` },
    ...files,
    ...config,
    { what: "link", from: `/${PROGRAM}/gateway/bin/tidegate.js`, to: "usr/local/bin/tidegate" },
  ];
}

/**
 * Folders of the gateway's production dependencies, relative to the checkout; links to our own packages left out.
 * @throws Error when npm does not know them
 */
export function productionModules() {
  const args = ["ls", "--omit=dev", "--all", "--parseable", "-w", "tidegate"];
  const { stdout } = spawnSync("npm", args, { cwd: ROOT, encoding: "utf8" });
  const paths = stdout.split("\n").map((path) => relative(ROOT, path));
  const modules = paths.filter((path) => path.includes("node_modules/") && !lstatSync(inRoot(path)).isSymbolicLink());
  if (!modules.includes("node_modules/better-sqlite3")) throw new Error("npm ls does not list the gateway's packages");
  return modules.sort();
}

/**
 * Carries a plan out, and puts the new program in the place of the old one. A gateway that runs goes on with what it
 * has loaded, and has to be restarted.
 * @param {string} root absolute
 * @param {ReturnType<typeof planInstall>} plan
 */
export function install(root, plan) {
  // The checkout may be its owner's alone, and root's umask strict; the service's user has to read all of it.
  process.umask(0o022);
  const fresh = join(root, `${PROGRAM}.new`);
  rmSync(fresh, { recursive: true, force: true });
  for (const { what, from, to, text } of plan) {
    const target = join(root, to);
    mkdirSync(dirname(target), { recursive: true });
    if (what === "copy") cpSync(inRoot(from), target, { recursive: true, filter: isNeeded(from) });
    else if (what === "write") writeFileSync(target, text, { mode: 0o644 });
    else {
      rmSync(target, { force: true });
      symlinkSync(from, target);
    }
  }
  const { status } = spawnSync("chmod", ["-R", "u+rwX,go+rX,go-w", fresh]);
  if (status !== 0) throw new Error(`the rights of ${fresh} cannot be set`);
  const old = join(root, `${PROGRAM}.old`);
  rmSync(old, { recursive: true, force: true });
  if (existsSync(join(root, PROGRAM))) renameSync(join(root, PROGRAM), old);
  renameSync(fresh, join(root, PROGRAM));
  rmSync(old, { recursive: true, force: true });
}

/** Of the native packages, what only compiles them, or is for other machines. */
const NOT_RUN = new RegExp(
  [
    "better-sqlite3/(?:deps|src)$",
    "better-sqlite3/build/(?:deps|Release/(?:obj|obj[.]target|[.]deps|test_extension[.]node))$",
    "@serialport/bindings-cpp/(?:src|build)$",
    `@serialport/bindings-cpp/prebuilds/(?!linux-${process.arch}(?:/|$))[^/]+$`,
  ].join("|"),
);

/**
 * A package's own files that run: what is nested in its node_modules is in the list by itself, or is not needed.
 */
function isNeeded(from) {
  const own = inRoot(from);
  return (path) => !relative(own, path).split("/").includes("node_modules") && !NOT_RUN.test(path);
}

const OPTIONS = { "dry-run": { type: "boolean" }, root: { type: "string" }, node: { type: "string" } };

/** The command. @returns {Promise<number>} its exit code */
export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const root = resolve(values.root ?? "/");
  const isSystem = root === "/";
  if (values["dry-run"] !== true) {
    if (isSystem && process.getuid?.() !== 0) throw new Error("it writes to /opt and /usr: run it with sudo");
    await ensureSetup();
    await ensureBuilt();
  }
  const plan = planInstall({ root, nodePath: values.node ?? process.execPath, modules: productionModules() });
  if (values["dry-run"] === true) {
    for (const { what, from, to } of plan) console.log(`${what}  ${join(root, to)}${from ? `  <- ${from}` : ""}`);
    if (isSystem) for (const command of AFTERWARDS) console.log(`run   ${command.join(" ")}`);
    return 0;
  }
  install(root, plan);
  for (const [command, ...rest] of isSystem ? AFTERWARDS : []) {
    const { status } = spawnSync(command, rest, { stdio: "inherit" });
    if (status !== 0) throw new Error(`${[command, ...rest].join(" ")} failed; the files are in place, run it again`);
  }
  console.log(`installed in ${join(root, PROGRAM)}`);
  if (isSystem) console.log("next: sudo systemctl enable tidegate && sudo systemctl restart tidegate");
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).then(
    (exitCode) => {
      process.exitCode = exitCode;
    },
    (error) => {
      console.error(`error: ${error.message}`);
      process.exitCode = 1;
    },
  );
}
