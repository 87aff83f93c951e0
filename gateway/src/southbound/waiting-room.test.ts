/** Who may begin TLS when a fleet comes back. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../core/testing/manual-clock.js";
import { WaitingRoom } from "./waiting-room.js";

class Door {
  readonly clock = new ManualClock();
  readonly letInAt: [guest: number, afterMs: number][] = [];
  readonly turnedAway: number[] = [];
  crowded = false;
  readonly #from = this.clock.monoMs();
  readonly room: WaitingRoom<number>;

  constructor(perSecond: number) {
    this.room = new WaitingRoom(perSecond, {
      clock: this.clock,
      isCrowded: () => this.crowded,
      letIn: (guest) => this.letInAt.push([guest, this.clock.monoMs() - this.#from]),
      turnAway: (guest) => this.turnedAway.push(guest),
    });
  }

  crowd(count: number): void {
    for (let guest = 0; guest < count; guest++) this.room.enter(guest);
  }

  get letIn(): number[] {
    return this.letInAt.map(([guest]) => guest);
  }
}

describe("the waiting room", () => {
  it("lets a few in at once, and the others in their order at its rate", () => {
    const door = new Door(100);
    door.crowd(200);
    expect(door.letIn).toHaveLength(10);
    door.clock.advance(1_000);
    expect(door.letIn.length).toBeGreaterThanOrEqual(100);
    expect(door.letIn.length).toBeLessThanOrEqual(111);
    door.clock.advance(1_000);
    expect(door.letIn).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(door.turnedAway).toEqual([]);
    expect(door.room.waitingCount).toBe(0);
  });

  it("never lets a burst in that is larger than a tenth of a second's guests", () => {
    const door = new Door(500);
    door.crowd(1_000);
    door.clock.advance(2_000);
    const bursts = new Map<number, number>();
    for (const [, at] of door.letInAt) bursts.set(at, (bursts.get(at) ?? 0) + 1);
    expect(Math.max(...bursts.values())).toBeLessThanOrEqual(50);
  });

  it("has places for no more than can enter within the longest wait, and closes the rest", () => {
    const door = new Door(10);
    door.crowd(200);
    expect(door.letIn).toHaveLength(1);
    expect(door.room.waitingCount).toBe(80);
    expect(door.turnedAway).toHaveLength(119);
    door.clock.advance(8_100);
    expect(door.letIn).toHaveLength(81);
  });

  it("lets nobody in while too many have not said Hello, and turns away who waited too long", () => {
    const door = new Door(10);
    door.crowded = true;
    door.crowd(3);
    door.clock.advance(5_000);
    expect(door.letIn).toEqual([]);
    door.room.enter(3);
    door.clock.advance(3_100);
    expect(door.turnedAway).toEqual([0, 1, 2]);
    door.crowded = false;
    door.clock.advance(100);
    expect(door.letIn).toEqual([3]);
  });

  it("forgets who went away, does not overtake those who wait, and turns all away at the end", () => {
    const door = new Door(1);
    door.crowd(4);
    door.room.leave(1);
    door.clock.advance(1_000);
    expect(door.letIn).toEqual([0, 2]);
    door.clock.advance(10);
    door.room.enter(4);
    door.room.close();
    expect(door.turnedAway).toEqual([3, 4]);
    door.clock.advance(10_000);
    expect(door.letIn).toEqual([0, 2]);
    expect(door.room.waitingCount).toBe(0);
  });
});
