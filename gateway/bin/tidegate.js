#!/usr/bin/env -S node --disallow-code-generation-from-strings
// The `tidegate` command. Committed, not built: npm links a bin at install time, before dist/ exists.
//
// The first line keeps `eval` and `new Function` out of the daemon; the flag would come too late at run time. Whoever
// starts this file with `node` passes the flag himself (npm start and the service unit do). One process, no children:
// what is killed by its pid is the gateway.
//
// The syntax here is that of Node 12, so that an old Node says why it cannot run this instead of a syntax error.

var parts = /^v(\d+)\.(\d+)/.exec(process.version) || [];
var major = Number(parts[1]);
var minor = Number(parts[2]);

function fail(exitCode, what, why, fix) {
  process.stderr.write(`error: ${what}\n  why: ${why}\n  do:  ${fix}\n`);
  process.exitCode = exitCode;
}

/** Absent code (dist/ of this package) or an absent package: both mean "not built or not installed". */
function isMissing(error) {
  return error !== null && typeof error === "object" && error.code === "ERR_MODULE_NOT_FOUND";
}

/** When the newest of these was written; 0 when none is there. */
function newestOf(paths) {
  return import("node:fs").then((fs) => {
    var times = paths.map((path) => {
      var stat = fs.statSync(new URL(path, import.meta.url), { throwIfNoEntry: false });
      return stat === undefined ? 0 : stat.mtimeMs;
    });
    return Math.max(...times);
  });
}

if (!(major > 20 || (major === 20 && minor >= 19))) {
  fail(
    78,
    "E_NODE_TOO_OLD: this Node is too old",
    `it is ${process.version}, Tidegate needs 20.19 or later`,
    "install Node 22 or 24, then run the same command again",
  );
} else {
  // The bundle starts in half the time. A checkout that was compiled since runs what was compiled.
  Promise.all([newestOf(["../dist/app/.stamp"]), newestOf(["../dist/.tsbuildinfo", "../../proto/dist/.tsbuildinfo"])])
    .then((times) =>
      times[0] > 0 && times[0] >= times[1]
        ? ["../dist/app/cli.js", "../dist/app/main.js"]
        : ["../dist/cli/cli.js", "../dist/main.js"],
    )
    .then((files) => import(files[0]).then((cli) => cli.main(() => import(files[1]))))
    .catch((error) => {
      if (!isMissing(error)) throw error;
      fail(
        1,
        "this checkout is not built",
        error.message.split("\n")[0],
        "run `npm run build`, then the same command again",
      );
    });
}
