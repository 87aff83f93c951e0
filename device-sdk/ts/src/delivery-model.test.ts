/**
 * Outbox, client machine and store against a gateway that keeps the delivery rules, under every accident we can think
 * of: links that die at any point, frames that come late, batches that fail, power cuts. Nothing acked is lost, order
 * is kept, gaps are exact, nothing is doubled [P-1] [P-2] [P-3] [P-4] [P-5] [P-6] [P-9].
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeUplink } from "@tidegate/proto";
import Database from "better-sqlite3";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { Device, type Signal } from "./device.js";
import { FakeLine } from "./testing/fake-link.js";
import { ManualClock } from "./testing/manual-clock.js";
import { ModelGateway } from "./testing/model-gateway.js";
import { SeededRandom } from "./testing/seeded-random.js";

type Op =
  | { op: "report"; count: number }
  | { op: "wait"; ms: number }
  | { op: "open" | "break" | "commit" | "fail" | "loseLate" | "powerCut" }
  | { op: "deliver"; count: number; age: number };

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant("report" as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3_000 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant("deliver" as const),
      count: fc.integer({ min: 1, max: 9 }),
      age: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ op: "open" as const }) },
  { weight: 3, arbitrary: fc.constant({ op: "commit" as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ op: "fail" as const }, { op: "break" as const }, { op: "loseLate" as const }),
  },
  { weight: 1, arbitrary: fc.constant({ op: "powerCut" as const }) },
);

const folder = mkdtempSync(join(tmpdir(), "tidegate-model-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** One device, its gateway and everything that was reported, over as many boots as there are power cuts. */
class World {
  readonly gateway = new ModelGateway();
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly line = new FakeLine({}, (link) => this.gateway.attach(link));
  readonly isPersistent: boolean;
  readonly maxMessages: number;
  /** Highest value the device was told is durable, per its own count of acked samples. */
  ackedSamples = 0;
  droppedSamples = 0;
  reported = 0;
  /** Values that a power cut found in the file. */
  readonly saved = new Set<number>();
  #path = "";
  #device: Device;
  #signal: Signal<number>;

