/**
 * The storage worker's inside, without the thread: takes questions in order, answers from the engine, keeps house
 * between them.
 *
 *   question ─▶ queue ──(one transaction per turn of the event loop)──▶ engine ─▶ answer
 *                        Hellos that wait together share one transaction, so that a reconnect storm costs few fsyncs;
 *                        so do devices that are added together, and new commands, and steps of commands
 *   new command ─▶ before whatever waits: somebody has a hand on a switch, and nothing that waits is about it
 *   timer ─▶ engine.tick ─▶ again at once while there is more to delete
 *
 * One transaction per turn, so that what arrives while the disk works is seen before the next one begins. New commands
 * take every second turn at most: a flood of them cannot keep telemetry from its acks.
 */
import type { Clock, Ticker } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { Engine } from "./engine.js";
import { isFatal, storeError } from "./sqlite-error.js";
import { type CallOf, plainError, type Question, type WorkerMessage, type WriterCalls } from "./worker-protocol.js";

/** Between two looks at what can be deleted, and at whether there is space again. */
const TICK_MS = 1_000;

/** Between two slices of deletion, so that questions come through. */
const SLICE_PAUSE_MS = 5;

/** Questions of one kind in one transaction. */
const GROUP_MAX = 256;

/** Sends to the main thread, handing over what can be transferred. */
export type Send = (message: WorkerMessage, transfer: ArrayBuffer[]) => void;

type WriterQuestion = Question<WriterCalls>;
type QuestionOf<Op extends keyof WriterCalls> = WriterQuestion & {
  readonly call: Extract<CallOf<WriterCalls>, { op: Op }>;
};

/** Serves one engine in the order of the questions, with one timer of its own until `halt`. */
export class WriterHost {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #ticker: Ticker;
  readonly #send: Send;
  #queue: WriterQuestion[] = [];
  /** New commands: they wait apart, so that they can go first. */
  #commands: QuestionOf<"createCommand">[] = [];
  #wasCommandTurn = false;
  #isScheduled = false;
  #isStopped = false;
  #cancelTick: () => void;

  constructor(engine: Engine, clock: Clock, ticker: Ticker, send: Send) {
    this.#engine = engine;
    this.#clock = clock;
    this.#ticker = ticker;
    this.#send = send;
    this.#cancelTick = clock.after(TICK_MS, () => this.#tick());
  }

  /** The main thread bounds how many questions are under way. */
  receive(question: WriterQuestion): void {
    if (this.#isStopped) return;
    if (isNewCommand(question)) this.#commands.push(question);
    else this.#queue.push(question);
    this.#schedule();
  }

  /** Nothing more is answered and no timer is left; the databases are not touched. */
  halt(): void {
    this.#isStopped = true;
    this.#cancelTick();
    this.#queue = [];
    this.#commands = [];
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#ticker.soon(() => {
      this.#isScheduled = false;
      if (this.#isStopped) return;
      this.#turn();
      if (this.#queue.length + this.#commands.length > 0) this.#schedule();
    });
  }

  /** One transaction: of new commands, or of what stands first. */
  #turn(): void {
    // Behind a close there is nothing any more.
    const othersCount = this.#queue[0]?.call.op === "close" ? 0 : this.#queue.length;
    this.#wasCommandTurn = this.#commands.length > 0 && !(this.#wasCommandTurn && othersCount > 0);
    if (this.#wasCommandTurn) {
      const made = this.#commands.splice(0, GROUP_MAX);
      this.#together(made, () => this.#engine.createCommands(made.map(({ call }) => call.in)));
      return;
    }
    const hellos = this.#takeRun(isHello);
    const steps = hellos.length > 0 ? [] : this.#takeRun(isStep);
    const adds = hellos.length + steps.length > 0 ? [] : this.#takeRun(isAdd);
    if (hellos.length > 0) this.#together(hellos, () => this.#engine.hellos(hellos.map(({ call }) => call.in)));
    else if (steps.length > 0)
      this.#together(steps, () => this.#engine.applyCommands(steps.map(({ call }) => call.in)));
    else if (adds.length > 0) this.#together(adds, () => this.#add(adds));
    else this.#answer(this.#queue.shift());
  }

