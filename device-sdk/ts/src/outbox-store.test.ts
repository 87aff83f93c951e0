/** The outbox on disk: power cuts, damage, foreign and locked files, what is written at once and what lazily. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandState, type Telemetry } from "@tidegate/proto";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Device } from "./device.js";
import type { DeviceOptions } from "./device-options.js";
import { FakeLine } from "./testing/fake-link.js";
import { ManualClock } from "./testing/manual-clock.js";
import { SeededRandom } from "./testing/seeded-random.js";
import { EPOCH, lastHello, welcome } from "./testing/welcome.js";

let folder: string;
let path: string;
const running: Device[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-outbox-"));
  path = join(folder, "outbox.db");
});
afterEach(async () => {
  for (const device of running.splice(0)) await device.stop(0);
  rmSync(folder, { recursive: true, force: true });
});

function boot(file: string, seed: number, options: Partial<DeviceOptions> = {}) {
  const clock = new ManualClock();
  const line = new FakeLine();
  const device = new Device({
    url: "wss://gateway.local:8443/v1/device",
    id: "greenhouse-7",
    clock,
    random: new SeededRandom(seed),
    connect: line.connect,
    flushIntervalMs: 0,
    ...options,
    outbox: { path: file, ...options.outbox },
  });
  running.push(device);
  const errors: string[] = [];
  device.on("error", (error) => errors.push(error.code));
  const level = device.signal("level", { type: "int" });
  return { clock, line, device, level, errors };
}

/** What the card would hold if the power went now. */
function powerCut(file = path): string {
  const image = join(folder, `image-${readdirSync(folder).length}.db`);
  for (const suffix of ["", "-wal"]) if (existsSync(file + suffix)) copyFileSync(file + suffix, image + suffix);
  return image;
}

function telemetry(line: FakeLine): Telemetry[] {
  return line.links.flatMap((link) => link.bodies("telemetry").map((body) => body.telemetry));
}

