// Where a rule of tidy does not apply, each with its reason. An exception that is no longer needed is an error, so this
// list can only be as long as the truth.
//
//   rule      the rule's name          path   exact path of the file
//   contains  optional: only problems whose message contains this

/** @type {{ rule: string, path: string, contains?: string, reason: string }[]} */
export const EXCEPTIONS = [
  {
    rule: "libraries",
    path: "firmware-sim/world/src/store/sql-home.ts",
    reason: "the simulated disk fails as SQLite does: with SQLite's own errors",
  },
  {
    rule: "libraries",
    path: "firmware-sim/world/src/store/sql-mirror.ts",
    reason: "the judge reads what is durable by a connection of its own, past the code that it judges",
  },
  {
    rule: "banned",
    path: "firmware-sim/src/rehearse/child.ts",
    reason: "rehearsals run real processes and last as long as the outage they rehearse: real time is the subject",
  },
  {
    rule: "banned",
    path: "firmware-sim/src/rehearse/api-watch.ts",
    contains: "performance.now",
    reason: "measures how long a real process takes to answer",
  },
  {
    rule: "banned",
    path: "firmware-sim/src/rehearse/fleet-main.ts",
    contains: "timers",
    reason: "the entry of a process of its own, which reports in real time",
  },
  {
    rule: "banned",
    path: "firmware-sim/src/rehearse/gateway-process.ts",
    contains: "process.env",
    reason: "a child process gets its parent's environment",
  },
  {
    rule: "any",
    path: "firmware-sim/src/rehearse/gateway-process.ts",
    reason: "answers of the API have many shapes, and each test asserts the one it asked for",
  },
  {
    rule: "sleep",
    path: "firmware-sim/test/commands.test.ts",
    reason: "real processes: that something does not happen can only be seen by giving it the time it would take",
  },
  {
    rule: "packages",
    path: "device-sdk/ts/examples/echo-client.ts",
    reason: "an example imports the SDK by its name, as an application does",
  },
  {
    rule: "packages",
    path: "device-sdk/ts/examples/raspberry-pi-temperature.ts",
    reason: "an example imports the SDK by its name, as an application does",
  },
  {
    rule: "c-includes",
    path: "device-sdk/c/src/tg_core.h",
    contains: "avr/pgmspace.h",
    reason: "constant tables stay in flash on AVR, whose RAM is 2 KB; a macro hides it everywhere else",
  },
];