  constructor(seed: number, isPersistent: boolean, maxMessages: number) {
    this.random = new SeededRandom(seed);
    this.isPersistent = isPersistent;
    this.maxMessages = maxMessages;
    [this.#device, this.#signal] = this.#boot();
  }

  run(step: Op): void {
    switch (step.op) {
      case "report":
        for (let i = 0; i < step.count; i++) this.#signal.report(++this.reported);
        break;
      case "wait":
        this.clock.advance(step.ms);
        break;
      case "open":
        this.open();
        break;
      case "break":
        if (this.line.links.length > 0 && this.line.link.state !== "closed") this.line.link.break();
        break;
      case "deliver":
        this.gateway.deliver(step.count, step.age);
        break;
      case "commit":
        this.gateway.commit();
        break;
      case "fail":
        this.gateway.fail();
        break;
      case "loseLate":
        this.gateway.loseLate();
        break;
      case "powerCut":
        this.powerCut();
        break;
    }
  }

  open(): void {
    if (this.line.links.length > 0 && this.line.link.state === "opening") this.line.link.open();
  }

  /** The process is gone; what the file had at this moment is all that is left. */
  powerCut(): void {
    const image = this.#path;
    const { links } = this.line;
    for (const link of links) link.writable = false;
    // The dead process must not go on in this world: its clock never moves again.
    [this.#device, this.#signal] = this.#boot(image);
    for (const value of valuesInFile(this.#path)) this.saved.add(value);
  }

  /** Faults are over: everything must arrive. */
  settle(): void {
    for (let i = 0; i < 40; i++) {
      this.clock.advance(5_000);
      this.open();
      for (let k = 0; k < 10; k++) {
        this.gateway.deliver(100);
        this.gateway.commit();
      }
      if (this.queued === 0 && this.state === "online" && i > 2) return;
    }
  }

  get queued(): number {
    return this.#device.stats().queuedMessages;
  }

  get state(): string {
    return this.#device.state;
  }

  #boot(image = ""): [Device, Signal<number>] {
    if (this.isPersistent) {
      this.#path = join(folder, `outbox-${files++}.db`);
      for (const suffix of ["", "-wal"]) {
        if (image && existsSync(image + suffix)) copyFileSync(image + suffix, this.#path + suffix);
      }
    }
    const clock = new BootClock(this.clock);
    this.#bootClock?.cut();
    this.#bootClock = clock;
    const device = new Device({
      url: "wss://gateway.local/v1/device",
      id: "model",
      flushIntervalMs: 0,
      outbox: {
        maxMessages: this.maxMessages,
        saveIntervalMs: 300,
        ...(this.isPersistent ? { path: this.#path } : {}),
      },
      clock,
      random: this.random,
      connect: this.line.connect,
    });
    const signal = device.signal("n", { type: "int" });
    device.on("acked", ({ epoch, seq, samples }) => {
      if (this.#bootClock !== clock) return;
      this.ackedSamples += samples;
      const durable = this.gateway.streams.get(epoch)?.durable ?? 0;
      if (durable < seq) this.gateway.violations.push(`acked ${seq} of ${epoch}, durable is ${durable}`);
    });
    device.on("dropped", ({ samples }) => {
      if (this.#bootClock === clock) this.droppedSamples += samples;
    });
    device.start();
    return [device, signal];
  }

  #bootClock: BootClock | undefined;
}

/** The clock of one boot: after a power cut its timers never fire. */
class BootClock {
  readonly #clock: ManualClock;
  #isCut = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  cut(): void {
    this.#isCut = true;
  }

  monoMs(): number {
    return this.#clock.monoMs();
  }

  unixMs(): number {
    return this.#clock.unixMs();
  }

  after(afterMs: number, fn: () => void): () => void {
    return this.#clock.after(afterMs, () => {
      if (!this.#isCut) fn();
    });
  }
}

/** The unacked values in an outbox file; read from a copy, the file itself is locked. */
function valuesInFile(path: string): number[] {
  const copy = join(folder, `look-${files++}.db`);
  for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
  const db = new Database(copy);
  const bodies = db.prepare("SELECT body FROM messages").pluck().all();
  db.close();
  return bodies.flatMap((body) => {
    const decoded = body instanceof Uint8Array ? decodeUplink(body) : null;
    if (!decoded?.ok || decoded.value.body?.kind !== "telemetry") return [];
    const [series] = decoded.value.body.telemetry.series;
    return series?.values.kind === "ints" ? series.values.ints : [];
  });
}

/** The values the gateway stored under one epoch, in order of number. */
function values(gateway: ModelGateway, epoch: number): number[] {
  const stream = gateway.streams.get(epoch);
  const records = [...(stream?.records ?? [])].sort(([a], [b]) => a - b).map(([, body]) => body);
  return records.flatMap((body) => JSON.parse(body).telemetry?.series?.[0]?.values?.ints ?? []);
}

function checkAlways(world: World): void {
  const { gateway } = world;
  expect(gateway.violations).toEqual([]);
  const all: number[] = [];
  for (const [epoch, stream] of gateway.streams) {
    const stored = values(gateway, epoch);
    expect(stored, "order").toEqual([...stored].sort((a, b) => a - b));
    for (let seq = 1; seq <= stream.accepted; seq++) {
      expect(stream.records.has(seq) !== stream.gaps.has(seq), `${seq} is either stored or a gap`).toBe(true);
    }
    all.push(...stored);
  }
  expect(new Set(all).size, "nothing doubled").toBe(all.length);
}

describe("delivery", () => {
  test.each([
    ["in memory, roomy", 1_000, false],
    ["in memory, evicting", 5, false],
  ] as const)("nothing acked is lost, gaps are exact: %s", (_, maxMessages, isPersistent) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1 }),
        fc.array(op, { minLength: 40, maxLength: 120, size: "max" }),
        (seed, steps) => {
          const world = new World(seed, isPersistent, maxMessages);
          for (const step of steps) {
            if (step.op !== "powerCut") world.run(step);
            checkAlways(world);
          }
          world.settle();
          checkAlways(world);
          expect(world.queued, "everything arrived").toBe(0);
          const stored = [...world.gateway.streams.keys()].flatMap((epoch) => values(world.gateway, epoch));
          const gaps = [...world.gateway.streams.values()].reduce((sum, stream) => sum + stream.gaps.size, 0);
          expect(stored.length + gaps, "attempted = delivered + gaps").toBe(world.reported);
          expect(gaps, "a gap is a message the device dropped").toBeLessThanOrEqual(world.droppedSamples);
          expect(world.ackedSamples, "acked is stored").toBeLessThanOrEqual(stored.length);
        },
      ),
      { numRuns: 100, interruptAfterTimeLimit: 10_000 },
    );
  });

  test.each([
    ["roomy", 1_000],
    ["evicting", 6],
  ])("power cuts: what was saved arrives once, under the epoch it was saved with [P-9]: %s", (_, maxMessages) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1 }),
        fc.array(op, { minLength: 40, maxLength: 100, size: "max" }),
        (seed, steps) => {
          const world = new World(seed, true, maxMessages);
          for (const step of steps) {
            world.run(step);
            checkAlways(world);
          }
          world.settle();
          checkAlways(world);
          expect(world.queued, "everything arrived").toBe(0);
          expect(world.state).toBe("online");
          const stored = new Set([...world.gateway.streams.keys()].flatMap((epoch) => values(world.gateway, epoch)));
          const missing = [...world.saved].filter((value) => !stored.has(value));
          expect(missing.length, "what was saved arrives, or was evicted").toBeLessThanOrEqual(world.droppedSamples);
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 10_000 },
    );
  });
});