  /** Takes the questions of one kind that stand together at the head of the queue. */
  #takeRun<Q extends WriterQuestion>(isOfKind: (question: WriterQuestion) => question is Q): Q[] {
    const run: Q[] = [];
    for (const question of this.#queue) {
      if (run.length === GROUP_MAX || !isOfKind(question)) break;
      run.push(question);
    }
    this.#queue.splice(0, run.length);
    return run;
  }

  #add(questions: readonly QuestionOf<"addIdentity">[]): unknown[] {
    const identities = questions.map(({ call }) => call.in);
    return this.#engine.identity.addAll(identities, this.#clock.unixMs());
  }

  /** One transaction for all of them; `work` answers each in its place, with an error where one was refused. */
  #together(questions: readonly WriterQuestion[], work: () => readonly unknown[]): void {
    try {
      const outcomes = work();
      questions.forEach(({ id }, i) => {
        const outcome = outcomes[i];
        if (outcome instanceof GatewayError) this.#send({ type: "error", id, error: plainError(outcome) }, []);
        else this.#send({ type: "value", id, value: outcome }, []);
      });
    } catch (thrown) {
      for (const { id } of questions) this.#fail(id, thrown);
    }
  }

  #answer(question: WriterQuestion | undefined): void {
    if (question === undefined) return;
    const { id, call } = question;
    if (call.op === "backup") return void this.#backup(id, call.in);
    try {
      const value = this.#perform(call);
      this.#send({ type: "value", id, value }, transferOf(value));
    } catch (thrown) {
      this.#fail(id, thrown);
    }
  }

  /** Many turns long. That a copy failed is no reason to end anything. */
  async #backup(id: number, folder: string): Promise<void> {
    try {
      await this.#engine.backup(folder);
      if (!this.#isStopped) this.#send({ type: "value", id, value: null }, []);
    } catch (thrown) {
      if (!this.#isStopped) this.#send({ type: "error", id, error: plainError(storeError(thrown, "the copy")) }, []);
    }
  }

  #perform(call: CallOf<WriterCalls>): unknown {
    const engine = this.#engine;
    switch (call.op) {
      case "commit":
        return engine.commit(call.in);
      case "openSinks":
        return engine.openSinks(call.in);
      case "quarantine":
        engine.quarantine(...call.in);
        return null;
      case "requeue":
        engine.requeue(...call.in);
        return null;
      case "settleRequeued":
        engine.settleRequeued(...call.in);
        return null;
      case "forgetSink":
        engine.forgetSink(call.in);
        return null;
      case "damaged":
        engine.damaged(call.in);
        return null;
      case "note":
        engine.note(call.in);
        return null;
      case "status":
        return engine.status();
      case "unfinished":
        return engine.unfinishedCommands();
      case "close":
        this.halt();
        engine.close();
        return null;
      case "hello":
      case "addIdentity":
      case "createCommand":
      case "applyCommand":
        return null; // answered in groups
      default:
        return this.#identity(call);
    }
  }

  #identity(call: CallOf<WriterCalls>): unknown {
    const { identity } = this.#engine;
    const nowUnixMs = this.#clock.unixMs();
    switch (call.op) {
      case "identities":
        return identity.all();
      case "replaceToken":
        return identity.replaceToken(...call.in);
      case "revoke":
        return identity.revoke(call.in, nowUnixMs);
      case "rename":
        return identity.rename(...call.in);
      case "forget":
        identity.forget(call.in);
        return null;
      case "setting":
        return identity.setting(call.in);
      case "putSetting":
        identity.putSetting(...call.in);
        return null;
      default:
        throw new GatewayError("E_INTERNAL", `no operation of the store is called ${call.op}`);
    }
  }

  #tick(): void {
    let isMore = false;
    try {
      const { more, hasSpace } = this.#engine.tick();
      isMore = more;
      if (hasSpace) this.#send({ type: "space" }, []);
    } catch (thrown) {
      this.#fail(null, thrown);
    }
    if (!this.#isStopped) {
      this.#cancelTick = this.#clock.after(isMore ? SLICE_PAUSE_MS : TICK_MS, () => this.#tick());
    }
  }

  /** A refusal goes to the one who asked; anything that ends the process goes to everybody. */
  #fail(id: number | null, thrown: unknown): void {
    if (this.#isStopped && id === null) return;
    const error = storeError(thrown, "the store");
    if (!isFatal(error)) {
      if (id !== null) this.#send({ type: "error", id, error: plainError(error) }, []);
      return;
    }
    this.halt();
    if (error.code === "E_STORE_CORRUPT") this.#engine.suspectDamage();
    this.#send({ type: "fatal", error: plainError(error) }, []);
  }
}

function isHello(question: WriterQuestion): question is QuestionOf<"hello"> {
  return question.call.op === "hello";
}

function isAdd(question: WriterQuestion): question is QuestionOf<"addIdentity"> {
  return question.call.op === "addIdentity";
}

function isNewCommand(question: WriterQuestion): question is QuestionOf<"createCommand"> {
  return question.call.op === "createCommand";
}

function isStep(question: WriterQuestion): question is QuestionOf<"applyCommand"> {
  return question.call.op === "applyCommand";
}

/** A commit's buffer goes back to the main thread without being copied. */
function transferOf(value: unknown): ArrayBuffer[] {
  if (typeof value !== "object" || value === null || !("buffer" in value)) return [];
  return value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
}
