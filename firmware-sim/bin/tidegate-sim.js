#!/usr/bin/env node
// The `tidegate-sim` command: virtual device fleets. Committed, not built: npm links a bin at install time, before
// dist/ exists. `npm start` and `tidegate sim` run this file.
//
// The syntax here is that of Node 12, so that an old Node says why it cannot run this instead of a syntax error.

var parts = /^v(\d+)\.(\d+)/.exec(process.version) || [];
var major = Number(parts[1]);
var minor = Number(parts[2]);

function fail(exitCode, what, why, fix) {
  process.stderr.write(`error: ${what}\n  why: ${why}\n  do:  ${fix}\n`);
  process.exitCode = exitCode;
  if (process.connected) process.disconnect();
}

if (!(major > 20 || (major === 20 && minor >= 19))) {
  fail(
    1,
    "this Node is too old",
    `it is ${process.version}, Tidegate needs 20.19 or later`,
    "install Node 22 or 24, then run the same command again",
  );
} else {
  import("../dist/cli.js")
    .then((cli) => cli.main())
    .catch((error) => {
      if (error === null || typeof error !== "object" || error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      fail(
        1,
        "this checkout is not built",
        error.message.split("\n")[0],
        "run `npm run build`, then the same command again",
      );
    });
}
