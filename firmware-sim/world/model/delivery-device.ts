/**
 * The device of the delivery model: what it does by itself, and what a message from the gateway makes it do. The rules
 * are those of the protocol page; `off` names the ones that this device does not keep.
 */
import { type Down, oldestOf, ownLink, type Saved, type Scope, type State } from "./delivery-state.js";
import type { Step } from "./explore.js";
import type { Switches } from "./switches.js";

/** Messages in one direction of a link: more of them only repeat what fewer show. */
const IN_FLIGHT_MAX = 2;

export class ModelDevice {
  readonly #off: Switches;
  readonly #scope: Scope;

  constructor(off: Switches, scope: Scope) {
    this.#off = off;
    this.#scope = scope;
  }

  /** Everything the device may do next. */
  steps(state: State): Step<State>[] {
    const { device, budget } = state;
    const steps: Step<State>[] = [];
    const add = (label: string, act: (state: State) => void): void => void steps.push({ label, isFault: false, act });
    // A device that may have gone back numbers nothing before it was answered: its numbers could hide the step [P-7].
    const mayReport = device.phase === "online" || !state.seen.wentBack;
    if (budget.report > 0 && mayReport) add("device: reports", (s) => this.#report(s));
    if (device.phase === "down" && budget.link > 0) add("device: connects, says Hello", (s) => this.#connect(s));
    const link = ownLink(state);
    if (link !== undefined && link.down.length > 0) add("device: receives", (s) => this.#receive(s));
    if (device.phase === "online" && link !== undefined && link.up.length < IN_FLIGHT_MAX) {
      if (device.held.some(({ seq }) => seq > device.cursor)) add("device: sends", (s) => this.#send(s));
      else if (link.up.length === 0 && device.told !== tellingOf(device))
        add("device: heartbeat", (s) => this.#heartbeat(s));
    }
    if (this.#scope.isPersistent && budget.save > 0 && !this.#isSaved(state)) add("device: saves", save);
    if (this.#scope.isSerial) this.#serialSteps(state, steps);
    return steps;
  }

  /** [P-11]: what a link that loses frames needs. */
  #serialSteps(state: State, steps: Step<State>[]): void {
    const { device, budget } = state;
    const link = ownLink(state);
    if (link === undefined) return;
    const isQuiet = link.up.length + link.down.length + state.gather.length + state.queue.length === 0;
    const add = (label: string, act: (state: State) => void): void => void steps.push({ label, isFault: false, act });
    // Too early is bounded; when nothing is under way something was lost, and losses are bounded.
    const mayRetry = device.phase === "greeting" && (isQuiet || budget.hello > 0);
    if (mayRetry && !this.#off.has("P-11 hello retry")) {
      add("device: says Hello again", (s) => {
        if (!isQuiet) s.budget.hello -= 1;
        this.#hello(s);
      });
    }
    const isTailOpen = isQuiet && device.held.length > 0 && device.held.every(({ seq }) => seq <= device.cursor);
    if (device.phase === "online" && isTailOpen && !this.#off.has("P-11 tail")) {
      add("device: sends the tail again", (s) => {
        s.device.cursor = s.device.acked;
      });
    }
  }

  #report(state: State): void {
    const { device, seen } = state;
    state.budget.report -= 1;
    seen.reportCount += 1;
    const id = seen.reportCount;
    if (device.held.length + device.waiting.length >= this.#scope.heldMax) this.evictOldest(state);
    if (device.isClosing) device.waiting.push(id);
    else this.#number(state, id);
    this.#drained(state);
  }

  /** [P-10]: near the end of the numbers nothing more is numbered. */
  #number(state: State, id: number): void {
    const { device } = state;
    if (device.next > this.#scope.seqMax) {
      if (!this.#off.has("P-10")) {
        device.isClosing = true;
        device.waiting.push(id);
        return;
      }
      device.next = 1;
    }
    device.held.push({ id, seq: device.next, gap: device.tail });
    label(state, id, device.next);
    device.next += 1;
    device.tail = 0;
  }

  /** [P-1]: the heir takes over the number and its gap. */
  evictOldest(state: State): void {
    const { device, seen } = state;
    const gone = device.held.shift();
    if (gone === undefined) {
      const id = device.waiting.shift();
      if (id !== undefined) seen.evicted.push(id);
      return;
    }
    seen.evicted.push(gone.id);
    if (this.#off.has("P-1")) return;
    const heir = device.held[0];
    if (heir !== undefined) heir.gap += gone.gap + 1;
    else device.tail += gone.gap + 1;
  }

  #connect(state: State): void {
    state.budget.link -= 1;
    state.links.push({ up: [], down: [], session: null });
    if (state.links.length > 2) state.links.shift();
    this.#hello(state);
  }

  #hello(state: State): void {
    const { device } = state;
    device.attempt += 1;
    device.phase = "greeting";
    state.links.at(-1)?.up.push({
      t: "hello",
      boot: device.boot,
      attempt: device.attempt,
      epoch: device.epoch,
      next: device.next,
      oldest: oldestOf(device),
      acked: device.acked,
      closing: device.isClosing,
    });
  }

  #send(state: State): void {
    const { device, seen } = state;
    const message = device.held.find(({ seq }) => seq > device.cursor);
    if (message === undefined) return;
    const { id, seq, gap } = message;
    const number = `${device.epoch}/${seq}`;
    const before = seen.sent[number];
    if (before !== undefined && before !== id && !seen.wentBack) {
      seen.broken = `number ${number} means message ${before} and message ${id}`;
    }
    seen.sent[number] = id;
    device.cursor = seq;
    device.tx = Math.max(device.tx, seq);
    state.links.at(-1)?.up.push({ t: "message", epoch: device.epoch, id, seq, gap });
  }

  #heartbeat(state: State): void {
    const { device } = state;
    device.told = tellingOf(device);
    state.links.at(-1)?.up.push({ t: "heartbeat", next: device.next, oldest: oldestOf(device) });
  }

  #receive(state: State): void {
    const frame = state.links.at(-1)?.down.shift();
    if (frame === undefined) return;
    const { device } = state;
    if (frame.t === "bye") device.phase = "down";
    else if (frame.t === "sayHello") this.#sayHello(state);
    else if (frame.t === "welcome") this.#welcome(state, frame);
    else if (device.phase !== "online") return;
    else if (frame.t === "ack") this.#acked(state, frame.seq);
    else device.cursor = Math.max(frame.expected - 1, device.acked);
    this.#drained(state);
  }

  #sayHello(state: State): void {
    if (state.device.phase === "online") this.#hello(state);
  }

