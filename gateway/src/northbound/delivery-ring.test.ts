/** The cursor moves over what is done without a hole, whatever the order of acks. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DeliveryRing } from "./delivery-ring.js";

test("the cursor stands just before the first record that is not done", () => {
  const action = fc.record({
    kind: fc.constantFrom("push", "push", "ack", "ack", "reset"),
    pick: fc.nat(1_000),
    acks: fc.integer({ min: 0, max: 2 }),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const ring = new DeliveryRing(8);
      let model: { id: number; token: number; left: number }[] = [];
      let [nextId, cursor] = [1, 0];
      for (const { kind, pick, acks } of actions) {
        if (kind === "push" && !ring.isFull) {
          model.push({ id: nextId, token: ring.push(nextId, nextId, acks), left: acks });
          nextId += 1;
        } else if (kind === "ack" && model.length > 0) {
          const entry = model[pick % model.length];
          if (entry === undefined) continue;
          expect(ring.ack(entry.token)).toBe(entry.left === 1);
          entry.left = Math.max(0, entry.left - 1);
        } else if (kind === "reset") {
          ring.reset();
          for (const entry of model) expect(ring.ack(entry.token)).toBe(false);
          model = [];
          nextId = cursor + 1;
        }
        while (model[0]?.left === 0) cursor = model.shift()?.id ?? cursor;
        const covered = ring.settle();
        if (covered !== null) expect(covered).toBe(cursor);
        expect(ring.count).toBe(model.length);
        expect(ring.openCount).toBe(model.filter((entry) => entry.left > 0).length);
        const first = ring.firstOpenToken;
        expect(first === null ? null : ring.recordId(first)).toBe(model[0]?.id ?? null);
      }
    }),
    { numRuns: 300 },
  );
});

test("an entry can stand for records behind it that are sent nowhere", () => {
  const ring = new DeliveryRing(4);
  expect(ring.extend(9)).toBe(false);
  const token = ring.push(3, 3, 1);
  expect(ring.extend(9)).toBe(true);
  ring.ack(token);
  expect(ring.settle()).toBe(9);
});

test("an ack from before a reset does not count for what was sent since", () => {
  const ring = new DeliveryRing(4);
  const before = ring.push(1, 1, 1);
  ring.reset();
  ring.push(1, 1, 1);
  expect(ring.ack(before)).toBe(false);
  expect(ring.settle()).toBeNull();
});

test("loses no entry when whoever is told of one that is done settles again", () => {
  const ring = new DeliveryRing(8);
  const tokens = [10, 11, 12, 13].map((recordId) => ring.push(recordId, recordId, 1));
  ring.ack(tokens[1] ?? -1);
  ring.ack(tokens[0] ?? -1);
  const told: number[] = [];
  ring.settle((token) => {
    told.push(ring.recordId(token));
    ring.settle((other) => told.push(ring.recordId(other)));
  });
  expect(told).toEqual([10, 11]);
  expect(ring.count).toBe(2);
  expect(ring.firstOpenToken).toBe(tokens[2]);
});
