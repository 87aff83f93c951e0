/**
 * The gateway of the delivery model: sessions, gather buffer, storage queue, store. Its verdicts are the product's own
 * functions (`admit`, `resolveHello`, `openEnd`), so that what is explored here is what runs there; around them stands
 * the least that a gateway must do. `off` names the rules it does not keep.
 */
import { ACCEPT, admit, DUPLICATE, MISSING, VIOLATION } from "tidegate/dist/model/admit.js";
import { openEnd, resolveHello } from "tidegate/dist/spool/resume.js";
import { type StreamRow, StreamState } from "tidegate/dist/spool/tables.js";
import {
  type Down,
  type Entry,
  type HelloFrame,
  type Link,
  type Operation,
  ownLink,
  type Session,
  type State,
  type StreamData,
  type Up,
} from "./delivery-state.js";
import type { Step } from "./explore.js";
import type { Switches } from "./switches.js";

const DEVICE_KEY = 1;

export class ModelGateway {
  readonly #off: Switches;

  constructor(off: Switches) {
    this.#off = off;
  }

  /** Everything the gateway may do next. */
  steps(state: State): Step<State>[] {
    const steps: Step<State>[] = [];
    const add = (label: string, act: (state: State) => void): void => void steps.push({ label, isFault: false, act });
    state.links.forEach((link, i) => {
      const first = link.up[0];
      if (first !== undefined) add(`gateway: link ${i} brings ${wordsOf(first)}`, (s) => this.#receive(s, i));
    });
    if (state.gather.length > 0) add("gateway: posts what is gathered", post);
    const next = state.queue[0];
    if (next !== undefined) add(`store: commits a ${next.t}`, (s) => this.#commit(s));
    return steps;
  }

  /** A batch is refused: it and what gathered behind it are taken back. */
  refuse(state: State): void {
    state.queue = state.queue.filter(({ t }) => t === "hello");
    state.gather = [];
    for (const link of state.links) {
      const { session } = link;
      if (session?.isActive !== true) continue;
      session.accepted = session.durable;
      tell(state, link, { t: "nack", expected: session.durable + 1 });
    }
  }

  /** The process dies: what is on disk stays. */
  crash(state: State): void {
    state.gather = [];
    state.queue = [];
    state.guard = {};
    for (const link of state.links) link.session = null;
  }

  #receive(state: State, index: number): void {
    const link = state.links[index];
    const frame = link?.up.shift();
    if (link === undefined || frame === undefined) return;
    if (frame.t === "hello") this.#hello(state, link, frame);
    else if (link.session?.isActive !== true) this.#strange(state, link);
    else if (frame.t === "message") this.#message(state, link, link.session, frame);
    else this.#heartbeat(state, link.session, frame);
  }

  /** A frame without a session: discarded [P-5]; on a serial line the device is asked to say Hello [P-11]. */
  #strange(state: State, link: Link): void {
    const isSerial = state.links.length === 1;
    const isAsked = link.down.some(({ t }) => t === "sayHello" || t === "bye");
    if (isSerial && link.session === null && !isAsked && !this.#off.has("P-11 say hello")) {
      tell(state, link, { t: "sayHello" });
    }
  }

