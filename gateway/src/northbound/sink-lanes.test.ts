/** The lanes of a connection: turns, and a record that goes alone. */
import { beforeEach, expect, it } from "vitest";
import { ManualClock } from "../core/testing/manual-clock.js";
import type { SinkPump } from "./live-first.js";
import { RecordRate } from "./record-rate.js";
import { type LanePublisher, SinkLanes } from "./sink-lanes.js";

const WINDOW = 4;
let sent: string[];
let unanswered: number;
let pumpHas: number;
let othersHave: number;
let suspicious: boolean;
let lanes: SinkLanes;

const connection = {
  session: { window: WINDOW },
  isWritable: true,
  get freeSlots() {
    return WINDOW - unanswered;
  },
  flush: () => {},
} as LanePublisher; // what the lanes look at

function send(name: string): boolean {
  if (unanswered === WINDOW) return false;
  unanswered += 1;
  sent.push(name);
  return true;
}

const lane = (name: string) => ({
  attach: () => {},
  detach: () => {},
  sendNext: () => {
    if (othersHave === 0 || !send(name)) return false;
    othersHave -= 1;
    return true;
  },
});
const silent = { attach: () => {}, detach: () => {}, sendNext: () => false };

const pump = {
  attach: () => {},
  get isSuspicious() {
    return suspicious;
  },
  sendNext: () => {
    if (pumpHas === 0 || !send("record")) return false;
    pumpHas -= 1;
    return true;
  },
} as unknown as SinkPump; // what the lanes look at

let clock: ManualClock;
const rateOf = (perSecond: number | null) => new RecordRate(perSecond, { clock, wake: () => lanes.fill() });

beforeEach(() => {
  clock = new ManualClock();
  [sent, unanswered, pumpHas, othersHave, suspicious] = [[], 0, 0, 0, false];
  const others = { statuses: lane("status"), requeued: lane("requeued"), watermarks: lane("watermark") };
  lanes = lanesOf({ ...others, replies: silent, states: silent, pump, rate: rateOf(null) });
  lanes.attach(connection);
});

/** What is asked of them here. */
const lanesOf = (parts: object) => new SinkLanes(parts as ConstructorParameters<typeof SinkLanes>[0]);

it("takes one message of each in turn, as far as the window goes", () => {
  [pumpHas, othersHave] = [9, 9];
  lanes.fill();
  expect(sent).toEqual(["status", "record", "requeued", "watermark"]);
});

it("sends a suspect alone: nothing beside it, and not beside anything", () => {
  [pumpHas, othersHave, suspicious, unanswered] = [2, 9, true, 1];
  lanes.fill();
  expect(sent).toEqual([]);
  unanswered = 0;
  lanes.fill();
  expect(sent).toEqual(["record"]);
  unanswered = 0;
  lanes.fill();
  expect(sent).toEqual(["record", "record"]);
});

it("goes on with the others when the pump has nothing to send, one round at a time", () => {
  [pumpHas, othersHave, suspicious] = [0, 9, true];
  lanes.fill();
  expect(sent).toEqual(["status", "requeued", "watermark"]);
  pumpHas = 1;
  lanes.fill();
  expect(sent).toHaveLength(3);
  unanswered = 0;
  lanes.fill();
  expect(sent.at(-1)).toBe("record");
});

it("goes round once more when a lane is woken by what another one does, never round inside a round", () => {
  let depth = 0;
  let deepest = 0;
  const waking = {
    ...silent,
    sendNext: () => {
      depth += 1;
      deepest = Math.max(deepest, depth);
      if (sent.length === 0) {
        send("answer");
        othersHave = 1;
        lanes.fill();
      }
      depth -= 1;
      return false;
    },
  };
  const others = { statuses: lane("status"), requeued: silent, watermarks: silent, states: silent };
  lanes = lanesOf({ ...others, replies: waking, pump, rate: rateOf(null) });
  lanes.attach(connection);
  lanes.fill();
  expect(sent).toEqual(["answer", "status"]);
  expect(deepest).toBe(1);
});

it("holds records and requeued ones to the sink's rate, and nothing else", () => {
  const others = { statuses: lane("status"), requeued: lane("requeued"), watermarks: lane("watermark") };
  lanes = lanesOf({ ...others, replies: silent, states: silent, pump, rate: rateOf(10) });
  lanes.attach(connection);
  const records = () => sent.filter((name) => name === "record" || name === "requeued").length;
  for (let second = 1; second <= 3; second++) {
    for (let ms = 0; ms < 1_000; ms += 10) {
      [pumpHas, othersHave, unanswered] = [9, 9, 0];
      lanes.fill();
      clock.advance(10);
    }
    expect(records()).toBeLessThanOrEqual(10 * second + 2);
    expect(records()).toBeGreaterThanOrEqual(10 * second - 1);
  }
  expect(sent.filter((name) => name === "watermark").length).toBeGreaterThan(100);
});

it("wakes by itself when a record may leave again", () => {
  lanes = lanesOf({
    statuses: silent,
    requeued: silent,
    watermarks: silent,
    replies: silent,
    states: silent,
    pump,
    rate: rateOf(1),
  });
  lanes.attach(connection);
  pumpHas = 3;
  lanes.fill();
  expect(sent).toHaveLength(2);
  clock.advance(1_000);
  expect(sent).toHaveLength(3);
});
