/** The status while the disk is slow. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../core/testing/manual-clock.js";
import type { Spool, SpoolStatus } from "../model/spool.js";
import { STATUS_WAIT_MS, withPromptStatus } from "./prompt-status.js";

/** Only `status` is ever called here. */
const spoolOf = (status: () => Promise<SpoolStatus>): Spool => ({ status }) as Spool;
const statusOf = (lastRecordId: number): SpoolStatus => ({ lastRecordId }) as SpoolStatus; // one figure tells them apart
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function bench() {
  const clock = new ManualClock();
  const answers: ((status: SpoolStatus) => void)[] = [];
  const asked = () => new Promise<SpoolStatus>((resolve) => answers.push(resolve));
  return { clock, answers, spool: withPromptStatus(spoolOf(asked), clock) };
}

describe("the status of a spool on a slow disk", () => {
  it("is waited for when there is no answer yet, and is the last one when the next takes too long", async () => {
    const { clock, answers, spool } = bench();
    const first = spool.status();
    clock.advance(10 * STATUS_WAIT_MS);
    answers[0]?.(statusOf(1));
    expect(await first).toEqual(statusOf(1));
    const second = spool.status();
    clock.advance(STATUS_WAIT_MS);
    expect(await second).toEqual(statusOf(1));
    answers[1]?.(statusOf(2));
    await settle();
    const third = spool.status();
    clock.advance(STATUS_WAIT_MS);
    expect(await third).toEqual(statusOf(2));
  });

  it("is never older than the question when the disk is quick, also behind somebody else's question", async () => {
    const { answers, spool } = bench();
    const [first, second] = [spool.status(), spool.status()];
    answers[0]?.(statusOf(1));
    await first;
    const [third, fourth] = [spool.status(), spool.status()];
    answers[1]?.(statusOf(2));
    await settle();
    answers[2]?.(statusOf(3));
    expect(await third).toEqual(statusOf(2));
    expect(await fourth).toEqual(statusOf(3));
    expect(await second).toEqual(statusOf(1));
  });

  it("asks the worker once for any number of viewers, and tells them when it cannot answer", async () => {
    const { answers, spool } = bench();
    const viewers = Array.from({ length: 1_000 }, () => spool.status());
    expect(answers).toHaveLength(1);
    answers[0]?.(statusOf(1));
    await Promise.all(viewers);
    const failing = withPromptStatus(
      spoolOf(() => Promise.reject(new Error("the store is gone"))),
      new ManualClock(),
    );
    await expect(failing.status()).rejects.toThrow("the store is gone");
  });
});
