// The first thing every verb does: refuse a Node that cannot run Tidegate, before any newer syntax is parsed.
// Keep this file in the syntax of Node 12: no `?.`, no `??`, no top-level await, no `node:` imports, no imports at all.

var MAJOR_MIN = 20;
var MINOR_MIN = 19;

/** True for a `process.version` string such as "v20.19.0" that is new enough. */
export function isSupported(version) {
  var parts = /^v(\d+)\.(\d+)/.exec(version);
  if (parts === null) return false;
  var major = Number(parts[1]);
  return major > MAJOR_MIN || (major === MAJOR_MIN && Number(parts[2]) >= MINOR_MIN);
}

/** Loads and runs a verb's `main(args)` when this Node is new enough; else prints what, why, do this and exits 2. */
export function launch(load) {
  if (!isSupported(process.version)) {
    console.error("error: this Node is too old to run Tidegate");
    console.error(`  why: it is ${process.version}; Tidegate needs ${MAJOR_MIN}.${MINOR_MIN} or newer`);
    console.error("  do:  install Node 22 or 24 (or 20.19 and later), then run the same command again");
    process.exit(2);
  }
  load()
    .then((verb) => verb.main(process.argv.slice(2)))
    .then(
      (exitCode) => {
        process.exitCode = exitCode;
      },
      (error) => {
        console.error(error !== null && error.isReport === true ? error.message : error);
        process.exitCode = 1;
      },
    );
}
