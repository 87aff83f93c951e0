/**
 * A backup as one stream: the files of a gateway, and behind them the manifest that proves them whole.
 *
 *   spool.db · identity.db · pki/… · admin.token · tidegate.yaml · manifest.json {files: [{name, bytes, sha256}]}
 *
 * The manifest stands last because only then all digests are known: written and read in one pass. What was cut off has
 * no manifest and is refused.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { invalid, readTar, TAR_END, type TarMember, tarBytes, tarHeader, tarPadding } from "./backup-tar.js";

export const MANIFEST_FILE = "manifest.json";

/** Of this layout; a reader refuses others. */
const FORMAT = 1;

/** Bounds for what is read from a file somebody hands us. */
const MANIFEST_BYTES_MAX = 256 * 1024;
const FILES_MAX = 64;

/** Every name a backup may hold: nothing that leaves the folder it is unpacked to. */
const NAME = /^(?:spool\.db|identity\.db|admin\.token|tidegate\.yaml|pki\/[A-Za-z0-9][A-Za-z0-9._-]{0,62})$/;

const file = z.object({ name: z.string().regex(NAME), bytes: z.int().min(0), sha256: z.string().length(64) });
const manifest = z.looseObject({
  format: z.literal(FORMAT),
  gatewayId: z.string(),
  version: z.string(),
  createdAt: z.string(),
  files: z.array(file).max(FILES_MAX),
});
/** What a backup says of itself. */
export type Manifest = z.infer<typeof manifest>;
export type BackupFile = Manifest["files"][number];

/** What the manifest says beside the files. */
export type BackupOrigin = Pick<Manifest, "gatewayId" | "version"> & { readonly createdUnixMs: number };

/** A file to go into a backup; `bytes` must be what `content` gives. */
export interface BackupMember extends TarMember {
  content(): AsyncIterable<Uint8Array>;
}

/** A backup that is being made. */
export interface BackupStream {
  /** Length of the whole, in bytes. */
  readonly bytes: number;
  /** What to call the file. */
  readonly fileName: string;
  /** Once. Ends with an error when a file changed its length. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Put files into one stream. */
export function writeArchive(members: readonly BackupMember[], origin: BackupOrigin): BackupStream {
  const digest = "0".repeat(64);
  const blank = manifestText(
    members.map(({ name, bytes }) => ({ name, bytes, sha256: digest })),
    origin,
  );
  const sizes = [...members.map((member) => member.bytes), blank.length];
  const stamp = new Date(origin.createdUnixMs).toISOString().replace(/[-:]/g, "").replace(/\..*/, "Z");
  return {
    bytes: sizes.reduce((sum, bytes) => sum + tarBytes(bytes), TAR_END.length),
    fileName: `tidegate-${origin.gatewayId}-${stamp}.tar`,
    pieces: archivePieces(members, origin),
  };
}

async function* archivePieces(members: readonly BackupMember[], origin: BackupOrigin): AsyncGenerator<Uint8Array> {
  const files: BackupFile[] = [];
  for (const member of members) {
    yield tarHeader(member, origin.createdUnixMs);
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of member.content()) {
      bytes += piece.length;
      hash.update(piece);
      yield piece;
    }
    if (bytes !== member.bytes) throw invalid(`${member.name} changed while it was read`);
    yield tarPadding(bytes);
    files.push({ name: member.name, bytes, sha256: hash.digest("hex") });
  }
  const text = manifestText(files, origin);
  yield tarHeader({ name: MANIFEST_FILE, bytes: text.length }, origin.createdUnixMs);
  yield text;
  yield tarPadding(text.length);
  yield TAR_END;
}

function manifestText(files: readonly BackupFile[], { gatewayId, version, createdUnixMs }: BackupOrigin): Buffer {
  const createdAt = new Date(createdUnixMs).toISOString();
  const content = { format: FORMAT, gatewayId, version, createdAt, files };
  return Buffer.from(`${JSON.stringify(content, null, 2)}\n`);
}

/** Where the files of a backup go while they are read; nothing is proven before `readArchive` has resolved. */
export interface BackupTaker {
  begin(name: string): void | Promise<void>;
  content(piece: Uint8Array): void | Promise<void>;
  end(): void | Promise<void>;
}

/**
 * Read a whole backup and prove that it is one.
 * @param taker gets the files as they come; null: only the proof is wanted.
 * Errors: E_BACKUP_INVALID, and whatever `taker` throws.
 */
export async function readArchive(
  pieces: AsyncIterable<Uint8Array>,
  taker: BackupTaker | null = null,
): Promise<Manifest> {
  const proof = new Proof(taker);
  await readTar(pieces, proof);
  return proof.manifest();
}

class Proof {
  readonly #taker: BackupTaker | null;
  readonly #found = new Map<string, BackupFile>();
  #member: TarMember | null = null;
  #hash = createHash("sha256");
  #manifestPieces: Uint8Array[] = [];
  #hasManifest = false;

  constructor(taker: BackupTaker | null) {
    this.#taker = taker;
  }

  async begin(member: TarMember): Promise<void> {
    const { name, bytes } = member;
    if (this.#hasManifest) throw invalid("files stand behind the manifest");
    this.#member = member;
    this.#hash = createHash("sha256");
    if (name === MANIFEST_FILE) {
      if (bytes > MANIFEST_BYTES_MAX) throw invalid("the manifest is too long");
      this.#hasManifest = true;
      return;
    }
    if (!NAME.test(name)) throw invalid(`${JSON.stringify(name)} does not belong into a backup`);
    if (this.#found.has(name) || this.#found.size >= FILES_MAX) throw invalid(`${name} is there twice`);
    await this.#taker?.begin(name);
  }

  async content(piece: Uint8Array): Promise<void> {
    if (this.#hasManifest) this.#manifestPieces.push(Uint8Array.from(piece));
    else {
      this.#hash.update(piece);
      await this.#taker?.content(piece);
    }
  }

  async end(): Promise<void> {
    if (this.#hasManifest || this.#member === null) return;
    this.#found.set(this.#member.name, { ...this.#member, sha256: this.#hash.digest("hex") });
    await this.#taker?.end();
  }

  /** What the file says of itself, after it was held against what is in it. */
  manifest(): Manifest {
    if (!this.#hasManifest) throw invalid("it has no manifest; it was cut off");
    const said = parseManifest(Buffer.concat(this.#manifestPieces).toString("utf8"));
    const names = new Set(said.files.map(({ name }) => name));
    for (const { name, bytes, sha256 } of said.files) {
      const found = this.#found.get(name);
      if (found === undefined) throw invalid(`${name} is missing`);
      if (found.bytes !== bytes || found.sha256 !== sha256) throw invalid(`${name} is damaged: its SHA-256 differs`);
    }
    for (const name of this.#found.keys()) if (!names.has(name)) throw invalid(`${name} is not in the manifest`);
    for (const name of ["spool.db", "identity.db"]) if (!names.has(name)) throw invalid(`${name} is missing`);
    return said;
  }
}

function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("the manifest is no JSON");
  }
  const read = manifest.safeParse(value);
  if (read.success) return read.data;
  const format = z.looseObject({ format: z.number() }).safeParse(value).data?.format;
  if (format !== undefined && format > FORMAT) throw invalid(`its format is ${format}; this version knows ${FORMAT}`);
  throw invalid(`the manifest does not fit: ${read.error.issues[0]?.path.join(".") ?? ""}`);
}