  #hello(state: State, link: Link, hello: HelloFrame): void {
    if ((state.guard[hello.boot] ?? 0) >= hello.attempt) return;
    state.guard[hello.boot] = hello.attempt;
    for (const other of state.links) {
      if (other === link || other.session === null) continue;
      other.session = null;
      tell(state, other, { t: "bye" });
    }
    link.session = asked(hello);
    if (this.#off.has("P-4")) {
      this.#decide(state, hello);
      return;
    }
    post(state);
    state.queue.push({ t: "hello", hello });
  }

  #message(state: State, link: Link, session: Session, { id, seq, gap }: Extract<Up, { t: "message" }>): void {
    const verdict = this.#off.has("P-2") ? acceptAnything(session.accepted, seq) : admit(session.accepted, seq, gap);
    if (verdict === VIOLATION) state.seen.broken = `the device sent gap ${gap} with number ${seq}`;
    if (verdict === MISSING && session.nacked !== session.accepted + 1) {
      session.nacked = session.accepted + 1;
      tell(state, link, { t: "nack", expected: session.nacked });
    }
    if (verdict === DUPLICATE && seq <= session.durable) tell(state, link, { t: "ack", seq: session.durable });
    if (verdict !== ACCEPT) return;
    session.accepted = seq;
    session.announced = Math.max(session.announced, seq);
    session.isUnused = false;
    state.gather.push({ kind: "message", epoch: session.epoch, seq, gap, id, announced: session.announced });
    if (this.#off.has("P-3")) tell(state, link, { t: "ack", seq });
  }

  /** [P-12]: numbers below `oldest` that never came are gone. */
  #heartbeat(state: State, session: Session, { next, oldest }: Extract<Up, { t: "heartbeat" }>): void {
    const isHeard = !this.#off.has("P-12");
    const isGone = isHeard && oldest - 1 > session.accepted;
    const announced = isHeard ? Math.max(session.announced, next - 1) : session.announced;
    if (!isGone && !session.isUnused && announced === session.announced) return;
    const gap = isGone ? oldest - 1 - session.accepted : 0;
    if (isGone) session.accepted = oldest - 1;
    session.announced = announced;
    session.isUnused = false;
    state.gather.push({ kind: "announce", epoch: session.epoch, seq: session.accepted, gap, id: 0, announced });
  }

  #commit(state: State): void {
    const operation = state.queue.shift();
    if (operation === undefined) return;
    if (operation.t === "hello") this.#decide(state, operation.hello);
    else this.#batch(state, operation);
  }

  #batch(state: State, { entries }: Extract<Operation, { t: "batch" }>): void {
    const touched = new Set<number>();
    for (const entry of entries) if (this.#apply(state, entry)) touched.add(entry.epoch);
    for (const link of state.links) {
      const { session } = link;
      if (session?.isActive !== true || !touched.has(session.epoch)) continue;
      session.durable = Math.max(session.durable, streamOf(state, session.epoch)?.mark ?? 0);
      tell(state, link, { t: "ack", seq: session.durable });
    }
  }

  /** @returns whether the entry's stream takes anything. */
  #apply(state: State, entry: Entry): boolean {
    const stream = streamOf(state, entry.epoch);
    if (stream === undefined || stream.state === StreamState.retired) return false;
    if (stream.state === StreamState.offered) use(state, stream);
    stream.announced = Math.max(stream.announced, entry.announced);
    if (entry.kind === "announce") {
      if (entry.seq > stream.mark) this.#missing(state, stream, entry.seq);
      stream.mark = Math.max(stream.mark, entry.seq);
      return true;
    }
    // The durable mark has the last word: so a store that is asked out of turn stores nothing twice.
    const isTaken =
      this.#off.has("last word") || this.#off.has("P-2") || admit(stream.mark, entry.seq, entry.gap) === ACCEPT;
    if (!isTaken) return true;
    if (entry.seq - stream.mark > 1) this.#missing(state, stream, entry.seq - 1);
    state.store.records.push([entry.epoch, entry.seq, entry.id]);
    stream.mark = Math.max(stream.mark, entry.seq);
    return true;
  }

  #missing(state: State, stream: StreamData, to: number): void {
    if (this.#off.has("P-2")) return;
    state.store.gaps.push({ epoch: stream.epoch, from: stream.mark + 1, to, reason: "evicted" });
  }

  /** [P-4] … [P-8]: which epoch, and from where. */
  #decide(state: State, hello: HelloFrame): void {
    const known = streamOf(state, hello.epoch);
    const decision = resolveHello(this.#rowOf(known), {
      epoch: hello.epoch,
      nextSeq: hello.next,
      oldest: hello.oldest,
      ackedSeq: hello.acked,
      closing: hello.closing,
    });
    if (decision.type === "violation") {
      state.seen.broken = `a Hello contradicts itself: ${decision.why}`;
      return;
    }
    if (decision.type === "fresh") {
      const stream = newStream(this.#freshEpoch(state), 0, decision.rollback);
      state.store.streams.push(stream);
      this.#welcome(state, hello, stream, 0);
      return;
    }
    const stream = known ?? newStream(hello.epoch, 0, null);
    if (known === undefined) state.store.streams.push(stream);
    const isSaid = !this.#off.has("P-8");
    if (isSaid) {
      for (const { fromSeq, toSeq, reason } of decision.gaps) {
        state.store.gaps.push({ epoch: stream.epoch, from: fromSeq, to: toSeq, reason });
      }
      stream.mark = decision.mark;
    }
    stream.announced = decision.announced;
    this.#welcome(state, hello, stream, isSaid ? decision.ackedSeq : Math.min(stream.mark, hello.next - 1));
  }

  /** With [P-7] switched off nobody remembers what a device had announced. */
  #rowOf(stream: StreamData | undefined): StreamRow | null {
    if (stream === undefined) return null;
    const announced = this.#off.has("P-7") ? 0 : stream.announced;
    // A retired epoch that is resumed all the same.
    const isForgiving = this.#off.has("P-6 retired") && stream.state === StreamState.retired;
    const kept = isForgiving ? StreamState.used : stream.state;
    return { ...stream, announced, state: kept, deviceKey: DEVICE_KEY, isEnded: false };
  }

  /** [P-6]: never used before by any incarnation of the store; without it, the next one unknown to this store. */
  #freshEpoch(state: State): number {
    state.seen.epochCount += 1;
    if (!this.#off.has("P-6")) return state.seen.epochCount;
    return 1 + Math.max(0, ...state.store.streams.map(({ epoch }) => epoch));
  }

  #welcome(state: State, hello: HelloFrame, stream: StreamData, acked: number): void {
    const isAsking = ({ session }: Link): boolean => session?.boot === hello.boot && session.attempt === hello.attempt;
    const link = state.links.find(isAsking);
    if (link === undefined) return;
    link.session = {
      boot: hello.boot,
      attempt: hello.attempt,
      isActive: true,
      epoch: stream.epoch,
      accepted: acked,
      durable: acked,
      announced: acked,
      isUnused: stream.state === StreamState.offered,
      nacked: 0,
    };
    tell(state, link, { t: "welcome", boot: hello.boot, attempt: hello.attempt, epoch: stream.epoch, acked });
  }
}