describe("after a power cut", () => {
  test("what was saved drains under its epoch with `closing`, then a new epoch is asked for [P-9]", () => {
    const first = boot(path, 1);
    first.device.start();
    first.line.link.open();
    welcome(first.line.link, { epoch: 501 });
    first.level.report(1);
    first.level.report(2);
    first.clock.advance(1_000);
    const second = boot(powerCut(), 2);
    second.level.report(3);
    second.device.start();
    const { link } = second.line;
    link.open();
    expect(lastHello(link)).toMatchObject({ epoch: 501, closing: true, nextSeq: 3, oldest: 1 });
    welcome(link, { epoch: 501 });
    expect(link.sent.filter(({ seq }) => seq > 0).map(({ seq }) => seq)).toEqual([1, 2]);
    link.say({ kind: "ack", ack: { seq: 2 } });
    second.clock.advance(0);
    expect(second.line.links).toHaveLength(2);
    second.line.link.open();
    expect(lastHello(second.line.link)).toMatchObject({ epoch: 0, closing: false, nextSeq: 2, oldest: 1 });
    welcome(second.line.link, { epoch: 502 });
    expect(second.line.link.sent.at(-1)).toMatchObject({ seq: 1 });
  });

  test("what waited behind a drained epoch belongs to the next one, also in the file: it is not sent under a third [P-9]", () => {
    const first = boot(path, 1);
    first.device.start();
    first.line.link.open();
    welcome(first.line.link, { epoch: 501 });
    first.level.report(1);
    first.clock.advance(1_000);
    const drained = powerCut();
    const second = boot(drained, 2);
    second.level.report(2);
    second.clock.advance(1_000);
    const image = powerCut(drained);
    const db = new Database(image);
    db.exec("DELETE FROM messages WHERE queue = 0"); // acked, and saved as gone
    db.close();
    const third = boot(image, 3);
    third.device.start();
    third.line.link.open();
    expect(lastHello(third.line.link)).toMatchObject({ epoch: 0, nextSeq: 2, oldest: 1 });
    welcome(third.line.link, { epoch: 503 });
    expect(third.line.link.sent.at(-1)).toMatchObject({ seq: 1 });
    const fourth = boot(powerCut(image), 4);
    fourth.device.start();
    fourth.line.link.open();
    expect(lastHello(fourth.line.link)).toMatchObject({ epoch: 503, closing: true, nextSeq: 2, oldest: 1 });
    welcome(fourth.line.link, { epoch: 503, ackedSeq: 1 });
    fourth.clock.advance(0);
    fourth.line.link.open();
    expect(lastHello(fourth.line.link)).toMatchObject({ epoch: 0, closing: false, nextSeq: 1, oldest: 1 });
  });

  test("a reading of the old boot keeps its uptime and names that boot, in the same bytes [P-2] [P-9]", () => {
    const first = boot(path, 1);
    first.clock.advance(5_000);
    first.device.start();
    first.line.link.open();
    const oldNonce = lastHello(first.line.link).bootNonce;
    welcome(first.line.link);
    first.level.report(1);
    first.clock.advance(1_000);
    const second = boot(powerCut(), 2);
    second.device.start();
    second.line.link.open();
    expect(lastHello(second.line.link).bootNonce).not.toBe(oldNonce);
    welcome(second.line.link);
    expect(telemetry(second.line)[0]).toMatchObject({ bootNonce: oldNonce, base: { kind: "uptime", uptimeMs: 5_000 } });
    expect(second.line.link.frames.at(-1)).toEqual(first.line.link.frames.at(-1));
  });

  test("what was never under an epoch keeps its numbers and its losses", () => {
    const first = boot(path, 1, { outbox: { maxMessages: 2 } });
    for (let i = 1; i <= 4; i++) first.level.report(i);
    first.clock.advance(1_000);
    const second = boot(powerCut(), 2);
    second.level.report(5);
    second.device.start();
    second.line.link.open();
    expect(lastHello(second.line.link)).toMatchObject({ epoch: 0, closing: false, nextSeq: 6, oldest: 3 });
    welcome(second.line.link);
    expect(second.line.link.sent.slice(2).map(({ seq, gap }) => [seq, gap])).toEqual([
      [3, 2],
      [4, 0],
      [5, 0],
    ]);
  });

  test("numbers that the catalog moved are on disk before the first frame under them [P-9]", () => {
    const first = boot(path, 1);
    first.level.report(1);
    first.level.report(2);
    first.device.start();
    first.line.link.open();
    welcome(first.line.link, { epoch: 501, wantCatalog: true });
    const bodyOf = (seq: number, { links }: FakeLine) =>
      links.flatMap(({ sent }) => sent).find((message) => message.seq === seq)?.body;
    const second = boot(powerCut(), 2);
    second.device.start();
    second.line.link.open();
    welcome(second.line.link, { epoch: 501 });
    for (const seq of [2, 3]) expect(bodyOf(seq, second.line)).toEqual(bodyOf(seq, first.line));
    expect(bodyOf(1, first.line)).toMatchObject({ kind: "catalog" });
  });

  test("the epoch is on disk before the first frame under it [P-9]", () => {
    const { device, line } = boot(path, 1);
    device.start();
    line.link.open();
    let epochAtFirstFrame: unknown;
    line.link.onSent = ({ body }) => {
      if (body?.kind !== "heartbeat") return;
      const db = new Database(powerCut());
      epochAtFirstFrame ??= db.prepare("SELECT value FROM facts WHERE name = 'epoch'").pluck().get();
      db.close();
    };
    welcome(line.link, { epoch: 501 });
    expect(epochAtFirstFrame).toBe(501);
  });

  test("a command recorded but not finished is INTERRUPTED, once [P-19]", async () => {
    const first = boot(path, 1);
    const started = vi.fn();
    first.device.command("dose", { idempotent: false }, () => {
      started();
      return new Promise(() => {});
    });
    first.device.start();
    first.line.link.open();
    welcome(first.line.link);
    first.line.link.say({ kind: "command", command: aCommand(41) });
    await vi.waitFor(() => expect(started).toHaveBeenCalled());
    const second = boot(powerCut(), 2);
    second.device.command("dose", { idempotent: false }, () => {});
    second.device.start();
    second.line.link.open();
    expect(lastHello(second.line.link).lastCommand).toBe(41);
    const third = boot(powerCut(join(folder, "image-1.db")), 3);
    third.device.start();
    expect(interrupted(second)).toEqual([]);
    drain(second);
    expect(interrupted(second)).toEqual([41]);
  });

  test("an at-least-once command is recorded together with its result", async () => {
    const { device, line } = boot(path, 1);
    device.command("fan", { idempotent: true }, () => "ok");
    device.start();
    line.link.open();
    welcome(line.link);
    line.link.say({ kind: "command", command: aCommand(7) });
    await vi.waitFor(() => expect(line.link.bodies("commandUpdate")).toHaveLength(3));
    const db = new Database(powerCut());
    expect(db.prepare("SELECT value FROM facts WHERE name = 'last_command'").pluck().get()).toBe(7);
    expect(db.prepare("SELECT count(*) FROM messages WHERE lane = 'command'").pluck().get()).toBe(3);
    db.close();
  });
});

