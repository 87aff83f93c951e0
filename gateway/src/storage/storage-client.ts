/**
 * The store as the main thread holds it: the interfaces of `model/` over the storage worker and the reader worker.
 *
 *   spool, commands, identity ──▶ WorkerCalls ══▶ storage worker     in the order they were called
 *   reader                    ──▶ WorkerCalls ══▶ reader worker
 *   notes (cursors, boot offsets, audit) collect here; one message of them is under way at a time
 */
import type { GatewayError } from "../core/errors.js";
import type { HeapFigures } from "../core/heap.js";
import type { CommandStore } from "../model/command.js";
import type { IdentityStore } from "../model/identity.js";
import type { Spool, SpoolReader } from "../model/spool.js";
import { NoteBox } from "./note-box.js";
import type { StoreNotice } from "./open-stores.js";
import { WorkerCalls, type WorkerChannel } from "./worker-calls.js";
import type { ReaderCalls, WithDamage, WriterCalls } from "./worker-protocol.js";

/** Everything durable, opened. */
export interface Storage {
  readonly spool: Spool;
  readonly commands: CommandStore;
  readonly identity: IdentityStore;
  readonly reader: SpoolReader;
  /** Copy both databases into a folder that is there. Errors: E_STORE_FULL, E_STORE_IO, E_STORE_BUSY. */
  backup(folder: string): Promise<void>;
  /** What was found at opening, for the log. */
  readonly notices: readonly StoreNotice[];
  /** Calls that wait for an answer: for the metrics. */
  pendingCount(): number;
  /** How large the heaps of the threads are, by the thread's name: for the metrics. */
  heaps(): readonly (readonly [thread: string, heap: HeapFigures | null])[];
  /** How many calls the writer has answered: it stands still when the worker hangs. */
  answeredCount(): number;
  /**
   * In order: what was asked is finished, notes are written, the files are marked clean and closed. After a fatal
   * failure it only ends the threads.
   */
  close(): Promise<void>;
}

const PASSWORD_KEY = "password";

type Writer = WorkerCalls<WriterCalls>;

/** The channels to both workers, which begin side by side. */
export interface StorageChannels {
  readonly writer: WorkerChannel<WriterCalls>;
  readonly reader: WorkerChannel<ReaderCalls>;
}

/**
 * @param onFatal called once, when the store cannot go on: nothing that was not acked will be. End the process with the
 *   error's exit code.
 *
 * Errors: E_DATA_DIR, E_STORE_NEWER, E_STORE_CORRUPT, E_STORE_IO when the files cannot be opened; `onFatal` is not
 * called for those.
 */
export async function connectStorage(
  channels: StorageChannels,
  onFatal: (error: GatewayError) => void,
): Promise<Storage> {
  let isOpen = false;
  const listeners: (() => void)[] = [];
  let isDead = false;
  const fatal = once((error: GatewayError) => {
    isDead = true;
    if (isOpen) onFatal(error);
  });
  const writer = new WorkerCalls(channels.writer, fatal, () => {
    for (const listener of listeners) listener();
  });
  const reader = new WorkerCalls(channels.reader, fatal);
  try {
    const notices = await writer.ready();
    await reader.ready();
    await reader.ask("open", null);
    isOpen = true;
    const notes = new NoteBox((collected) => writer.ask("note", collected));
    return {
      spool: spoolOn(writer, notes, listeners),
      commands: commandsOn(writer),
      identity: identityOn(writer, notes),
      reader: readerOn(reader, writer),
      backup: async (folder) => {
        await writer.ask("backup", folder);
      },
      notices,
      pendingCount: () => writer.pendingCount + reader.pendingCount,
      heaps: () => [
        ["storage", writer.heap],
        ["reader", reader.heap],
      ],
      answeredCount: () => writer.answeredCount,
      close: once(async () => {
        try {
          await closeBoth(writer, reader, notes);
        } catch (thrown) {
          if (!isDead) throw thrown; // else `onFatal` has said it: the stop goes on to its end
        }
      }),
    };
  } catch (thrown) {
    await Promise.all([writer.end(), reader.end()]);
    throw thrown;
  }
}

