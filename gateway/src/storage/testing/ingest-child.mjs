// A process that stores numbered records and says what was acked, to be killed from outside.
//
//   node ingest-child.mjs threads FOLDER            on the two worker threads, until killed; prints `acked N` and `epoch E`
//   node ingest-child.mjs threads FOLDER 1 200      commits of one record until 200 are stored, then closes in order
//   node ingest-child.mjs singles FOLDER [normal]   100 commits of one record, then exits; `normal` weakens the syncing
//
// Uses the compiled gateway, as the daemon does.

import { writeSync } from "node:fs";
import { step } from "../../../dist/command/command-machine.js";
import { SystemClock } from "../../../dist/core/clock.js";
import { SystemRandom } from "../../../dist/core/random.js";
import { BatchEntry, GatherBuffer } from "../../../dist/model/batch.js";
import { Engine } from "../../../dist/storage/engine.js";
import { openStorage } from "../../../dist/storage/open-storage.js";
import { openStores } from "../../../dist/storage/open-stores.js";

const [mode, dataDir, option, last] = process.argv.slice(2);
const clock = new SystemClock();
const start = { quotaBytes: 2 ** 30, whenFull: "block", windowDigests: 64, keepsHistory: false, bootId: "boot" };

if (mode === "threads") await untilKilled();
else singles();

async function untilKilled() {
  const storage = await openStorage({ ...start, dataDir, gatewayId: "gw", onFatal: fail });
  const held = await storage.reader.devices();
  const before = held[0] ?? { epoch: 0, ackedSeq: 0 };
  const seqs = { nextSeq: before.ackedSeq + 1, oldest: before.ackedSeq + 1, ackedSeq: before.ackedSeq };
  const session = await storage.spool.hello(hello(before.epoch === 0 ? {} : { epoch: before.epoch, ...seqs }));
  say(`epoch ${session.epoch}`);
  say(`acked ${session.ackedSeq}`);
  const perCommit = Number(option ?? 50);
  const lastSeq = Number(last ?? Number.POSITIVE_INFINITY);
  let seq = session.ackedSeq;
  while (seq < lastSeq) {
    const outcome = await storage.spool.commit(batch(session, seq + 1, perCommit));
    if (!outcome.ok) throw new Error(outcome.reason);
    seq += perCommit;
    say(`acked ${outcome.marks[2]}`);
  }
  await storage.close();
}

function singles() {
  const random = new SystemRandom();
  const stores = openStores({ dataDir, clock, random, step });
  const engine = new Engine(stores, { ...start, clock, random, step });
  if (option === "normal") stores.spool.db.pragma("synchronous = NORMAL");
  const [session] = engine.hellos([hello({})]);
  for (let seq = 1; seq <= 100; seq++) engine.commit(batch(session, seq, 1));
  engine.abandon();
}

function batch(session, from, count) {
  const gather = new GatherBuffer(2 ** 20);
  const entry = new BatchEntry();
  const body = new Uint8Array(64);
  for (let seq = from; seq < from + count; seq++) {
    Object.assign(entry, { deviceKey: session.deviceKey, epoch: session.epoch, seq, announced: seq, kind: 5 });
    entry.receivedUnixMs = clock.unixMs();
    entry.baseUnixMs = entry.receivedUnixMs;
    gather.append(entry, body, 0, body.length);
  }
  return gather.take();
}

function hello(fields) {
  const numbers = { bootNonce: 1, epoch: 0, nextSeq: 1, oldest: 1, ackedSeq: 0, lastCommand: 0, catalogHash: 0 };
  const facts = { deviceId: "d", closing: false, firmware: "", model: "", sleepMs: 0, receivedUnixMs: clock.unixMs() };
  return { ...numbers, ...facts, ...fields };
}

/** Straight to the pipe: a killed process must not have said less than it acked. */
function say(line) {
  writeSync(1, `${line}\n`);
}

function fail(error) {
  writeSync(2, `${error.lines.join("\n")}\n`);
  process.exit(error.exitCode);
}
