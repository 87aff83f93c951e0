/** The outbox: bounds, gaps, reserved room, and the two epochs of a drain. */
import { describe, expect, test } from "vitest";
import { ENTRY_OVERHEAD_BYTES, Outbox } from "./outbox.js";
import { OUTBOX_LIMITS, type OutboxLimits, type SavedQueue } from "./outbox-types.js";
import type { Entry } from "./seq-queue.js";

const BODY = new Uint8Array(10);

function outbox(limits: Partial<OutboxLimits> = {}): Outbox {
  return new Outbox({ ...OUTBOX_LIMITS, ...limits });
}

function fill(box: Outbox, count: number): Outbox {
  for (let i = 0; i < count; i++) box.append("telemetry", BODY, 1);
  return box;
}

/** Numbers and gaps as they would go over the wire. */
function wire(box: Outbox, window = 1_000): string[] {
  const sent: string[] = [];
  for (let entry = box.transmit(window, 65_536); entry; entry = box.transmit(window, 65_536)) {
    sent.push(entry.gap > 0 ? `${entry.seq}-${entry.gap}` : `${entry.seq}`);
  }
  return sent;
}

describe("bounds", () => {
  test("the oldest telemetry goes, and the next message carries its number as a gap [P-1]", () => {
    const box = fill(outbox({ messagesMax: 3 }), 5);
    expect(box.messages).toBe(3);
    expect(box.droppedMessages).toBe(2);
    expect(box.marks).toMatchObject({ nextSeq: 6, oldest: 3, held: 3 });
    expect(wire(box)).toEqual(["3-2", "4", "5"]);
  });

  test("a gap is handed on when its carrier goes too [P-1]", () => {
    const box = fill(outbox({ messagesMax: 2 }), 2);
    fill(box, 3);
    expect(wire(box)).toEqual(["4-3", "5"]);
  });

  test("bytes are bounded with what each message costs beside them", () => {
    const cost = BODY.length + ENTRY_OVERHEAD_BYTES;
    const box = fill(outbox({ bytesMax: cost * 4 }), 9);
    expect(box.bytes).toBe(cost * 4);
    expect(box.messages).toBe(4);
  });

  test("a message larger than the whole outbox becomes a gap, not a silence [P-1]", () => {
    const box = fill(outbox({ bytesMax: 200 }), 1);
    box.append("telemetry", new Uint8Array(500), 1);
    fill(box, 1);
    expect(wire(box)).toEqual(["1", "3-1"]);
    expect(box.droppedMessages).toBe(1);
  });

  test("command updates are not evicted by telemetry; the hole appears behind them [P-13]", () => {
    const box = outbox({ messagesMax: 2 });
    fill(box, 1);
    expect(box.append("command", BODY)).toBe(true);
    fill(box, 3);
    expect(wire(box)).toEqual(["2-1", "4-1", "5"]);
  });

  test("a gap with nothing held behind it waits for the next message [P-1]", () => {
    const box = outbox({ messagesMax: 1 });
    box.append("command", BODY);
    fill(box, 2);
    expect(wire(box)).toEqual(["1", "3-1"]);
  });

  test("the reserved room is bounded too, and says so [P-13]", () => {
    const box = outbox({ reservedMessagesMax: 2 });
    expect([1, 2, 3].map(() => box.append("command", BODY))).toEqual([true, true, false]);
    expect(box.reservedRoom).toBe(0);
    expect(box.marks.nextSeq).toBe(3);
  });

  test("what the gateway cannot take is dropped visibly", () => {
    const box = outbox();
    box.append("telemetry", new Uint8Array(2_000), 1);
    fill(box, 1);
    const entry = box.transmit(10, 1_024);
    expect(entry).toMatchObject({ seq: 2, gap: 1 });
  });

  test("everything evicted: the marks say it without a message to carry it [P-12]", () => {
    const box = outbox({ messagesMax: 1 });
    box.append("telemetry", BODY);
    box.append("telemetry", new Uint8Array(20 * 1024 * 1024));
    box.release(0);
    expect(box.marks).toMatchObject({ nextSeq: 3, oldest: 1 });
    expect(wire(box)).toEqual(["1"]);
    box.release(1);
    expect(box.marks).toMatchObject({ nextSeq: 3, oldest: 3, held: 0 });
    fill(box, 1);
    expect(wire(box)).toEqual(["3-1"]);
  });
});

