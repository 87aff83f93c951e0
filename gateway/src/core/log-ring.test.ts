/** What the ring of log lines keeps, and what it shows of it. */
import { describe, expect, it } from "vitest";
import { createLogger } from "./log.js";
import { LogRing } from "./log-ring.js";

const ALL = { afterId: 0, levelMin: "trace", limit: 100 } as const;

function logged(ring = new LogRing()) {
  const out: string[] = [];
  const log = createLogger({ level: "debug", format: "json" }, { write: (text) => void out.push(text) }, ring);
  return { ring, log, out };
}

describe("the ring of log lines", () => {
  it("keeps what goes to standard output, in order, with level, sentence and facts", () => {
    const { ring, log, out } = logged();
    log.info({ device: "attic-7" }, "device online");
    log.child({ sink: "broker" }).warn({ code: "E_X" }, "the sink is not connected");
    const { lines, lastId } = ring.read(ALL);
    expect(lines).toMatchObject([
      { id: 1, level: "info", message: "device online", facts: { device: "attic-7" } },
      { id: 2, level: "warn", message: "the sink is not connected", facts: { sink: "broker", code: "E_X" } },
    ]);
    expect(lines[0]?.atUnixMs).toBeGreaterThan(1_700_000_000_000);
    expect(lastId).toBe(2);
    expect(out).toHaveLength(2);
  });

  it("never holds a secret", () => {
    const { ring, log } = logged();
    log.info({ token: "tg_verysecret", peer: { password: "hunter2" } }, "refused");
    expect(JSON.stringify(ring.read(ALL))).not.toMatch(/verysecret|hunter2/);
  });

  it("shows what is new, loud enough, of one device, and at most so many", () => {
    const { ring, log } = logged();
    for (let i = 0; i < 5; i++) log.debug({ device: "a", i }, "tick");
    log.error({ device: "b" }, "broken");
    expect(ring.read({ ...ALL, afterId: 5 }).lines).toHaveLength(1);
    expect(ring.read({ ...ALL, levelMin: "warn" }).lines).toHaveLength(1);
    expect(ring.read({ ...ALL, device: "a" }).lines).toHaveLength(5);
    expect(ring.read({ ...ALL, limit: 2 }).lines.map(({ message }) => message)).toEqual(["tick", "broken"]);
  });

  it("is bounded in lines and in characters, and counts what fell out", () => {
    const few = logged(new LogRing(3)).ring;
    for (let i = 0; i < 10; i++) few.write(`{"level":30,"time":0,"msg":"${i}"}`);
    expect(few.read(ALL).lines.map(({ message }) => message)).toEqual(["7", "8", "9"]);
    expect(few.read(ALL).droppedCount).toBe(7);
    const small = new LogRing(1000, 100);
    for (let i = 0; i < 10; i++) small.write(`{"level":30,"msg":"${"x".repeat(30)}"}`);
    expect(small.read(ALL).lines.length).toBeLessThanOrEqual(2);
    small.write("x".repeat(100_000));
    expect(small.read(ALL).lines.length).toBeGreaterThan(0);
  });

  it("skips a line that is not JSON", () => {
    const ring = new LogRing();
    ring.write("half a li");
    ring.write("null");
    expect(ring.read(ALL).lines).toEqual([]);
  });
});
