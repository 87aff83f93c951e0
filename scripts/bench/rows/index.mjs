// All rows, in the order of the table. A row is one object:
//
//   id, title, unit         what stands in the table
//   against                 the peer that the ratio is taken to, or "fastest"
//   direction, target       ratio "atLeast" or "atMost" the target
//   conditions(columns, medians)   optional: further demands on our own columns or on the medians, [{ name, met }]
//   rounds                  { quick, full }: how often each contender is measured, unless --rounds says so
//   programs                { peer: [programs that have to be installed] }
//   contenders              { ours, peer …: async (bench) => ({ value, columns }) }, started in this order, in turns
//
// `bench` is in main.mjs: isQuick, minutes, loadProgram, viewProgram, newFolder(), fleet(count), note(text).

import { t6, t7 } from "./backlog.mjs";
import { t5 } from "./comeback.mjs";
import { t9 } from "./command.mjs";
import { t10 } from "./disk-wear.mjs";
import { t8 } from "./drain.mjs";
import { t3 } from "./fan-out.mjs";
import { t4 } from "./idle-memory.mjs";
import { t1, t2 } from "./ingest.mjs";
import { t12 } from "./whole-path.mjs";
import { t11 } from "./wire.mjs";

export const ROWS = [t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12];