describe("acks", () => {
  test("an ack frees everything up to it and trims the gap that it covers", () => {
    const box = fill(outbox({ messagesMax: 3 }), 3);
    expect(wire(box)).toEqual(["1", "2", "3"]);
    fill(box, 2);
    expect(box.release(1)).toBe(0);
    box.adopt(5, 1);
    expect(wire(box)).toEqual(["3-1", "4", "5"]);
  });

  test("an ack beyond what was transmitted is ignored [P-3]", () => {
    const box = fill(outbox(), 5);
    expect(wire(box, 2)).toEqual(["1", "2"]);
    expect(box.release(3)).toBeNull();
    expect(box.messages).toBe(5);
    expect(box.release(2)).toBe(2);
    expect(box.release(1)).toBe(0);
  });

  test("the window counts what is in flight, evicted or not", () => {
    const box = fill(outbox({ messagesMax: 2 }), 2);
    expect(wire(box, 2)).toEqual(["1", "2"]);
    fill(box, 2);
    expect(wire(box, 2)).toEqual([]);
    box.release(2);
    expect(wire(box, 2)).toEqual(["3", "4"]);
  });

  test("a rewind sends again from there, never forward [P-2]", () => {
    const box = fill(outbox(), 4);
    wire(box);
    box.rewind(3);
    expect(wire(box)).toEqual(["3", "4"]);
    box.rewind(99);
    expect(wire(box)).toEqual([]);
  });
});

describe("epochs", () => {
  test("the first epoch keeps the numbers, so that losses before it stay visible [P-1]", () => {
    const box = fill(outbox({ messagesMax: 2 }), 4);
    box.adopt(77, 0);
    expect(box.marks).toMatchObject({ epoch: 77, oldest: 3 });
    expect(wire(box)).toEqual(["3-2", "4"]);
  });

  test("an epoch that is not ours renumbers what is held from 1 [P-7]", () => {
    const box = fill(outbox(), 3);
    box.adopt(77, 0);
    wire(box);
    box.release(1);
    box.adopt(88, 0);
    expect(box.marks).toMatchObject({ epoch: 88, nextSeq: 3, oldest: 1, ackedSeq: 0 });
    expect(wire(box)).toEqual(["1", "2"]);
  });

  test("near the end of the numbers it drains, and what comes meanwhile waits for a new epoch [P-10]", () => {
    const box = fill(outbox({ drainAtSeq: 4 }), 5);
    expect(box.marks).toMatchObject({ closing: true, nextSeq: 4, held: 3 });
    box.adopt(77, 0);
    expect(wire(box)).toEqual(["1", "2", "3"]);
    box.release(3);
    box.rotate();
    expect(box.marks).toMatchObject({ epoch: 0, closing: false, nextSeq: 3, held: 2 });
  });

  test("a saved outbox drains under its epoch, without new numbers [P-9]", () => {
    const saved: SavedQueue = {
      epoch: 77,
      nextSeq: 9,
      tailGap: 0,
      ackedSeq: 5,
      entries: [entry(1, 7, 1), entry(2, 8, 0)],
    };
    const box = new Outbox(OUTBOX_LIMITS, {
      current: saved,
      next: { ...saved, epoch: 0, nextSeq: 1, ackedSeq: 0, entries: [] },
    });
    fill(box, 1);
    expect(box.marks).toMatchObject({ epoch: 77, closing: true, nextSeq: 9, oldest: 7, held: 2 });
    expect(wire(box)).toEqual(["7-1", "8"]);
    // The gateway has more of this epoch than was saved: that is no reason to doubt it.
    box.adopt(77, 12);
    expect(box.marks.held).toBe(0);
    box.rotate();
    expect(wire(box)).toEqual(["1"]);
  });

  test("a saved outbox whose epoch is gone goes on under the new one, old messages first [P-7]", () => {
    const saved: SavedQueue = { epoch: 77, nextSeq: 9, tailGap: 0, ackedSeq: 5, entries: [entry(1, 8, 2)] };
    const box = new Outbox(OUTBOX_LIMITS, {
      current: saved,
      next: { ...saved, epoch: 0, nextSeq: 1, ackedSeq: 0, entries: [] },
    });
    fill(box, 2);
    box.adopt(99, 0);
    expect(box.marks).toMatchObject({ epoch: 99, closing: false, nextSeq: 4, held: 3 });
    expect(wire(box)).toEqual(["1", "2", "3"]);
  });
});

