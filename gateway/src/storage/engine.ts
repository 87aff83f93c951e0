/**
 * The storage engine: every operation on the two databases, synchronous, in the order it is called. It runs in the
 * storage worker; tests and simulations run it without a thread.
 *
 *   operation ─▶ one transaction: what came in + cursors that moved + what may be deleted ─▶ fsync ─▶ answer
 *                     │ fails
 *                     ├─ full, busy ─▶ everything undone, answered as such: tried again later; so is what was
 *                     │                packed before that was known
 *                     └─ anything else ─▶ thrown: the worker ends, nothing was acked
 *
 * Over quota, `block` refuses batches that bring records; batches of announcements and command updates alone, Hellos,
 * commands, cursors and deletions always go through, because they are small and lead out of the state.
 */
import { GatewayError } from "../core/errors.js";
import type { CommandEvent, CommandRecord, CreateOutcome, NewCommand, SendOffer } from "../model/command.js";
import type {
  CommitOutcome,
  GatherBatch,
  HelloOutcome,
  HelloRequest,
  QuarantinedMessage,
  SinkStart,
  SpoolStatus,
} from "../model/spool.js";
import { bringsRecords } from "../spool/batch-weight.js";
import { CommandBook } from "../spool/command-book.js";
import { Ledger } from "../spool/ledger.js";
import { Refusals } from "../spool/refusals.js";
import { AuditQueue } from "./audit-queue.js";
import { copyStores } from "./backup-copy.js";
import { Chores } from "./chores.js";
import { Cursors, HISTORY_SINK } from "./cursors.js";
import { closeDatabase, suspect } from "./database.js";
import type { EngineOptions, Notes, TickOutcome } from "./engine-options.js";
import { IdentityTable } from "./identity-table.js";
import { newCommandId } from "./new-ids.js";
import type { OpenStores } from "./open-stores.js";
import { Retention } from "./retention.js";
import { Space } from "./space.js";
import { spoolStatus } from "./spool-status.js";
import { SqlSpoolTables } from "./spool-tables.js";
import { failureOf } from "./sqlite-error.js";
import { WriteMeter } from "./write-meter.js";

/** Told to devices whose batch was refused. */
const RETRY_MS = { full: 2_000, busy: 250 } as const;

/** Rows deleted per slice between commits: about 5 ms. */
const TRIM_ROWS = 2_000;

/** Rows deleted inside one commit at most, so that a large batch is not held up for long. */
const COMMIT_TRIM_ROWS_MAX = 10_000;

const LIVE_ROWS_KEPT = 2_000;

const NOTHING_DONE = { trimmed: 0, skipped: [] };

/** All operations on opened stores; owns both databases until `close` or `abandon`. Not to be shared by threads. */
export class Engine {
  readonly identity: IdentityTable;
  readonly #audit: AuditQueue;
  readonly #stores: OpenStores;
  readonly #options: EngineOptions;
  readonly #tables: SqlSpoolTables;
  readonly #book: CommandBook;
  readonly #ledger: Ledger;
  readonly #cursors: Cursors;
  readonly #space: Space;
  readonly #retention: Retention;
  readonly #meter: WriteMeter;
  readonly #refusals = new Refusals();
  #boots: Notes["boots"][number][] = [];
  #lastId: number;
  #isFull = false;
  readonly #chores: Chores;
  /** Does the transaction under way write cursors, and so may delete? */
  #hasChores = false;

