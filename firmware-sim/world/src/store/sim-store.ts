/**
 * The store of one gateway process on the simulated disk: the gateway's ledger and command book, in the order of the
 * questions, one transaction at a time. It stands where the storage worker and its engine stand.
 *
 *   question ─▶ queue ─▶ [ transaction applied, volatile ] ──commitMs──▶ durable ─▶ answer
 *                                  │ crash here: undone, or (half of the time) there without an answer
 *                                  └ full, busy: undone at once, refused (and what was packed before that is known)
 *                                    broken: fatal, no answer
 */
import { step } from "tidegate/dist/command/command-machine.js";
import { GatewayError } from "tidegate/dist/core/errors.js";
import type { CommandStore } from "tidegate/dist/model/command.js";
import type { CommitOutcome, GatherBatch, HelloOutcome, HelloRequest } from "tidegate/dist/model/spool.js";
import { bringsRecords } from "tidegate/dist/spool/batch-weight.js";
import { CommandBook } from "tidegate/dist/spool/command-book.js";
import { Ledger } from "tidegate/dist/spool/ledger.js";
import { Refusals } from "tidegate/dist/spool/refusals.js";
import { newCommandId } from "tidegate/dist/storage/new-ids.js";
import type { ProcessClock } from "../process-clock.js";
import type { Seeded } from "../seeded.js";
import { DiskRefusal, type GatewayDisk } from "./gateway-disk.js";
import { moveAside, putAside } from "./sim-quarantine.js";
import type { StoreSpool } from "./world-store.js";

/** What the store tells of transactions that became durable. */
export interface StoreWatch {
  /** A transaction is on disk; told before anybody is answered. */
  durable(): void;
}

type Fate = "full" | "busy" | "behind" | GatewayError;

interface Operation {
  /** What the intake packed, where this is a commit. */
  readonly batch: GatherBatch | null;
  /** Inside the transaction. */
  work(): unknown;
  answer(value: unknown): void;
  refuse(fate: Fate): void;
}

const RETRY_MS = { full: 2_000, busy: 250, behind: 0 } as const;
/** How soon after there is space again the gateway hears of it, in ms. */
const TICK_MS = 1_000;
const ANSWER_MS = 0.05;

export interface StoreParts {
  readonly disk: GatewayDisk;
  readonly clock: ProcessClock;
  readonly random: Seeded;
  readonly bootId: string;
  readonly watch: StoreWatch;
  /** fsync failed: the process ends. */
  readonly onFatal: () => void;
}