describe("wear", () => {
  test("what is acked before its turn never touches the file", () => {
    const { clock, device, line, level } = boot(path, 1);
    device.start();
    line.link.open();
    welcome(line.link);
    const saves = device.stats().outboxSaves;
    for (let i = 1; i <= 50; i++) {
      level.report(i);
      line.link.say({ kind: "ack", ack: { seq: i } });
    }
    clock.advance(1_000);
    const db = new Database(powerCut());
    expect(db.prepare("SELECT count(*) FROM messages").pluck().get()).toBe(0);
    db.close();
    expect(device.stats().outboxSaves - saves).toBeLessThanOrEqual(1);
  });

  test("a stop keeps what is unacked", async () => {
    const first = boot(path, 1);
    first.level.report(1);
    await first.device.stop();
    const second = boot(path, 2);
    expect(second.device.stats().queuedMessages).toBe(1);
  });
});

describe("files that are not in order", () => {
  test("a damaged file is moved aside, told, and not fatal", () => {
    writeFileSync(path, "this is no database, and it is longer than a header of one would be ".repeat(40));
    const { device, errors, line } = boot(path, 1);
    device.start();
    expect(errors).toEqual(["OUTBOX_CORRUPT"]);
    expect(readdirSync(folder).some((name) => name.startsWith("outbox.db.corrupt-"))).toBe(true);
    expect(line.links).toHaveLength(1);
  });

  test("rows that nobody wrote count as damage", async () => {
    await boot(path, 1).device.stop();
    const db = new Database(path);
    db.prepare("INSERT INTO messages VALUES (1, 0, -5, 0, 'telemetry', 1, x'00')").run();
    db.close();
    const { device, errors } = boot(path, 2);
    device.start();
    expect(errors).toEqual(["OUTBOX_CORRUPT"]);
  });

  test("the file of another device, of another process, of a newer version, in no folder: refused", async () => {
    const first = boot(path, 1);
    expect(() => boot(path, 2)).toThrow(expect.objectContaining({ code: "OUTBOX_IN_USE" }));
    await first.device.stop();
    expect(() => boot(path, 2, { id: "other" })).toThrow(expect.objectContaining({ code: "OUTBOX_FOREIGN" }));
    expect(() => boot(join(folder, "none", "x.db"), 2)).toThrow(expect.objectContaining({ code: "OUTBOX_WRITE" }));
    const db = new Database(path);
    db.pragma("user_version = 99");
    db.close();
    expect(() => boot(path, 2)).toThrow(/newer version/);
  });

  test("without its epoch on disk the device says nothing under it, and comes back", () => {
    const { device, line, errors, clock, level } = boot(path, 1);
    const spy = vi.spyOn(Database.prototype, "transaction").mockImplementation(() => {
      throw new Error("disk I/O error");
    });
    level.report(1);
    device.start();
    line.link.open();
    welcome(line.link);
    expect(errors).toContain("OUTBOX_WRITE");
    expect(line.link.bodies("telemetry")).toEqual([]);
    expect(device.state).toBe("waiting");
    spy.mockRestore();
    clock.advance(2_000);
    line.link.open();
    welcome(line.link, { epoch: EPOCH });
    expect(device.state).toBe("online");
    expect(line.link.bodies("telemetry")).toHaveLength(1);
  });

  test("a card that cannot be written is not tried again at once, also where nothing is lazy", () => {
    const { device, clock, level, errors } = boot(path, 1, { outbox: { path, saveIntervalMs: 0 } });
    device.start();
    const spy = vi.spyOn(Database.prototype, "transaction").mockImplementation(() => {
      throw new Error("disk I/O error");
    });
    level.report(1);
    clock.advance(10_000);
    spy.mockRestore();
    expect(errors.length).toBeGreaterThan(1);
    expect(errors.length).toBeLessThan(15);
  });
});

function aCommand(id: number) {
  return { id, code: 1, name: "", args: new Uint8Array(0), deadlineUptimeMs: 0, atMostOnce: false };
}

function interrupted({ line }: { line: FakeLine }): number[] {
  return line.links
    .flatMap((link) => link.bodies("commandUpdate"))
    .filter(({ commandUpdate }) => commandUpdate.state === CommandState.INTERRUPTED)
    .map(({ commandUpdate }) => commandUpdate.id);
}

/** Ack everything of every epoch until nothing is held. */
function drain({ line, clock, device }: { line: FakeLine; clock: ManualClock; device: Device }): void {
  welcome(line.link);
  line.link.say({ kind: "ack", ack: { seq: lastHello(line.link).nextSeq - 1 } });
  clock.advance(0);
  if (device.state !== "connecting") return;
  line.link.open();
  welcome(line.link, { epoch: EPOCH + 1 });
}