  /** [P-5]: only the answer to the latest Hello counts. */
  #welcome(state: State, welcome: Extract<Down, { t: "welcome" }>): void {
    const { device } = state;
    const isMine = welcome.boot === device.boot && welcome.attempt === device.attempt;
    if (!isMine && !this.#off.has("P-5")) return;
    // [P-7]: what it never sent is a copy's; it asks for an epoch of its own.
    if (welcome.epoch === device.epoch && welcome.acked > ackableOf(device) && !this.#off.has("P-7")) {
      renumber(state, 0, this.#scope.seqMax);
      this.#hello(state);
      return;
    }
    if (welcome.epoch === device.epoch) this.#acked(state, welcome.acked);
    else renumber(state, welcome.epoch, this.#scope.seqMax);
    device.phase = "online";
    device.told = "";
    device.cursor = device.acked;
    // [P-9]: the epoch is on the card before the first frame under it.
    if (this.#scope.isPersistent && device.saved?.epoch !== device.epoch) device.saved = savedOf(device);
  }

  /** [P-3]: an ack beyond what was transmitted, or is known to be gone, frees nothing. */
  #acked(state: State, seq: number): void {
    const { device, seen } = state;
    if (seq > ackableOf(device)) return;
    for (const message of device.held) if (message.seq <= seq) seen.freed.push(message.id);
    device.held = device.held.filter((message) => message.seq > seq);
    device.acked = Math.max(device.acked, seq);
    device.cursor = Math.max(device.cursor, device.acked);
  }

  /** The old epoch is handed over: what waited is numbered under a new one [P-9] [P-10]. */
  #drained(state: State): void {
    const { device } = state;
    const isDone = device.isClosing && device.phase === "online" && device.held.length === 0;
    if (!isDone) return;
    const { waiting } = device;
    Object.assign(device, { isClosing: false, epoch: 0, next: 1, acked: 0, tail: 0, tx: 0, cursor: 0, waiting: [] });
    for (const id of waiting) this.#number(state, id);
    this.#hello(state);
  }

  /** The memory is gone; what the card holds comes back [P-9]. */
  reboot(state: State): void {
    const { device, seen } = state;
    const kept = this.#scope.isPersistent ? device.saved : null;
    const alive = new Set([...(kept?.held.map(({ id }) => id) ?? []), ...(kept?.waiting ?? [])]);
    for (const id of [...device.held.map((message) => message.id), ...device.waiting]) {
      if (!alive.has(id)) seen.dead.push(id);
    }
    Object.assign(device, { boot: device.boot + 1, attempt: 0, phase: "down", tx: 0, cursor: 0, told: "" });
    Object.assign(device, kept === null ? NOTHING : structuredClone(kept));
    device.isClosing = false;
    if (kept === null || this.#off.has("P-9")) return;
    if (device.held.length > 0) {
      device.isClosing = true;
      device.tx = device.next - 1;
      return;
    }
    // Nothing of the old epoch is left to hand over: begin a new one.
    const { waiting } = device;
    Object.assign(device, structuredClone(NOTHING));
    for (const id of waiting) this.#number(state, id);
  }

  #isSaved({ device }: State): boolean {
    return JSON.stringify(device.saved) === JSON.stringify(savedOf(device));
  }
}

const NOTHING: Saved = { epoch: 0, next: 1, acked: 0, tail: 0, held: [], waiting: [] };

/** What a device keeps when its whole memory is copied, or what it writes on its card. */
export function savedOf({ epoch, next, acked, tail, held, waiting }: Saved): Saved {
  return structuredClone({ epoch, next, acked, tail, held, waiting });
}

/** The number by which this message will be known: before the first epoch there is none. */
function label({ device, seen }: State, id: number, seq: number): void {
  if (device.epoch > 0) seen.labels[id] = `${device.epoch}/${seq}`;
}

function save(state: State): void {
  state.budget.save -= 1;
  state.device.saved = savedOf(state.device);
}

/** The highest number that the gateway can have heard of. */
function ackableOf(device: State["device"]): number {
  return Math.max(device.tx, oldestOf(device) - 1);
}

function tellingOf(device: State["device"]): string {
  return `${device.next}/${oldestOf(device)}`;
}

/** A new epoch: what is held is numbered from 1 [P-6] [P-7]. */
function renumber(state: State, epoch: number, seqMax: number): void {
  const { device } = state;
  const ids = [...device.held.map(({ id }) => id), ...device.waiting];
  const numbered = ids.slice(0, seqMax);
  Object.assign(device, { epoch, acked: 0, tail: 0, tx: 0, cursor: 0, next: numbered.length + 1 });
  device.held = numbered.map((id, i) => ({ id, seq: i + 1, gap: 0 }));
  for (const { id, seq } of device.held) label(state, id, seq);
  device.waiting = ids.slice(seqMax);
  device.isClosing = device.waiting.length > 0;
}