/** One per life of the gateway; made by it and killed with it. */
export class SimStore implements StoreSpool {
  readonly commands: CommandStore;
  readonly #parts: StoreParts;
  readonly #ledger: Ledger;
  readonly #book: CommandBook;
  readonly #refusals = new Refusals();
  readonly #queue: Operation[] = [];
  readonly #spaceListeners: (() => void)[] = [];
  readonly #boots = new Map<number, { bootNonce: number; offsetUnixMs: number }[]>();
  readonly #cursors = new Map<string, number>();
  #isBusy = false;
  #wasFull = false;
  #isDead = false;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    const { tables } = parts.disk;
    this.#book = new CommandBook(tables, step);
    this.#ledger = new Ledger(tables, this.#book, { windowDigests: 64, draw: () => parts.random.u32() });
    this.commands = this.#makeCommands();
    this.#tick();
  }

  commit(batch: GatherBatch): Promise<CommitOutcome> {
    const { buffer } = batch;
    return new Promise((resolve) => {
      this.#post({
        batch,
        work: () => this.#ledger.applyBatch(batch),
        answer: (value) => resolve(this.#committed(buffer, value)),
        refuse: (fate) => {
          if (fate instanceof GatewayError) return;
          resolve({ ok: false, buffer, reason: fate, retryAfterMs: RETRY_MS[fate] });
        },
      });
    });
  }

  hello(request: HelloRequest): Promise<HelloOutcome> {
    return this.#ask(() => {
      const outcome = this.#ledger.hello(request);
      return { ...outcome, bootOffsets: this.#boots.get(outcome.deviceKey) ?? [] };
    });
  }

  /** Kept in the process only: what is lost of it costs accuracy, not data. */
  saveBootOffset(deviceKey: number, bootNonce: number, offsetUnixMs: number): void {
    const known = (this.#boots.get(deviceKey) ?? []).filter((boot) => boot.bootNonce !== bootNonce);
    this.#boots.set(deviceKey, [{ bootNonce, offsetUnixMs }, ...known].slice(0, 8));
  }

  /** In memory until the next transaction, as in the engine: a crash makes the sink see repeats. */
  saveCursor(sink: string, recordId: number): void {
    this.#cursors.set(sink, Math.max(recordId, this.#cursors.get(sink) ?? 0));
  }

  /** What the sink had taken when its cursor was last written. */
  cursorOf(sink: string): number {
    return this.#parts.disk.tables.cursors.get(sink) ?? 0;
  }

  quarantine(...[sink, recordId, reason, message]: Parameters<StoreSpool["quarantine"]>): Promise<void> {
    const { disk, clock } = this.#parts;
    return this.#ask(() => putAside(disk.tables, { recordId, reason, message, state: "aside" }, sink, clock.unixMs()));
  }

  requeue(_sink: string, recordId: number): Promise<void> {
    return this.#ask(() => moveAside(this.#parts.disk.tables, recordId, "aside", { state: "requeued" }));
  }

  settleRequeued(_sink: string, recordId: number, refusal: string | null): Promise<void> {
    const change =
      refusal === null ? ({ state: "delivered" } as const) : ({ state: "aside", reason: refusal } as const);
    return this.#ask(() => moveAside(this.#parts.disk.tables, recordId, "requeued", change));
  }

  onSpace(listener: () => void): void {
    this.#spaceListeners.push(listener);
  }

  /** The process dies: the open transaction is undone, unless it reached the disk just in time. */
  kill(): void {
    this.#isDead = true;
    const { tables } = this.#parts.disk;
    this.#parts.disk.refuseNothing();
    if (!tables.log.isOpen) return;
    if (this.#parts.disk.survives()) this.#becomeDurable();
    else tables.undo();
  }

  #makeCommands(): CommandStore {
    const { clock, random, bootId } = this.#parts;
    return {
      create: (request, offer) =>
        this.#ask(() => {
          const birth = { commandId: newCommandId(random), unixMs: clock.unixMs(), monoMs: clock.monoMs(), bootId };
          return this.#book.create(request, birth, offer);
        }),
      apply: (commandId, event) => this.#ask(() => this.#book.apply(commandId, event, clock.unixMs())),
      unfinished: () => this.#ask(() => this.#parts.disk.tables.openCommands()),
    };
  }

  /** A small transaction: it finds room on a full disk; a busy file is told to whoever asked. */
  #ask<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#post({
        batch: null,
        work,
        answer: (value) => resolve(value as T), // what `work` returned, through the queue
        refuse: (fate) =>
          reject(
            fate instanceof GatewayError ? fate : new GatewayError("E_STORE_BUSY", "another process holds the file"),
          ),
      });
    });
  }

  #committed(buffer: ArrayBuffer, value: unknown): CommitOutcome {
    const applied = value as ReturnType<Ledger["applyBatch"]>; // what `work` returned, through the queue
    const { storedCount, gapCount, duplicateCount, conflictCount, commands, marks } = applied;
    const lastRecordId = this.#parts.disk.tables.durableRecordCount;
    const counts = { storedCount, gapCount, duplicateCount, conflictCount };
    return { ok: true, buffer, lastRecordId, marks, commands, ...counts };
  }

  #post(operation: Operation): void {
    if (this.#isDead) return;
    this.#queue.push(operation);
    // As a message to a worker: what follows in this turn stands behind it.
    if (!this.#isBusy) this.#parts.clock.soon(() => this.#next());
  }

  #next(): void {
    if (this.#isBusy || this.#isDead) return;
    const operation = this.#queue.shift();
    if (operation === undefined) return;
    this.#isBusy = true;
    const { disk } = this.#parts;
    const { batch } = operation;
    if (batch !== null && this.#refusals.isBehind(batch)) {
      this.#finish(operation, "behind");
      return;
    }
    const fate = disk.fate(batch !== null && bringsRecords(batch));
    const applied = this.#apply(operation, fate === "full" || fate === "busy" ? fate : null);
    if (batch !== null && (applied === "full" || applied === "busy")) this.#refusals.add();
    this.#parts.clock.after(disk.commitMs(), () => {
      if (fate === "broken") this.#parts.onFatal();
      else this.#finish(operation, applied);
    });
  }

  /** @returns the work's value, or why there is none: then everything is undone already. */
  #apply(operation: Operation, refusal: "full" | "busy" | null): { value: unknown } | "full" | "busy" | GatewayError {
    const { disk } = this.#parts;
    const { log, cursors } = disk.tables;
    log.begin();
    if (refusal !== null) disk.refuseSoon(refusal);
    try {
      for (const [sink, recordId] of this.#cursors) {
        log.set(cursors, sink, Math.max(recordId, cursors.get(sink) ?? 0));
      }
      const value = operation.work();
      if (refusal !== null) throw new DiskRefusal(refusal);
      return { value };
    } catch (thrown) {
      disk.tables.undo();
      this.#ledger.rolledBack();
      if (thrown instanceof DiskRefusal) return thrown.fate;
      if (thrown instanceof GatewayError) return thrown;
      throw thrown;
    } finally {
      disk.refuseNothing();
    }
  }

  #finish(operation: Operation, applied: { value: unknown } | Fate): void {
    const isApplied = typeof applied === "object" && "value" in applied;
    if (isApplied) {
      this.#becomeDurable();
      this.#ledger.committed();
    }
    if (applied === "full") this.#wasFull = true;
    this.#parts.clock.after(ANSWER_MS, () => {
      if (isApplied) operation.answer(applied.value);
      else operation.refuse(applied);
    });
    this.#isBusy = false;
    if (this.#queue.length > 0) this.#next();
  }

  #becomeDurable(): void {
    const { tables } = this.#parts.disk;
    tables.durable();
    this.#parts.watch.durable();
    tables.touched.streams.clear();
    tables.touched.commands.clear();
  }

  #tick(): void {
    if (this.#wasFull && !this.#parts.disk.isFull) {
      this.#wasFull = false;
      // Behind the refusals that are on their way, as messages of one worker are.
      this.#parts.clock.after(ANSWER_MS, () => {
        for (const listener of this.#spaceListeners) listener();
      });
    }
    this.#parts.clock.after(TICK_MS, () => this.#tick());
  }
}
