#!/usr/bin/env node
// The entry of `npm run world`: committed, not built, so that a checkout without a build says what is missing.
import("../dist/cli.js")
  .then((cli) => cli.main(process.argv.slice(2)))
  .then((exitCode) => {
    process.exitCode = exitCode;
  })
  .catch((error) => {
    const isUnbuilt = error?.code === "ERR_MODULE_NOT_FOUND";
    const why = isUnbuilt ? error.message.split("\n")[0] : (error?.stack ?? String(error));
    const fix = isUnbuilt ? "run `npm run build`, then the same command again" : "report it with the seed";
    process.stderr.write(`error: the world did not run\n  why: ${why}\n  do:  ${fix}\n`);
    process.exitCode = 1;
  });