describe("the catalog", () => {
  const PARTS = [new Uint8Array([1]), new Uint8Array([2])];

  test("goes before what was never transmitted, with the gap that stood there [P-27]", () => {
    const box = fill(outbox({ messagesMax: 2 }), 4);
    box.adopt(77, 0);
    box.offerCatalog(PARTS);
    expect(wire(box)).toEqual(["3-2", "4", "5", "6"]);
    expect(box.marks).toMatchObject({ nextSeq: 7 });
  });

  test("never moves a number that was transmitted", () => {
    const box = fill(outbox(), 4);
    box.adopt(77, 0);
    expect(wire(box, 2)).toEqual(["1", "2"]);
    box.offerCatalog(PARTS);
    expect(wire(box)).toEqual(["3", "4", "5", "6"]);
    expect([...box.queues.current.entries()].map(({ lane }) => lane[0]).join("")).toBe("ttcctt");
  });

  test("keeps the holes between the messages behind it", () => {
    const box = outbox({ messagesMax: 1 });
    fill(box, 1);
    box.append("command", BODY);
    fill(box, 1);
    box.append("command", BODY);
    fill(box, 1);
    box.append("command", BODY);
    box.offerCatalog(PARTS);
    expect(wire(box)).toEqual(["2-1", "3", "4", "6-1", "7", "8"]);
    expect(box.marks.nextSeq).toBe(9);
  });

  test("is not offered twice, and not while an old epoch drains", () => {
    const box = outbox();
    box.offerCatalog(PARTS);
    box.offerCatalog(PARTS);
    expect(box.messages).toBe(2);
  });
});

function entry(ordinal: number, seq: number, gap: number): Entry {
  return { ordinal, seq, gap, lane: "telemetry", samples: 1, body: BODY };
}

test("under another epoch nothing was said yet: an ack ahead of what was transmitted there frees nothing [P-3]", () => {
  const box = fill(outbox(), 3);
  box.adopt(7, 0);
  expect(wire(box)).toEqual(["1", "2", "3"]);
  box.adopt(8, 0);
  expect(box.release(2)).toBeNull();
  expect(box.messages).toBe(3);
  expect(wire(box, 1)).toEqual(["1"]);
  expect(box.release(1)).toBe(1);
  expect(box.messages).toBe(2);
});

test("leaving an epoch numbers what is held from 1 and asks for another; nothing said before is acked under it [P-7]", () => {
  const box = fill(outbox(), 4);
  box.adopt(7, 0);
  expect(wire(box, 2)).toEqual(["1", "2"]);
  box.release(1);
  box.leaveEpoch();
  expect(box.marks).toMatchObject({ epoch: 0, closing: false, oldest: 1, nextSeq: 4, ackedSeq: 0, ackableSeq: 0 });
  box.adopt(8, 0);
  expect(wire(box)).toEqual(["1", "2", "3"]);
});
