/** Notes on their way to the store: conflated and bounded. */
import { describe, expect, it } from "vitest";
import type { Notes } from "./engine-options.js";
import { NoteBox } from "./note-box.js";

describe("the note box", () => {
  it("has one message under way and conflates what comes meanwhile", async () => {
    const posted: Notes[] = [];
    let answer = (): void => {};
    const box = new NoteBox((notes) => {
      posted.push(notes);
      return new Promise<void>((resolve) => {
        answer = resolve;
      });
    });
    for (let id = 1; id <= 1_000; id++) box.cursor("broker", id);
    box.cursor("broker", 3);
    expect(posted.map(({ cursors }) => cursors)).toEqual([[["broker", 1]]]);
    answer();
    await Promise.resolve();
    await Promise.resolve();
    expect(posted[1]?.cursors).toEqual([["broker", 1_000]]);
  });

  it("lets the oldest audit lines go when the store does not take them, and counts them", () => {
    const box = new NoteBox(() => new Promise(() => {}));
    for (let i = 0; i < 1_500; i++) box.audit("cli", "add", `device-${i}`);
    expect(box.droppedCount).toBe(499);
  });
});
