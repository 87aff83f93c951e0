/** What a board prints between its frames: whole lines of text, few of them, and never a credential. */
import { describe, expect, it } from "vitest";
import { CHATTER_LINES_MAX, SerialChatter } from "./serial-chatter.js";

function heard(...stretches: (string | Uint8Array)[]): string[] {
  const chatter = new SerialChatter();
  for (const stretch of stretches) {
    chatter.push(typeof stretch === "string" ? Buffer.from(stretch, "latin1") : stretch);
    chatter.end(true, 1);
  }
  return chatter.lines.map(({ text }) => text);
}

describe("chatter of a serial line", () => {
  it("is kept line by line, also when it comes byte by byte", () => {
    const chatter = new SerialChatter();
    for (const byte of Buffer.from("ets Jul 29 2019\r\nrst:0x1 (POWERON)\r\n")) chatter.push(Uint8Array.of(byte));
    expect(chatter.lines).toEqual([]);
    chatter.end(true, 7);
    expect(chatter.lines).toEqual([
      { atUnixMs: 7, text: "ets Jul 29 2019" },
      { atUnixMs: 7, text: "rst:0x1 (POWERON)" },
    ]);
  });

  it("is not what a frame held, nor bytes, nor a few letters by chance", () => {
    const chatter = new SerialChatter();
    chatter.push(Buffer.from("greenhouse"));
    chatter.end(false, 1);
    expect(chatter.lines).toEqual([]);
    expect(heard("abc\n", Uint8Array.of(0x81, 0x41, 0x42, 0x43, 0x44, 0x45), "wifi: connected")).toEqual([
      "wifi: connected",
    ]);
  });

  it("shows no credential that a firmware printed", () => {
    expect(heard(`token=tg_${"a1B-".repeat(10)}abc`)).toEqual(["token=[not shown]"]);
  });

  it("keeps the newest lines, and of an endless stretch the newest bytes", () => {
    const many = heard(...Array.from({ length: 50 }, (_, i) => `line ${i}`));
    expect(many).toHaveLength(CHATTER_LINES_MAX);
    expect(many.at(-1)).toBe("line 49");
    expect(heard(`${"x".repeat(1_000_000)}\nend of it`).map((text) => text.length)).toEqual([160, 9]);
  });
});