async function closeBoth(writer: Writer, reader: WorkerCalls<ReaderCalls>, notes: NoteBox): Promise<void> {
  try {
    await notes.flush();
    await reader.ask("close", null); // before the writer, whose checkpoint then folds the WAL in
    await writer.ask("close", null);
  } finally {
    await Promise.all([reader.end(), writer.end()]);
  }
}

function spoolOn(writer: Writer, notes: NoteBox, listeners: (() => void)[]): Spool {
  return {
    commit: (batch) => writer.ask("commit", batch, [batch.buffer]),
    hello: (request) => writer.ask("hello", request),
    saveBootOffset: (deviceKey, bootNonce, offsetUnixMs) => notes.boot(deviceKey, bootNonce, offsetUnixMs),
    saveCursor: (sink, recordId) => notes.cursor(sink, recordId),
    openSinks: (sinks) => writer.ask("openSinks", sinks),
    quarantine: async (sink, recordId, reason, message) => {
      await writer.ask("quarantine", [sink, recordId, reason, message]);
    },
    requeue: async (sink, recordId) => {
      await writer.ask("requeue", [sink, recordId]);
    },
    settleRequeued: async (sink, recordId, refusal) => {
      await writer.ask("settleRequeued", [sink, recordId, refusal]);
    },
    forgetSink: async (sink) => {
      await writer.ask("forgetSink", sink);
    },
    status: () => writer.ask("status", null),
    onSpace: (listener) => {
      listeners.push(listener);
    },
  };
}

function commandsOn(writer: Writer): CommandStore {
  return {
    create: (request, offer) => writer.ask("createCommand", [request, offer]),
    apply: (commandId, event) => writer.ask("applyCommand", [commandId, event]),
    unfinished: () => writer.ask("unfinished", null),
  };
}

function identityOn(writer: Writer, notes: NoteBox): IdentityStore {
  return {
    devices: () => writer.ask("identities", null),
    add: (device, name, tokenHash) => writer.ask("addIdentity", [device, name, tokenHash]),
    replaceToken: (device, tokenHash) => writer.ask("replaceToken", [device, tokenHash]),
    revoke: (device) => writer.ask("revoke", device),
    rename: (device, name) => writer.ask("rename", [device, name]),
    forget: async (device) => {
      await writer.ask("forget", device);
    },
    passwordHash: () => writer.ask("setting", PASSWORD_KEY),
    setPasswordHash: async (hash) => {
      await writer.ask("putSetting", [PASSWORD_KEY, hash]);
    },
    audit: (actor, action, subject) => notes.audit(actor, action, subject),
  };
}

function readerOn(reader: WorkerCalls<ReaderCalls>, writer: Writer): SpoolReader {
  /** Damaged records go on the list before anybody hears of the slice that had to leave them out. */
  const sound = async <Slice>(answer: Promise<WithDamage<Slice>>): Promise<Slice> => {
    const { slice, damagedIds } = await answer;
    if (damagedIds.length > 0) await writer.ask("damaged", damagedIds);
    return slice;
  };
  return {
    rendered: (afterId, rowsMax) => sound(reader.ask("rendered", [afterId, rowsMax])),
    live: (afterId, rowsMax) => sound(reader.ask("live", [afterId, rowsMax])),
    latest: (afterId, rowsMax) => sound(reader.ask("latest", [afterId, rowsMax])),
    gaps: (query) => reader.ask("gaps", query),
    commands: (query) => reader.ask("commands", query),
    command: (commandId) => reader.ask("command", commandId),
    quarantined: (sink, limit) => reader.ask("quarantined", [sink, limit]),
    requeued: (sink, limit) => reader.ask("requeued", [sink, limit]),
    devices: (names) => reader.ask("devices", names ?? null),
  };
}

/** The first call counts; later ones get its result. */
function once<Args extends unknown[], T>(work: (...args: Args) => T): (...args: Args) => T {
  let result: { readonly value: T } | undefined;
  return (...args) => {
    result ??= { value: work(...args) };
    return result.value;
  };
}