  constructor(stores: OpenStores, options: EngineOptions) {
    const { db, path } = stores.spool;
    this.#stores = stores;
    this.#options = options;
    this.identity = new IdentityTable(stores.identity.db);
    this.#audit = new AuditQueue(this.identity);
    this.#tables = new SqlSpoolTables(db, options.fault);
    this.#book = new CommandBook(this.#tables, options.step, options.commandLimits);
    this.#ledger = new Ledger(this.#tables, this.#book, {
      windowDigests: options.windowDigests,
      draw: () => options.random.u32(),
    });
    this.#cursors = new Cursors(this.#tables.cursors);
    this.#space = new Space(db, path, options.quotaBytes, options.diskFree);
    const liveRowsKept = options.liveRowsKept ?? LIVE_ROWS_KEPT;
    this.#retention = new Retention(this.#tables, this.#cursors, this.#space, {
      liveRowsKept,
      startedMonoMs: options.clock.monoMs(),
    });
    this.#meter = new WriteMeter(this.#tables.cursors, options.clock.unixMs());
    this.#lastId = this.#tables.records.lastId();
    this.#chores = new Chores(options.choreIntervalMs ?? 0, options.clock.monoMs());
    this.#space.refillReserve();
  }

  /** Store a batch. Throws what ends the process; answers `full`, `busy` and `behind`. */
  commit(batch: GatherBatch): CommitOutcome {
    const { buffer } = batch;
    if (this.#refusals.isBehind(batch)) return { ok: false, buffer, reason: "behind", retryAfterMs: 0 };
    const isHeavy = bringsRecords(batch);
    if (isHeavy && !this.#makeRoom(batch.usedBytes)) return this.#refuse(buffer, "full");
    try {
      const applied = this.#write(() => {
        const drops = isHeavy && this.#options.whenFull === "drop-oldest";
        if (drops) this.#retention.dropOldest(this.#lastId, batch.usedBytes, this.#options.clock.unixMs());
        const outcome = this.#ledger.applyBatch(batch);
        this.#lastId = Math.max(this.#lastId, outcome.lastRecordId);
        const trimRows = Math.min(Math.max(2 * outcome.storedCount, TRIM_ROWS), COMMIT_TRIM_ROWS_MAX);
        if (this.#hasChores) this.#retention.trim(this.#lastId, trimRows);
        return outcome;
      });
      this.#meter.add(batch.usedBytes * 2);
      const { storedCount, gapCount, duplicateCount, conflictCount, commands, marks } = applied;
      const counts = { storedCount, gapCount, duplicateCount, conflictCount };
      return { ok: true, buffer, lastRecordId: this.#lastId, marks, commands, ...counts };
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (failure !== "full" && failure !== "busy") throw thrown;
      if (failure === "full") this.#scrapeTogether();
      return this.#refuse(buffer, failure);
    }
  }

  /**
   * Several Hellos in one transaction, each answered by its outcome or by the error of its own.
   * A device that contradicts itself gets E_BAD_REQUEST and does not disturb the others.
   */
  hellos(requests: readonly HelloRequest[]): (HelloOutcome | GatewayError)[] {
    return this.#small(() =>
      requests.map((request) =>
        orRefusal(() => {
          const outcome = this.#ledger.hello(request);
          return { ...outcome, bootOffsets: this.#tables.devices.boots(outcome.deviceKey) };
        }),
      ),
    );
  }

  /**
   * Several new commands in one transaction, each answered by its outcome or by its refusal: E_IDEMPOTENCY_CONFLICT,
   * E_COMMAND_LIMIT. Errors: E_STORE_FULL, E_STORE_BUSY.
   */
  createCommands(
    asked: readonly (readonly [request: NewCommand, offer: SendOffer | null])[],
  ): (CreateOutcome | GatewayError)[] {
    const { clock, random, bootId } = this.#options;
    const bornAt = { unixMs: clock.unixMs(), monoMs: clock.monoMs(), bootId };
    return this.#small(() =>
      asked.map(([request, offer]) =>
        orRefusal(() => this.#book.create(request, { ...bornAt, commandId: newCommandId(random) }, offer)),
      ),
    );
  }

  /** Several steps in one transaction, in order; refusals: E_COMMAND_UNKNOWN, E_COMMAND_STATE. Errors: as above. */
  applyCommands(
    steps: readonly (readonly [commandId: string, event: CommandEvent])[],
  ): (CommandRecord | GatewayError)[] {
    const unixMs = this.#options.clock.unixMs();
    return this.#small(() => steps.map((step) => orRefusal(() => this.#book.apply(...step, unixMs))));
  }

  unfinishedCommands(): CommandRecord[] {
    return this.#tables.openCommands();
  }

  openSinks(sinks: readonly SinkStart[]): ReadonlyMap<string, number> {
    const history: SinkStart = { name: HISTORY_SINK, start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null };
    const all = this.#options.keepsHistory ? [...sinks, history] : sinks;
    const { records } = this.#tables;
    const stored = {
      oldestId: this.#retention.oldestId,
      lastId: this.#lastId,
      firstAfter: (id: number) => records.firstAfter(id),
    };
    return this.#small(() => this.#cursors.open(all, stored));
  }

  quarantine(sink: string, recordId: number, reason: string, message: QuarantinedMessage | null): void {
    const atUnixMs = this.#options.clock.unixMs();
    this.#small(() => this.#retention.quarantine({ recordId, sink, reason, atUnixMs, message }));
  }

  /** Errors: E_QUARANTINE_UNKNOWN. */
  requeue(sink: string, recordId: number): void {
    this.#small(() => this.#tables.quarantine.requeue(sink, recordId));
  }

  /** @param refusal why the sink would not take it again; null: it did. */
  settleRequeued(sink: string, recordId: number, refusal: string | null): void {
    this.#small(() => this.#tables.quarantine.settle(sink, recordId, refusal));
  }

  /** Errors: E_SINK_UNKNOWN, E_SINK_CONFIGURED. */
  forgetSink(sink: string): void {
    this.#small(() => {
      this.#cursors.forget(sink);
      this.#tables.quarantine.forget(sink);
    });
  }

  /** Rows whose CRC does not fit: nobody gets them, and the list says so. Repeats are ignored. */
  damaged(recordIds: readonly number[]): void {
    const why = { sink: "", reason: "damaged on disk: its checksum does not fit", message: null };
    const atUnixMs = this.#options.clock.unixMs();
    this.#small(() => {
      for (const recordId of recordIds) this.#retention.quarantine({ ...why, recordId, atUnixMs });
    });
  }

  /** Keep small facts until the next transaction. */
  note(notes: Notes): void {
    for (const [sink, recordId] of notes.cursors) this.#cursors.save(sink, Math.min(recordId, this.#lastId));
    this.#boots.push(...notes.boots);
    const atUnixMs = this.#options.clock.unixMs();
    for (const [actor, action, subject] of notes.audit) this.#audit.add({ atUnixMs, actor, action, subject });
  }

  /**
   * One slice of housekeeping: notes written, taken records deleted, held ones skipped, space looked at. Called about
   * once a second, and again at once while it answers `more`.
   */
  tick(): TickOutcome {
    this.#audit.write();
    const now = this.#options.clock.unixMs();
    // Nothing to do writes nothing: an idle gateway must not wear the flash.
    const isDue = this.#isFull || this.#chores.isHouseWorkDue(this.#options.clock.monoMs());
    const { trimmed, skipped } = isDue ? this.#houseWork(now) : NOTHING_DONE;
    for (const { sink, recordId } of skipped) this.#cursors.save(sink, recordId);
    this.#space.capWal();
    const hasSpace = this.#isFull && this.#space.hasRoomAgain();
    if (hasSpace) {
      this.#isFull = false;
      this.#space.refillReserve();
    }
    return { more: trimmed >= TRIM_ROWS || skipped.length > 0, hasSpace };
  }

  status(): SpoolStatus {
    const { clock } = this.#options;
    return spoolStatus({
      storeId: this.#tables.cursors.meta("storeId") ?? "",
      tables: this.#tables,
      cursors: this.#cursors,
      space: this.#space,
      oldestId: this.#retention.oldestId,
      lastId: this.#lastId,
      isFull: this.#isFull,
      bytesWrittenToday: this.#meter.today(clock.unixMs()),
      nowUnixMs: clock.unixMs(),
    });
  }

  /** Copies of both databases in a folder that is there, while this goes on as ever. Errors: as `copyStores`. */
  backup(folder: string): Promise<void> {
    const { spool, identity } = this.#stores;
    return copyStores({ spool: spool.db, identity: identity.db }, folder);
  }

  /** The file is damaged: its next opening checks all of it. */
  suspectDamage(): void {
    suspect(this.#stores.spool.path);
  }

  /** In order: notes written, WAL folded in, marked as clean, closed. */
  close(): void {
    try {
      this.#audit.write();
      this.#write(() => this.#meter.save(this.#options.clock.unixMs()), true);
    } catch (thrown) {
      if (failureOf(thrown) !== "full") throw thrown; // the next start reads less: no reason to fail the stop
    } finally {
      closeDatabase(this.#stores.spool.db);
      closeDatabase(this.#stores.identity.db);
    }
  }

  /** As after a kill: nothing more is written. For simulations and tests. */
  abandon(): void {
    this.#stores.spool.db.close();
    this.#stores.identity.db.close();
  }

  #houseWork(nowUnixMs: number) {
    this.#chores.houseWorkBegins(this.#options.clock.monoMs());
    try {
      return this.#small(() => {
        const skipped = this.#retention.skipHeld(this.#lastId, nowUnixMs, this.#options.clock.monoMs());
        const trimmed = this.#retention.trim(this.#lastId, TRIM_ROWS, this.#isFull);
        const pruned = this.#tables.commands.prune();
        if (trimmed + pruned > 0 || this.#cursors.isDirty) this.#meter.save(nowUnixMs);
        return { trimmed, skipped };
      }, true);
    } catch (thrown) {
      // Not even a deletion can be written, or somebody else holds the file: next time.
      const failure = failureOf(thrown);
      if (failure !== "full" && failure !== "busy") throw thrown;
      return NOTHING_DONE;
    }
  }

  /** May cursors be written and records be deleted, or did that happen a moment ago? */
  #areChoresDue(): boolean {
    return this.#chores.areDue(this.#options.clock.monoMs());
  }

  /** Is there room for that many bytes of records, perhaps after deleting what was taken? */
  #makeRoom(bytes: number): boolean {
    if (this.#isFull) return false;
    if (this.#space.isDiskExhausted()) return this.#full();
    while (this.#space.lacksPages(bytes)) {
      const trimmed = this.#small(() => this.#retention.trim(this.#lastId, COMMIT_TRIM_ROWS_MAX, true), true);
      if (trimmed > 0) continue;
      // `drop-oldest` makes its room inside the batch's own transaction.
      return this.#options.whenFull === "drop-oldest" && bytes <= this.#options.quotaBytes / 2 ? true : this.#full();
    }
    return true;
  }

  #full(): false {
    this.#isFull = true;
    return false;
  }

  #refuse(buffer: ArrayBuffer, reason: "full" | "busy"): CommitOutcome {
    this.#refusals.add();
    return { ok: false, buffer, reason, retryAfterMs: RETRY_MS[reason] };
  }

  #scrapeTogether(): void {
    this.#isFull = true;
    this.#space.scrapeTogether();
  }

  /** A small transaction that leads out of a full disk: it may use the reserve. */
  #small<T>(work: () => T, hasChores = this.#areChoresDue()): T {
    try {
      return this.#write(work, hasChores);
    } catch (thrown) {
      if (failureOf(thrown) !== "full") throw thrown;
      this.#scrapeTogether();
      return this.#write(work, hasChores);
    }
  }

  /**
   * All of it or nothing, on disk when it returns.
   *
   * @param hasChores cursors go with it: always where records are deleted, whose cursors must not come back lower.
   */
  #write<T>(work: () => T, hasChores = this.#areChoresDue()): T {
    const lastId = this.#lastId;
    this.#hasChores = hasChores;
    try {
      const value = this.#stores.spool.db
        .transaction(() => {
          if (hasChores) this.#cursors.write();
          for (const [key, bootNonce, offsetUnixMs] of this.#boots) {
            this.#tables.devices.putBoot(key, { bootNonce, offsetUnixMs }, this.#options.clock.unixMs());
          }
          const result = work();
          this.#tables.records.flush();
          return result;
        })
        .immediate();
      this.#ledger.committed();
      if (hasChores) {
        this.#cursors.written();
        this.#chores.done(this.#options.clock.monoMs());
      }
      this.#boots = [];
      this.#lastId = this.#tables.records.lastId();
      return value;
    } catch (thrown) {
      this.#lastId = lastId;
      this.#tables.records.discard();
      this.#ledger.rolledBack();
      this.#retention.rolledBack();
      throw thrown;
    }
  }
}

/** What was refused concerns the one who asked, and not the others of its transaction. */
function orRefusal<T>(work: () => T): T | GatewayError {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
}
