/**
 * The store in real processes: worker threads, SIGKILL at any moment, and the fsyncs counted from outside. Uses the
 * compiled gateway (`npm run build`).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { batchOf, helloOf, run } from "../spool/testing/batches.js";
import { openStorage } from "./open-storage.js";
import { type TestFolder, testFolder } from "./testing/store.js";
import { storedRecords } from "./testing/stored-records.js";

const CHILD = fileURLToPath(new URL("./testing/ingest-child.mjs", import.meta.url));
const compiled = (name: string): URL => new URL(`../../dist/storage/${name}.js`, import.meta.url);
const ENTRIES = { writer: compiled("storage-worker"), reader: compiled("reader-worker") };

let folder: TestFolder;
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => {
  child?.kill("SIGKILL");
  folder.remove();
});

describe("the store on its threads", () => {
  const options = () => ({
    dataDir: folder.path,
    gatewayId: "gw",
    quotaBytes: 2 ** 30,
    whenFull: "block" as const,
    windowDigests: 64,
    keepsHistory: false,
    bootId: "boot",
    onFatal: () => {},
    entries: ENTRIES,
  });

  it("stores, renders, gives the batch's buffer back, and closes in order", async () => {
    const storage = await openStorage(options());
    const { epoch } = await storage.spool.hello(helloOf());
    const batch = batchOf(run(epoch, 1, 100).map((entry) => ({ ...entry, body: new Uint8Array(0) })));
    const byteLength = batch.buffer.byteLength;
    const outcome = await storage.spool.commit(batch);
    expect(batch.buffer.byteLength).toBe(0); // transferred, not copied
    expect(outcome.buffer.byteLength).toBe(byteLength);
    expect(outcome).toMatchObject({ ok: true, storedCount: 100, lastRecordId: 100 });
    const slice = await storage.reader.rendered(0, 2_000);
    expect(slice).toMatchObject({ count: 100, topics: ["attic-7/data"] });
    expect(new TextDecoder().decode(slice.bytes.subarray(0, slice.offsets[1]))).toContain(`"gw/attic-7/${epoch}/1"`);
    await storage.close();
    const db = new Database(join(folder.path, "spool.db"), { readonly: true });
    expect(db.prepare("SELECT value FROM meta WHERE key = 'clean'").get()).toEqual({ value: "1" });
    db.close();
  });

  it("says at opening why the folder cannot be used", async () => {
    const file = join(folder.path, "file");
    new Database(file).exec("CREATE TABLE t (a)").close();
    await expect(openStorage({ ...options(), dataDir: file })).rejects.toMatchObject({ code: "E_DATA_DIR" });
  });
});

describe("a killed process", () => {
  it("has lost nothing that it acked and stored nothing twice, however often it is killed", async () => {
    let acked = 0;
    for (let round = 1; round <= 3; round++) {
      const said = await killAfter(10 * round);
      expect(said.epochs).toHaveLength(1);
      expect(said.first).toBeGreaterThanOrEqual(acked);
      acked = said.last;
    }
    const db = new Database(join(folder.path, "spool.db"), { readonly: true });
    const seqs = storedRecords(db).map(({ seq }) => seq);
    const [stream] = db.prepare<[], { mark: number }>("SELECT mark FROM streams").all();
    db.close();
    expect(seqs.length).toBeGreaterThanOrEqual(acked);
    expect(seqs).toEqual(Array.from({ length: stream?.mark ?? 0 }, (_, i) => i + 1));
  });
});

/** Run until that many batches were acked, then SIGKILL. */
async function killAfter(ackCount: number): Promise<{ epochs: number[]; first: number; last: number }> {
  const running = spawn(process.execPath, [CHILD, "threads", folder.path], { stdio: ["ignore", "pipe", "inherit"] });
  child = running;
  const epochs: number[] = [];
  const acks: number[] = [];
  for await (const line of createInterface({ input: running.stdout })) {
    const [word, number] = line.split(" ");
    if (word === "epoch") epochs.push(Number(number));
    if (word === "acked") acks.push(Number(number));
    if (acks.length === ackCount) running.kill("SIGKILL");
  }
  if (running.exitCode === null && running.signalCode === null) await once(running, "exit");
  expect(running.signalCode).toBe("SIGKILL");
  return { epochs, first: acks[0] ?? Number.NaN, last: acks.at(-1) ?? Number.NaN };
}

requires("strace").describe("the fsyncs", () => {
  function count(option: string): number {
    const args = ["-f", "-c", "-e", "trace=fsync,fdatasync", process.execPath, CHILD, "singles", folder.path, option];
    const { stderr, status } = spawnSync("strace", args, { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    const rows = [...stderr.matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$/gm)];
    return rows.reduce((sum, row) => sum + Number(row[1]), 0);
  }

  it("are at least one for each of 100 single commits", () => {
    expect(count("full")).toBeGreaterThanOrEqual(100);
  });

  it("would be far fewer at NORMAL: the count tells the two apart", () => {
    expect(count("normal")).toBeLessThan(50);
  });
});
