/** A board's wire on real sockets: bytes both ways, nobody listening, pulled cables, stalls, and where it ends. */
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../rehearse/child.js";
import { ManualClock } from "../testing/manual-clock.js";
import { BoardLine } from "./board-line.js";
import { NO_LINE_ERRORS } from "./line-faults.js";

let dir: string;
let clock: ManualClock;
let line: BoardLine;
const sockets: Socket[] = [];
const plug = () => join(dir, "b.sock");
const uart = () => join(dir, "b.uart");

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "board-line-"));
  clock = new ManualClock();
  line = new BoardLine({ plug: plug(), uart: uart(), rates: NO_LINE_ERRORS, seed: 1, clock });
  await line.open();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await line.close();
  rmSync(dir, { recursive: true });
});

/** A peer that keeps what it hears. */
async function peer(path: string): Promise<{ socket: Socket; heard: () => string }> {
  const socket = connect({ path });
  sockets.push(socket);
  socket.on("error", () => {});
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  await once(socket, "connect");
  return { socket, heard: () => text };
}

async function both() {
  const board = await peer(uart());
  const gateway = await peer(plug());
  await until("the line is open", () => line.isOpen);
  return { board, gateway };
}

describe("a board's wire", () => {
  it("carries bytes both ways, and forgets what was said while nobody listened", async () => {
    const board = await peer(uart());
    board.socket.write("hello?");
    await until("it went nowhere", () => line.unheardBytes === 6);
    const gateway = await peer(plug());
    await until("the line is open", () => line.isOpen);
    board.socket.write("now");
    gateway.socket.write("down");
    await until("both heard", () => gateway.heard() === "now" && board.heard() === "down");
  });

  it("is gone while it is unplugged, name and all, and comes back", async () => {
    const { gateway } = await both();
    expect(line.unplug(5_000)).toBe(true);
    expect(line.unplug(5_000)).toBe(false);
    await once(gateway.socket, "close");
    await until("its name is gone", () => !existsSync(plug()));
    clock.advance(5_000);
    await until("its name is back", () => existsSync(plug()));
    await peer(plug());
    await until("it is open again", () => line.isOpen);
  });

  it("keeps what a bridge would keep while it is stalled, and no more", async () => {
    const { board, gateway } = await both();
    expect(line.stall(30_000, true)).toBe(true);
    board.socket.write("a".repeat(4_096));
    await new Promise<void>((resolve) => setImmediate(resolve));
    board.socket.write("b".repeat(4_096));
    await until("what does not fit is lost", () => line.unheardBytes > 0);
    expect(gateway.heard()).toBe("");
    clock.advance(30_000);
    await until("what was kept arrives", () => gateway.heard().length > 0);
    expect(gateway.heard().length).toBeLessThanOrEqual(4_096);
  });

  it("takes the newest gateway: the one before is a process that died", async () => {
    const { board, gateway } = await both();
    const next = await peer(plug());
    await once(gateway.socket, "close");
    board.socket.write("you");
    await until("the new one hears", () => next.heard() === "you");
  });

  it("says in three parts why a path cannot be a socket", async () => {
    const path = join(dir, "x".repeat(120));
    const long = new BoardLine({ plug: path, uart: join(dir, "c.uart"), rates: NO_LINE_ERRORS, seed: 1, clock });
    await expect(long.open()).rejects.toMatchObject({
      why: expect.stringContaining("107"),
      fix: expect.stringMatching(/./),
    });
    await long.close();
  });
});