/** What is sent on a link that the device has left goes nowhere. */
function tell(state: State, link: Link, frame: Down): void {
  if (link === ownLink(state)) link.down.push(frame);
}

function wordsOf(frame: Up): string {
  if (frame.t === "hello") return `Hello ${frame.attempt} (epoch ${frame.epoch}, next ${frame.next})`;
  return frame.t === "message" ? `message ${frame.id} as ${frame.epoch}/${frame.seq}` : "a heartbeat";
}

function asked({ boot, attempt }: HelloFrame): Session {
  const numbers = { epoch: 0, accepted: 0, durable: 0, announced: 0, nacked: 0 };
  return { boot, attempt, isActive: false, ...numbers, isUnused: true };
}

function post(state: State): void {
  if (state.gather.length > 0) state.queue.push({ t: "batch", entries: state.gather });
  state.gather = [];
}

function streamOf(state: State, epoch: number): StreamData | undefined {
  return state.store.streams.find((stream) => stream.epoch === epoch);
}

function newStream(epoch: number, mark: number, rollback: StreamData["rollback"]): StreamData {
  return { epoch, mark, announced: 0, state: StreamState.offered, rollback };
}

/** The first sign of use retires what was before, with its open ends [P-6]. */
function use(state: State, stream: StreamData): void {
  const { gaps, streams } = state.store;
  if (stream.rollback !== null) {
    const { epoch, fromSeq, toSeq } = stream.rollback;
    gaps.push({ epoch, from: fromSeq, to: toSeq, reason: "rollback" });
    stream.rollback = null;
  }
  for (const older of streams) {
    if (older === stream || older.state === StreamState.retired) continue;
    const end = openEnd({ ...older, deviceKey: DEVICE_KEY, isEnded: false });
    if (end !== null) gaps.push({ epoch: older.epoch, from: end.fromSeq, to: end.toSeq ?? 0, reason: "restart" });
    older.state = StreamState.retired;
    older.rollback = null;
  }
  stream.state = StreamState.used;
}

/** [P-2] switched off: whatever is higher than before is taken. */
function acceptAnything(accepted: number, seq: number): number {
  return seq <= accepted ? DUPLICATE : ACCEPT;
}
