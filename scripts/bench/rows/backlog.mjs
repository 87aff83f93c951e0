// T6 and T7: what a backlog costs that nobody takes. A start must not read it, and a record must not cost more because
// ten million wait in front of it.
//
//   T6   killed gateway with the backlog ─▶ start ─▶ accepting           beside the same start with an empty store
//   T7   load.c ══ws══▶ gateway with the backlog ─▶ CPU per record       beside the same with 10,000 records waiting

import { rmSync } from "node:fs";
import { join } from "node:path";
import { folderWithBacklog, HOLDING } from "../harness/backlog.mjs";
import { Gateway } from "../harness/gateway.mjs";
import { measureOf, runLoad } from "../harness/load.mjs";
import { cpuSeconds, rssBytes } from "../harness/proc.mjs";

const RECORDS = { quick: 1_000_000, full: 10_000_000 };
const FEW = 10_000;
const STARTS = { quick: 3, full: 5 };
const START_MS_MAX = 1_000;

/** More devices would measure connecting; fewer, one stream. */
const SHAPE = { conns: 100, inflight: 32, payload: 64 };
const SECONDS = { quick: 2, full: 5 };

/** The mean of a few starts on one folder; each gateway is killed, and the next finds what it left. */
function starting(count) {
  return (bench) =>
    withBacklog(bench, count, async (folder) => {
      const starts = bench.isQuick ? STARTS.quick : STARTS.full;
      let [ms, cpu, rss] = [0, 0, 0];
      for (let i = 0; i < starts; i++) {
        // The killed one could not take back that it was ready.
        rmSync(join(folder, "data", "gateway.json"), { force: true });
        const from = performance.now();
        const gateway = await Gateway.start(folder, HOLDING);
        ms += performance.now() - from;
        cpu += cpuSeconds(gateway.pid);
        rss = Math.max(rss, rssBytes(gateway.pid) ?? 0);
        await gateway.kill();
      }
      return {
        value: ms / starts,
        columns: { "CPU s": cpu / starts, "RSS MB": rss / 1e6, records: count, ms: ms / starts },
      };
    });
}

/** CPU per record of the whole process: a rate would mostly tell how busy the machine is. */
function enqueueing(count) {
  return (bench) =>
    withBacklog(bench, count, async (folder, fleet) => {
      const gateway = await Gateway.start(folder, HOLDING);
      try {
        const target = { mode: "ws", port: gateway.devicesPort, pid: gateway.pid, tokens: fleet.tokensFile };
        const seconds = bench.isQuick ? SECONDS.quick : SECONDS.full;
        const { value: perSecond, columns } = measureOf(
          await runLoad(bench.loadProgram, { ...SHAPE, seconds, ...target }),
        );
        return { value: columns["CPU s/million"], columns: { ...columns, "acked/s": perSecond, records: count } };
      } finally {
        await gateway.kill();
      }
    });
}

async function withBacklog(bench, count, use) {
  const fleet = await bench.fleet(SHAPE.conns);
  const folder = await folderWithBacklog(bench, fleet, count);
  try {
    return await use(folder, fleet);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const many = (bench) => (bench.isQuick ? RECORDS.quick : RECORDS.full);

/** Constant-time restart. */
export const t6 = {
  id: "T6",
  title: "start to accepting after a kill, 10 M records queued (quick: 1 M)",
  unit: "ms",
  against: "empty",
  direction: "atMost",
  target: 1.2,
  rounds: { quick: 1, full: 3 },
  programs: {},
  contenders: { ours: (bench) => starting(many(bench))(bench), empty: starting(0) },
  conditions: (columns) => [{ name: `within ${START_MS_MAX} ms`, met: columns.ms <= START_MS_MAX }],
};

/** A flat cost. */
export const t7 = {
  id: "T7",
  title: "enqueueing behind 10 M records (quick: 1 M)",
  unit: "CPU s/million",
  against: "few",
  direction: "atMost",
  target: 1.15,
  rounds: { quick: 1, full: 3 },
  programs: {},
  contenders: { ours: (bench) => enqueueing(many(bench))(bench), few: enqueueing(FEW) },
};
