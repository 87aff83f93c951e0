// Decides whether a checkout needs its packages installed. Nothing here changes the disk but `writeStamp`.
//
//   node_modules/.tidegate-setup.json   {lockHash, modules}: what was installed last, and for which Node ABI
//
//   stamp equal                                → nothing
//   same packages, other Node ABI              → rebuild   (compiled for another Node)
//   no stamp, but npm's own record agrees      → adopt     (somebody ran `npm ci` by hand)
//   anything else                              → install

import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const stampFile = (root) => join(root, "node_modules", ".tidegate-setup.json");

/** The stamp that a finished set-up of this checkout by this Node would leave. */
export function currentStamp(root, modules = process.versions.modules) {
  const lockHash = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return { lockHash, modules };
}

/** Records a finished set-up. */
export function writeStamp(root, stamp) {
  writeFileSync(stampFile(root), `${JSON.stringify(stamp)}\n`);
}

/**
 * What has to be done before this checkout can run.
 * @returns {"nothing" | "rebuild" | "adopt" | "install"}
 */
export function whatIsNeeded(root, current = currentStamp(root)) {
  const found = readJson(stampFile(root));
  if (found !== null && found.lockHash === current.lockHash) {
    return found.modules === current.modules ? "nothing" : "rebuild";
  }
  return isInstalledByHand(root) ? "adopt" : "install";
}

/** True when npm's record of what it installed names every package of the lock file in the same version. */
function isInstalledByHand(root) {
  const wanted = readJson(join(root, "package-lock.json"))?.packages;
  const present = readJson(join(root, "node_modules", ".package-lock.json"))?.packages;
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith("node_modules/") && !path.includes("/node_modules/")) return true;
    if (entry.optional === true || entry.link === true) return true;
    return present[path]?.version === entry.version && existsSync(join(root, path));
  });
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}
