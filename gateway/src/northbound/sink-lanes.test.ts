/** The lanes of a connection: turns, and a record that goes alone. */
import { beforeEach, expect, it } from "vitest";
import type { SinkPump } from "./live-first.js";
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

beforeEach(() => {
  [sent, unanswered, pumpHas, othersHave, suspicious] = [[], 0, 0, 0, false];
  const others = { statuses: lane("status"), requeued: lane("requeued"), watermarks: lane("watermark") };
  lanes = new SinkLanes({ ...others, replies: silent, states: silent, pump } as unknown as ConstructorParameters<
    typeof SinkLanes
  >[0]); // what is asked of them here
  lanes.attach(connection);
});

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
  lanes = new SinkLanes({ ...others, replies: waking, pump } as unknown as ConstructorParameters<typeof SinkLanes>[0]);
  lanes.attach(connection);
  lanes.fill();
  expect(sent).toEqual(["answer", "status"]);
  expect(deepest).toBe(1);
});
