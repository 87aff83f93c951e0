/** Which epoch a session gets: every rule of the Hello, as numbers in and a decision out. */
import { describe, expect, it } from "vitest";
import { openEnd, resolveHello } from "./resume.js";
import { type StreamRow, StreamState } from "./tables.js";

function known(fields: Partial<StreamRow> = {}): StreamRow {
  const row = { deviceKey: 1, epoch: 7, mark: 10, announced: 10, isEnded: false, rollback: null };
  return { ...row, state: StreamState.used, ...fields };
}

function hello(fields: Partial<Parameters<typeof resolveHello>[1]> = {}) {
  return { epoch: 7, nextSeq: 11, oldest: 11, ackedSeq: 10, closing: false, ...fields };
}

describe("resolveHello", () => {
  it("gives a new epoch to a device that has none, whatever its numbers say [P-6]", () => {
    const asking = hello({ epoch: 0, nextSeq: 0, oldest: 0, ackedSeq: 9 });
    expect(resolveHello(null, asking)).toEqual({ type: "fresh", rollback: null });
  });

  it("resumes a known epoch at the durable mark [P-4]", () => {
    expect(resolveHello(known(), hello({ nextSeq: 15, oldest: 8, ackedSeq: 7 }))).toEqual({
      type: "resume",
      mark: 10,
      announced: 14,
      gaps: [],
      ackedSeq: 10,
    });
  });

  it("never resumes a retired epoch, and tells what is sent again [P-6] [P-7]", () => {
    const retired = known({ state: StreamState.retired });
    expect(resolveHello(retired, hello({ nextSeq: 15, oldest: 12 }))).toEqual({
      type: "fresh",
      rollback: { epoch: 7, fromSeq: 12, toSeq: 14 },
    });
  });

  it("gives a new epoch to a device that went back in time [P-7]", () => {
    const decision = resolveHello(known({ announced: 20 }), hello({ nextSeq: 15, oldest: 12 }));
    expect(decision).toEqual({ type: "fresh", rollback: { epoch: 7, fromSeq: 12, toSeq: 14 } });
    // Having announced exactly as much as before is no step back.
    expect(resolveHello(known({ announced: 20 }), hello({ nextSeq: 21 })).type).toBe("resume");
  });

  it("tells no rollback when the device holds nothing to send again [P-7]", () => {
    const decision = resolveHello(known({ announced: 20 }), hello({ nextSeq: 15, oldest: 15 }));
    expect(decision).toEqual({ type: "fresh", rollback: null });
  });

  it("lets a closing outbox go on though it was saved in the past, and acks all it holds [P-9]", () => {
    const decision = resolveHello(
      known({ announced: 20 }),
      hello({ nextSeq: 9, oldest: 7, ackedSeq: 6, closing: true }),
    );
    expect(decision).toMatchObject({ type: "resume", mark: 10, ackedSeq: 8, announced: 20 });
  });

  it("adopts an unknown epoch, with what it cannot prove and what was evicted [P-8]", () => {
    expect(resolveHello(null, hello({ nextSeq: 20, oldest: 15, ackedSeq: 9 }))).toEqual({
      type: "resume",
      mark: 14,
      announced: 19,
      gaps: [
        { fromSeq: 1, toSeq: 9, reason: "unproven" },
        { fromSeq: 10, toSeq: 14, reason: "evicted" },
      ],
      ackedSeq: 14,
    });
  });

  it("writes what an older copy of the store has lost as unproven [P-8]", () => {
    expect(
      resolveHello(known({ mark: 4, announced: 4 }), hello({ nextSeq: 12, oldest: 10, ackedSeq: 9 })),
    ).toMatchObject({
      mark: 9,
      gaps: [{ fromSeq: 5, toSeq: 9, reason: "unproven" }],
    });
  });

  it("moves nothing for a Hello that contradicts itself", () => {
    for (const wrong of [{ nextSeq: 0 }, { oldest: 0 }, { oldest: 12 }, { ackedSeq: 11 }, { ackedSeq: 4e9 }]) {
      expect(resolveHello(known(), hello(wrong)).type).toBe("violation");
      expect(resolveHello(null, hello(wrong)).type).toBe("violation");
    }
  });
});

describe("openEnd", () => {
  it("reaches to the highest number heard, or into the unknown [P-6]", () => {
    expect(openEnd(known({ announced: 14 }))).toEqual({ fromSeq: 11, toSeq: 14 });
    expect(openEnd(known())).toEqual({ fromSeq: 11, toSeq: null });
  });

  it("is none after a goodbye with nothing left, and for an epoch that was never used [P-6]", () => {
    expect(openEnd(known({ isEnded: true }))).toBeNull();
    expect(openEnd(known({ isEnded: true, announced: 12 }))).toEqual({ fromSeq: 11, toSeq: 12 });
    expect(openEnd(known({ state: StreamState.offered, mark: 0, announced: 0 }))).toBeNull();
    expect(openEnd(known({ state: StreamState.offered, mark: 0, announced: 3 }))).toEqual({ fromSeq: 1, toSeq: 3 });
  });
});
