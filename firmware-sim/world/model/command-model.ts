/**
 * The rules of commands [P-15] … [P-20] as a model to be explored: a dispatcher with its durable store, a link, and a
 * device that runs handlers. The states of a command are moved by the product's own machine (`command-machine.ts`).
 *
 *   queued ─write "sent"─▶ transmit ─▶ link ─▶ device: taken ─▶ starts ─▶ ends ─▶ updates ─▶ store
 */
import { isFinal, step } from "tidegate/dist/command/command-machine.js";
import type { CommandEvent, CommandRecord, Delivery } from "tidegate/dist/model/command.js";
import type { Model, Step } from "./explore.js";
import type { Switches } from "./switches.js";

interface Wire {
  id: number;
  command: number;
}

interface Update {
  id: number;
  state: "received" | "succeeded" | "expired" | "interrupted";
}

interface DeviceMemory {
  epoch: number;
  /** The highest id recorded [P-17]. */
  watermark: number;
  /** Ids that were recorded and have no result yet, with their commands; `started` ones run. */
  taken: { id: number; command: number; isStarted: boolean }[];
  updates: Update[];
}

export interface CommandState {
  /** The durable store: the records, and the highest wire id ever given. */
  records: CommandRecord[];
  wires: Wire[];
  lastWire: number;
  backup: { records: CommandRecord[]; wires: Wire[]; lastWire: number } | null;
  /** A session with the device; null: none. */
  channel: { epoch: number; lastCommand: number } | null;
  nextWire: number;
  /** Between "sent" and its transmission, or (without [P-15]) the other way round. */
  pending: Wire | null;
  down: Wire[];
  device: DeviceMemory;
  /** Its deadline has passed, by every clock. */
  isPast: boolean[];
  runs: number[];
  /** What this boot of the device has taken, under which ids. */
  seen: Wire[];
  broken: string;
  budget: { ask: number; cut: number; reboot: number; crash: number; restore: number; loseFrame: number; past: number };
}

export interface CommandScope {
  readonly name: string;
  readonly delivery: Delivery;
  readonly isPersistent: boolean;
  readonly budget: Partial<CommandState["budget"]>;
}

const NOW = { unixMs: 0 };
const NO_BUDGET = { ask: 0, cut: 0, reboot: 0, crash: 0, restore: 0, loseFrame: 0, past: 0 };

/** The model of one scope, with some rules switched off. */
export function commandModel(off: Switches, scope: CommandScope): Model<CommandState> {
  const gateway = new GatewaySide(off, scope);
  const device = new DeviceSide(off, scope);
  return {
    initial: {
      records: [],
      wires: [],
      lastWire: 0,
      backup: null,
      channel: null,
      nextWire: 1,
      pending: null,
      down: [],
      device: { epoch: 1, watermark: 0, taken: [], updates: [] },
      isPast: [],
      runs: [],
      seen: [],
      broken: "",
      budget: { ...NO_BUDGET, ...scope.budget },
    },
    steps: (state) => [...gateway.steps(state), ...device.steps(state), ...accidents(state, gateway, device)],
    wrong,
    isRest,
  };
}

class GatewaySide {
  readonly #off: Switches;
  readonly #scope: CommandScope;

  constructor(off: Switches, scope: CommandScope) {
    this.#off = off;
    this.#scope = scope;
  }

