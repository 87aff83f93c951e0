/** Backups as files: whole and proven, or refused; never a path out of their folder. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type BackupMember, readArchive, writeArchive } from "./backup-archive.js";
import { readTar, TAR_END, tarHeader } from "./backup-tar.js";

const ORIGIN = { gatewayId: "attic", version: "0.1.0", createdUnixMs: 1_700_000_000_000 };

function member(name: string, text: string): BackupMember {
  const content = Buffer.from(text);
  return {
    name,
    bytes: content.length,
    content: async function* () {
      // In two pieces: nothing may depend on how a file is cut.
      yield content.subarray(0, 1);
      yield content.subarray(1);
    },
  };
}

const FILES = [
  member("spool.db", "s".repeat(1_300)),
  member("identity.db", "i".repeat(512)),
  member("pki/server-ca.key", "secret"),
];

async function bytesOf(members: readonly BackupMember[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeArchive(members, ORIGIN).pieces) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces);
}

async function* cut(bytes: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function contentsOf(bytes: Uint8Array, pieceBytes = 700): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  let name = "";
  await readArchive(cut(bytes, pieceBytes), {
    begin: (begun) => {
      name = begun;
      found[name] = "";
    },
    content: (piece) => {
      found[name] += Buffer.from(piece).toString("utf8");
    },
    end: () => {},
  });
  return found;
}

describe("a backup", () => {
  it("is as long as it says, and reads back as it was, however it is cut", async () => {
    const bytes = await bytesOf(FILES);
    expect(writeArchive(FILES, ORIGIN).bytes).toBe(bytes.length);
    for (const pieceBytes of [1, 511, 512, 513, 100_000]) {
      expect(await contentsOf(bytes, pieceBytes)).toEqual({
        "spool.db": "s".repeat(1_300),
        "identity.db": "i".repeat(512),
        "pki/server-ca.key": "secret",
      });
    }
  });

  it("is a tar file for everybody else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-tar-"));
    try {
      const path = join(folder, "b.tar");
      writeFileSync(path, await bytesOf(FILES));
      const { stdout, stderr, status } = spawnSync("tar", ["-tvf", path], { encoding: "utf8" });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toMatch(/^-rw------- .* 1300 .* spool\.db$/m);
      expect(stdout).toContain("manifest.json");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("that was cut off anywhere, or has one other bit, is refused", async () => {
    const bytes = await bytesOf(FILES);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
        await expect(contentsOf(bytes.subarray(0, at))).rejects.toMatchObject({ code: "E_BACKUP_INVALID" });
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        // A bit in the padding or in a header field that says nothing is no damage; no content may pass altered.
        const read = await contentsOf(changed).catch((error: unknown) => error);
        if (read instanceof Error) expect(read).toMatchObject({ code: "E_BACKUP_INVALID" });
        else expect(read).toEqual(await contentsOf(bytes));
      }),
      { numRuns: 150 },
    );
  });

  it.each(["../evil", "/etc/passwd", "pki/../../evil", "pki/a/b", "spool.db-wal", "pki/.hidden", ""])(
    "never writes to %o, whatever its manifest says",
    async (name) => {
      await expect(contentsOf(await bytesOf([...FILES, member(name, "x")]))).rejects.toMatchObject({
        code: "E_BACKUP_INVALID",
      });
    },
  );

  it("with a file twice, or without a database, is refused", async () => {
    await expect(contentsOf(await bytesOf([...FILES, member("spool.db", "x")]))).rejects.toThrow("twice");
    await expect(contentsOf(await bytesOf(FILES.slice(1)))).rejects.toThrow("spool.db is missing");
  });

  it("gives a file that changed its length while it was read no chance to pass", async () => {
    const grown = { ...member("spool.db", "four"), bytes: 3 };
    await expect(bytesOf([grown])).rejects.toThrow("changed while it was read");
  });

  it("refuses links and other things that are no plain files", async () => {
    const header = Buffer.from(tarHeader({ name: "spool.db", bytes: 0 }, 0));
    header.write("2", 156);
    const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
    await expect(contentsOf(Buffer.concat([header, TAR_END]))).rejects.toThrow("no plain file");
  });

  it("knows sizes beyond the eight gigabytes of octal digits", async () => {
    const sizes: number[] = [];
    const taker = { begin: ({ bytes }: { bytes: number }) => void sizes.push(bytes), content: () => {}, end: () => {} };
    const header = tarHeader({ name: "spool.db", bytes: 20 * 2 ** 30 }, 0);
    await expect(readTar(cut(header, 512), taker)).rejects.toThrow("too early");
    expect(sizes).toEqual([20 * 2 ** 30]);
  });
});
