// Builds dist/tidegate_<version>_<architecture>.deb from what is committed.
//
//   HEAD ─▶ clone ─▶ set-up, build ─▶ files as install-service lays them out ─▶ Debian's places ─▶ dpkg-deb
//                                          └ and the Node that built it, so that its compiled parts fit
//
//   node scripts/package-deb.mjs [--here] [--out DIR] [--node PATH] [--compression xz|gzip|none]
//
// --here takes the built checkout instead of a clone: for tests, and for a build machine that has just cloned.
// The package is for the architecture it is built on. Two builds of one commit are equal byte for byte: times come from
// the commit (SOURCE_DATE_EPOCH), owners are root, and dpkg-deb sorts.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import * as debian from "./debian-files.mjs";
import { install, planInstall, productionModules } from "./install-service.mjs";
import { ensureBuilt } from "./workspace/build.mjs";
import { inRoot, ROOT } from "./workspace/report.mjs";
import { ensureSetup } from "./workspace/setup.mjs";

const PROGRAM = "opt/tidegate";
const NODE = `${PROGRAM}/bin/node`;
const DOCS = "usr/share/doc/tidegate";

const LICENSES = ["../LICENSE", "../share/doc/node/LICENSE", "../share/doc/nodejs/LICENSE"];

function run(command, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
    ...options,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed: ${stderr ?? ""}`);
  return stdout ?? "";
}

/** Seconds since 1970 of the commit, or what the environment says. */
function sourceDateEpoch() {
  const said = process.env.SOURCE_DATE_EPOCH;
  return said === undefined ? run("git", ["log", "-1", "--format=%ct"], { cwd: ROOT }).trim() : said;
}

/** Everything of the package below `stage`, from the built checkout this script is in. */
function layOut(stage, { nodePath, epoch }) {
  install(stage, planInstall({ root: stage, nodePath: `/${NODE}`, modules: productionModules() }));
  prune(join(stage, PROGRAM, "node_modules"));
  rmSync(join(stage, "usr/local"), { recursive: true });
  mkdirSync(join(stage, "usr/lib/udev"), { recursive: true });
  renameSync(join(stage, "etc/udev/rules.d"), join(stage, "usr/lib/udev/rules.d"));
  rmSync(join(stage, "etc/udev"), { recursive: true });
  mkdirSync(join(stage, PROGRAM, "bin"));
  copyFileSync(nodePath, join(stage, NODE));
  const write = (path, content, mode = 0o644) => {
    mkdirSync(dirname(join(stage, path)), { recursive: true });
    writeFileSync(join(stage, path), content, { mode });
    chmodSync(join(stage, path), mode);
  };
  write("usr/bin/tidegate", debian.COMMAND, 0o755);
  write("etc/avahi/services/tidegate.service", readFileSync(inRoot("hardware/avahi/tidegate.service")));
  for (const [shell, path] of COMPLETIONS) {
    write(path, run(process.execPath, [inRoot("gateway/bin/tidegate.js"), "completion", shell]));
  }
  write("usr/share/lintian/overrides/tidegate", debian.OVERRIDES);
  write(`${DOCS}/copyright`, debian.copyright(nodeLicense(nodePath)));
  for (const page of ["operations.md", "configuration.md", "errors.md", "sizing.md"]) {
    if (existsSync(inRoot(`docs/${page}`))) write(`${DOCS}/${page}.gz`, packed(readFileSync(inRoot(`docs/${page}`))));
  }
  write(`${DOCS}/changelog.gz`, packed(changelog(epoch)));
}

const COMPLETIONS = [
  ["bash", "usr/share/bash-completion/completions/tidegate"],
  ["zsh", "usr/share/zsh/vendor-completions/_tidegate"],
  ["fish", "usr/share/fish/vendor_completions.d/tidegate.fish"],
];

/** zlib writes no time and no name, so equal content stays equal. */
const packed = (content) => gzipSync(content, { level: 9 });

function changelog(epoch) {
  const { version } = JSON.parse(readFileSync(inRoot("gateway/package.json"), "utf8"));
  const date = new Date(Number(epoch) * 1000).toUTCString().replace("GMT", "+0000");
  return `tidegate (${version}) unstable; urgency=medium

  * See CHANGELOG.md of the project.

 -- The Tidegate authors <maintainers@tidegate.invalid>  ${date}
`;
}

/** For those who develop a package, or for another C library. */
const NOT_RUN = /(?:\.(?:map|d\.ts|d\.mts|d\.cts|musl\.node)|\/\.(?:npmignore|gitignore|gitattributes|eslintrc[^/]*))$/;

function prune(modules) {
  for (const path of filesIn(modules)) {
    if (NOT_RUN.test(path)) rmSync(path);
    // A stray executable bit would be a command nobody knows.
    else chmodSync(path, 0o644);
  }
}

function nodeLicense(nodePath) {
  const found = LICENSES.map((path) => resolve(dirname(nodePath), path)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`the license of ${nodePath} is not beside it; its text must go with it`);
  return readFileSync(found, "utf8");
}

/** All files and links below a folder, sorted. */
function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => lstatSync(path).isFile())
    .sort();
}

function writeControl(stage, version) {
  const files = filesIn(stage);
  const installedKiB = Math.ceil(files.reduce((sum, path) => sum + lstatSync(path).size, 0) / 1024);
  const architecture = debian.DEB_ARCHITECTURES[process.arch];
  if (architecture === undefined) throw new Error(`there is no package for ${process.arch}`);
  const digest = (path) => createHash("md5").update(readFileSync(path)).digest("hex");
  const parts = {
    control: [debian.control({ version, architecture, installedKiB }), 0o644],
    conffiles: [`${debian.CONFFILES.join("\n")}\n`, 0o644],
    templates: [debian.TEMPLATES, 0o644],
    md5sums: [files.map((path) => `${digest(path)}  ${relative(stage, path)}\n`).join(""), 0o644],
    postinst: [debian.POSTINST, 0o755],
    prerm: [debian.PRERM, 0o755],
    postrm: [debian.POSTRM, 0o755],
  };
  mkdirSync(join(stage, "DEBIAN"), { mode: 0o755 });
  for (const [name, [text, mode]] of Object.entries(parts)) {
    writeFileSync(join(stage, "DEBIAN", name), text);
    chmodSync(join(stage, "DEBIAN", name), mode);
  }
  return architecture;
}

/** Every file and folder as old as the commit. */
function setTimes(stage, epoch) {
  const entries = readdirSync(stage, { recursive: true, withFileTypes: true });
  for (const entry of entries) lutimesSync(join(entry.parentPath ?? entry.path, entry.name), epoch, epoch);
  lutimesSync(stage, epoch, epoch);
}

/**
 * Build the package from the checkout this script is in, which must be built.
 * @param {{ out: string, nodePath?: string, compression?: "xz" | "gzip" | "none", epoch?: string }} options
 * @returns {string} the package's path
 */
export function packageHere({ out, nodePath = process.execPath, compression = "xz", epoch = sourceDateEpoch() }) {
  const scratch = mkdtempSync(join(tmpdir(), "tidegate-deb-"));
  const mask = process.umask(0o022);
  try {
    const stage = join(scratch, "tidegate");
    mkdirSync(stage, { mode: 0o755 });
    layOut(stage, { nodePath, epoch });
    const { version } = JSON.parse(readFileSync(inRoot("gateway/package.json"), "utf8"));
    const architecture = writeControl(stage, version);
    setTimes(stage, Number(epoch));
    mkdirSync(out, { recursive: true });
    const target = join(out, `tidegate_${version}_${architecture}.deb`);
    const env = { ...process.env, SOURCE_DATE_EPOCH: epoch };
    run("dpkg-deb", ["--root-owner-group", `-Z${compression}`, "--build", stage, target], { env });
    return target;
  } finally {
    process.umask(mask);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The same from a clone of HEAD. @returns {string} the package's path */
function packageClone(options) {
  const scratch = mkdtempSync(join(tmpdir(), "tidegate-clone-"));
  try {
    run("git", ["clone", "-q", "--no-hardlinks", ROOT, scratch]);
    const args = ["scripts/package-deb.mjs", "--here", "--out", options.out, "--compression", options.compression];
    const env = { ...process.env, SOURCE_DATE_EPOCH: sourceDateEpoch() };
    const more = options.nodePath === undefined ? [] : ["--node", options.nodePath];
    return run(process.execPath, [...args, ...more], {
      cwd: scratch,
      env,
      stdio: ["ignore", "pipe", "inherit"],
    }).trim();
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const OPTIONS = {
  here: { type: "boolean" },
  out: { type: "string" },
  node: { type: "string" },
  compression: { type: "string" },
};

/** The command: prints the package's path. @returns {Promise<number>} its exit code */
export async function main(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const { here = false, compression = "xz", node: nodePath } = values;
  const options = { out: resolve(values.out ?? inRoot("dist")), compression, nodePath };
  if (here) {
    await ensureSetup();
    await ensureBuilt();
  }
  console.log(here ? packageHere(options) : packageClone(options));
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