  steps(state: CommandState): Step<CommandState>[] {
    const steps: Step<CommandState>[] = [];
    const add = (label: string, act: (state: CommandState) => void): void =>
      void steps.push({ label, isFault: false, act });
    if (state.budget.ask > 0) add("somebody asks", (s) => this.#ask(s));
    if (state.channel === null) add("the device says Hello", (s) => this.#connect(s));
    else if (state.pending !== null) add(this.#pendingLabel(), (s) => this.#goOn(s));
    else if (this.#next(state) !== undefined) add(this.#dispatchLabel(), (s) => this.#dispatch(s));
    state.records.forEach((record, i) => {
      const isOpen = !isFinal(record.state) && record.state !== "unknown";
      if (isOpen && state.isPast[i] === true) add(`gateway: ${i} is past its deadline`, (s) => this.#deadline(s, i));
    });
    if (state.channel !== null && state.device.updates.length > 0) add("gateway: takes an update", takeUpdate);
    const isLossy = this.#scope.budget.loseFrame !== undefined;
    const sent = state.records.find((record) => record.state === "sent" && record.wireEpoch === state.channel?.epoch);
    if (isLossy && sent !== undefined && state.pending === null && state.down.length === 0) {
      add("gateway: transmits again", (s) => s.down.push({ id: sent.wireId, command: indexOf(sent) }));
    }
    return steps;
  }

  /** The process dies: the store stays. */
  kill(state: CommandState): void {
    state.channel = null;
    state.pending = null;
    state.down = [];
    state.nextWire = state.lastWire + 1;
  }

  /** [P-20]: what happened to an unfinished command is on no record of a restored store. */
  restore(state: CommandState): void {
    if (state.backup === null) {
      const { records, wires, lastWire } = state;
      state.backup = structuredClone({ records, wires, lastWire });
      return;
    }
    Object.assign(state, structuredClone(state.backup));
    this.kill(state);
    if (this.#off.has("P-20")) return;
    state.records.forEach((record, i) => {
      if (!isFinal(record.state)) state.records[i] = { ...record, state: "unknown" };
    });
  }

  #ask(state: CommandState): void {
    state.budget.ask -= 1;
    state.records.push(newRecord(state.isPast.length, this.#scope.delivery));
    state.isPast.push(false);
    state.runs.push(0);
  }

  /** [P-15] [P-18]: ids go on above everything; what was sent before is sorted out. */
  #connect(state: CommandState): void {
    const { epoch, watermark } = state.device;
    state.channel = { epoch, lastCommand: watermark };
    state.nextWire = Math.max(state.nextWire, state.lastWire + 1, watermark + 1);
    if (this.#off.has("P-15 ids")) state.nextWire = 1;
    state.records.forEach((record, i) => {
      if (isFinal(record.state) || record.state === "unknown" || record.state === "queued") return;
      const isSameMemory = record.wireEpoch === epoch;
      if (watermark >= record.wireId && (isSameMemory || record.delivery === "atLeastOnce")) return;
      if (!isSameMemory) this.#forgotten(state, i);
      else if (record.state === "sent") state.down.push({ id: record.wireId, command: indexOf(record) });
    });
  }

  #forgotten(state: CommandState, at: number): void {
    const record = state.records[at];
    if (record === undefined) return;
    if (this.#off.has("P-18")) state.records[at] = { ...record, state: "queued" };
    else move(state, at, { type: "deviceForgot" });
  }

  /** [P-19]: one after the other. */
  #next(state: CommandState): number | undefined {
    const isBusy = state.records.some(({ state: now }) => now === "sent");
    if (isBusy && !this.#off.has("P-19")) return undefined;
    const at = state.records.findIndex((record, i) => record.state === "queued" && state.isPast[i] === false);
    return at < 0 ? undefined : at;
  }

  #dispatch(state: CommandState): void {
    const at = this.#next(state);
    const record = at === undefined ? undefined : state.records[at];
    if (at === undefined || record === undefined || state.channel === null) return;
    const wire = { id: state.nextWire, command: indexOf(record) };
    state.nextWire += 1;
    state.pending = wire;
    if (this.#off.has("P-15")) state.down.push(wire);
    else write(state, wire);
  }

  #goOn(state: CommandState): void {
    const wire = state.pending;
    state.pending = null;
    if (wire === null) return;
    if (this.#off.has("P-15")) write(state, wire);
    else state.down.push(wire);
  }

  #dispatchLabel(): string {
    return this.#off.has("P-15") ? "gateway: transmits" : 'gateway: writes "sent"';
  }

  #pendingLabel(): string {
    return this.#off.has("P-15") ? 'gateway: writes "sent"' : "gateway: transmits";
  }

  /** [P-16]: expired is said only of what was never transmitted. */
  #deadline(state: CommandState, at: number): void {
    const record = state.records[at];
    if (record === undefined) return;
    if (this.#off.has("P-16 expired")) state.records[at] = { ...record, state: "expired" };
    else move(state, at, { type: "deadline" });
  }
}

class DeviceSide {
  readonly #off: Switches;
  readonly #scope: CommandScope;

  constructor(off: Switches, scope: CommandScope) {
    this.#off = off;
    this.#scope = scope;
  }

  steps(state: CommandState): Step<CommandState>[] {
    const steps: Step<CommandState>[] = [];
    const add = (label: string, act: (state: CommandState) => void): void =>
      void steps.push({ label, isFault: false, act });
    const first = state.down[0];
    if (first !== undefined) add(`device: receives ${first.command} as id ${first.id}`, (s) => this.#receive(s));
    const next = state.device.taken[0];
    if (next !== undefined) add(`device: ${next.isStarted ? "ends" : "starts"} ${next.command}`, (s) => this.#run(s));
    return steps;
  }

  /** The memory is gone, but for what is on a card; a recorded command without a result is interrupted [P-19]. */
  reboot(state: CommandState): void {
    const { device } = state;
    const { watermark, updates, taken } = device;
    state.channel = null;
    state.pending = null;
    state.down = [];
    state.seen = [];
    state.device = { epoch: device.epoch + 1, watermark: 0, taken: [], updates: [] };
    if (!this.#scope.isPersistent) return;
    const interrupted = taken.map(({ id }): Update => ({ id, state: "interrupted" }));
    state.device = { ...state.device, watermark, updates: [...updates, ...interrupted] };
  }

  /** [P-17]: a repeat is dropped by its id. */
  #receive(state: CommandState): void {
    const wire = state.down.shift();
    if (wire === undefined) return;
    const { device } = state;
    if (wire.id <= device.watermark && !this.#off.has("P-17")) {
      const isSeen = state.seen.some(({ command }) => command === wire.command);
      if (!isSeen && !this.#scope.isPersistent) {
        state.broken = `command ${wire.command} was dropped as a repeat, and never seen before`;
      }
      return;
    }
    device.watermark = Math.max(device.watermark, wire.id);
    state.seen.push(wire);
    device.taken.push({ ...wire, isStarted: false });
    device.updates.push({ id: wire.id, state: "received" });
  }

  /** [P-16]: the deadline is checked when it starts. */
  #run(state: CommandState): void {
    const { device } = state;
    const next = device.taken[0];
    if (next === undefined) return;
    const isPast = state.isPast[next.command] === true;
    if (next.isStarted || (isPast && !this.#off.has("P-16"))) {
      device.updates.push({ id: next.id, state: next.isStarted ? "succeeded" : "expired" });
      device.taken.shift();
      return;
    }
    if (isPast) state.broken = `command ${next.command} started after its deadline`;
    next.isStarted = true;
    state.runs[next.command] = (state.runs[next.command] ?? 0) + 1;
  }
}

function accidents(state: CommandState, gateway: GatewaySide, device: DeviceSide): Step<CommandState>[] {
  const steps: Step<CommandState>[] = [];
  const add = (budget: keyof CommandState["budget"], label: string, act: (state: CommandState) => void): void => {
    if (state.budget[budget] === 0) return;
    const spend = (s: CommandState): void => {
      s.budget[budget] -= 1;
      act(s);
    };
    steps.push({ label: `FAULT ${label}`, isFault: true, act: spend });
  };
  if (state.channel !== null) add("cut", "the link breaks", cut);
  add("reboot", "the device reboots", (s) => device.reboot(s));
  add("crash", "the gateway is killed", (s) => gateway.kill(s));
  add("restore", state.backup === null ? "a backup is taken" : "the backup is put back", (s) => gateway.restore(s));
  if (state.down.length > 0) add("loseFrame", "noise eats a command", (s) => s.down.shift());
  state.isPast.forEach((isPast, i) => {
    if (!isPast) {
      add("past", `the deadline of ${i} passes`, (s) => {
        s.isPast[i] = true;
      });
    }
  });
  return steps;
}

function cut(state: CommandState): void {
  state.channel = null;
  state.pending = null;
  state.down = [];
}

function write(state: CommandState, wire: Wire): void {
  const at = state.records.findIndex((record) => indexOf(record) === wire.command);
  move(state, at, { type: "dispatch", wireId: wire.id, epoch: state.channel?.epoch ?? 0 });
  state.wires.push(wire);
  state.lastWire = Math.max(state.lastWire, wire.id);
}

function takeUpdate(state: CommandState): void {
  const update = state.device.updates.shift();
  const wire = state.wires.findLast(({ id }) => id === update?.id);
  const at = state.records.findIndex((record) => indexOf(record) === wire?.command);
  if (update === undefined || at < 0) return;
  move(state, at, { type: "update", state: update.state, result: null, error: null });
}

function move(state: CommandState, at: number, event: CommandEvent): void {
  const record = state.records[at];
  if (record === undefined) return;
  const moved = step(record, event, NOW);
  if (!moved.ok) return;
  if (isFinal(record.state) && moved.record.state !== record.state) state.broken = `${at} left ${record.state}`;
  state.records[at] = moved.record;
}

function wrong(state: CommandState): string | null {
  if (state.broken !== "") return state.broken;
  for (const record of state.records) {
    const runs = state.runs[indexOf(record)] ?? 0;
    const isOnce = record.delivery === "atMostOnce";
    if (isOnce && runs > 1) return `command ${indexOf(record)} may run once, and ran ${runs} times`;
    if (record.state === "succeeded" && runs === 0) return `command ${indexOf(record)} succeeded and never ran`;
    const isSaidUnrun = record.state === "expired" && (isOnce || record.transmissions <= 1);
    if (isSaidUnrun && runs > 0) return `command ${indexOf(record)} is said to have expired, and ran`;
    const isOpen = !isFinal(record.state) && record.state !== "unknown";
    if (isRest(state) && isOpen && state.isPast[indexOf(record)] === true) return "it is past its deadline, and open";
  }
  return null;
}

/** Nothing is under way, and nobody waits for what will not come before its deadline. */
function isRest(state: CommandState): boolean {
  const { device, channel, pending, down, records, budget } = state;
  if (channel === null || pending !== null || down.length + device.taken.length + device.updates.length > 0)
    return false;
  const mayWait = (at: number): boolean => state.isPast[at] === false && budget.past > 0;
  const isDone = records.every(({ state: now }, at) => isFinal(now) || now === "unknown" || mayWait(at));
  return isDone && budget.ask === 0;
}

/** Its place in the order of asking; a restored store may lack earlier ones. */
function indexOf(record: CommandRecord): number {
  return Number(record.commandId);
}

function newRecord(index: number, delivery: Delivery): CommandRecord {
  return {
    commandId: String(index),
    device: "",
    name: "",
    args: "",
    delivery,
    state: "queued",
    source: "",
    ttlMs: 0,
    createdUnixMs: 0,
    deadlineMonoMs: 0,
    bootId: "",
    wireId: 0,
    wireEpoch: 0,
    transmissions: 0,
    updatedUnixMs: 0,
    result: null,
    error: null,
    idempotencyKey: null,
    responseTopic: null,
    correlation: null,
  };
}
