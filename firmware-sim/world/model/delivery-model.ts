/**
 * The delivery rules [P-1] … [P-12] as a model to be explored: device, gateway and links of one scope, the accidents
 * that may befall them, and what must hold whatever happens.
 */
import { ModelDevice, savedOf } from "./delivery-device.js";
import { ModelGateway } from "./delivery-gateway.js";
import { type Budget, type Gap, initialState, type Scope, type State } from "./delivery-state.js";
import type { Model, Step } from "./explore.js";
import type { Switches } from "./switches.js";

/** The model of one scope, with some rules switched off. */
export function deliveryModel(off: Switches, scope: Scope): Model<State> {
  const device = new ModelDevice(off, scope);
  const gateway = new ModelGateway(off);
  const faults = new Faults(off, scope, device, gateway);
  return {
    initial: initialState(scope),
    steps: (state) => [...device.steps(state), ...gateway.steps(state), ...faults.steps(state)],
    wrong: (state) => wrong(state),
    isRest,
  };
}

class Faults {
  readonly #off: Switches;
  readonly #scope: Scope;
  readonly #device: ModelDevice;
  readonly #gateway: ModelGateway;

  constructor(off: Switches, scope: Scope, device: ModelDevice, gateway: ModelGateway) {
    this.#off = off;
    this.#scope = scope;
    this.#device = device;
    this.#gateway = gateway;
  }

  steps(state: State): Step<State>[] {
    const steps: Step<State>[] = [];
    const add = (budget: Budget, label: string, act: (state: State) => void): void => {
      if (state.budget[budget] === 0) return;
      const spend = (s: State): void => {
        s.budget[budget] -= 1;
        act(s);
      };
      steps.push({ label: `FAULT ${label}`, isFault: true, act: spend });
    };
    const { device } = state;
    if (device.phase !== "down" && !this.#scope.isSerial) add("cut", "the device loses its link", cut);
    if (state.links.length === 2) add("loseLate", "the old link ends, with what it held", loseLate);
    add("reboot", "the device reboots", (s) => this.#reboot(s));
    // A copy from before the first epoch knows nothing that could be compared: it is a device that just began.
    if (device.epoch > 0)
      add("image", "the device's memory is copied", (s) => {
        s.device.image = savedOf(s.device);
      });
    if (device.image !== null) add("goBack", "the device goes back to the copy", (s) => this.#goBack(s));
    if (device.held.length > 0) add("expire", "a message is given up", (s) => this.#device.evictOldest(s));
    add("crash", "the gateway is killed", (s) => this.#crash(s));
    if (state.queue[0]?.t === "batch") add("refuse", "the disk is full", (s) => this.#gateway.refuse(s));
    add("restore", state.backup === null ? "a backup is taken" : "the backup is put back", (s) => this.#restore(s));
    if (this.#scope.isSerial) this.#noise(state, add);
    return steps;
  }

  #noise(state: State, add: (budget: Budget, label: string, act: (state: State) => void) => void): void {
    const link = state.links[0];
    if ((link?.up.length ?? 0) > 0)
      add("loseFrame", "noise eats a frame to the gateway", (s) => s.links[0]?.up.shift());
    if ((link?.down.length ?? 0) > 0) {
      add("loseFrame", "noise eats a frame to the device", (s) => s.links[0]?.down.shift());
    }
  }

  #reboot(state: State): void {
    if (!this.#scope.isSerial) leaveLink(state);
    this.#device.reboot(state);
  }

  /** Everything but the link is as it was: a cloned memory, a virtual machine that was put back. */
  #goBack(state: State): void {
    const { device, seen } = state;
    leaveLink(state);
    const image = device.image;
    if (image === null) return;
    const kept = new Set([...image.held.map(({ id }) => id), ...image.waiting]);
    for (const { id } of device.held) if (!kept.has(id)) seen.dead.push(id);
    Object.assign(device, structuredClone(image), { boot: device.boot + 1, attempt: 0, phase: "down", image: null });
    Object.assign(device, { tx: image.next - 1, cursor: 0, told: "", isClosing: image.waiting.length > 0 });
    seen.wentBack = true;
  }

  #crash(state: State): void {
    this.#gateway.crash(state);
    if (!this.#scope.isSerial) dropLinks(state);
  }

  /** The first time: a copy is made. The second time: it takes the store's place, and says so [P-8]. */
  #restore(state: State): void {
    if (state.backup === null) {
      state.backup = structuredClone(state.store);
      return;
    }
    this.#crash(state);
    state.store = structuredClone(state.backup);
    if (this.#off.has("P-8")) return;
    state.store.gaps.push({ epoch: 0, from: 1, to: 0, reason: "unproven" });
    state.seen.unproven = [...state.seen.freed];
  }
}

function cut(state: State): void {
  leaveLink(state);
}

/** What the device sent on it may still arrive; what it was sent is gone. */
function leaveLink(state: State): void {
  const link = state.links.at(-1);
  if (link !== undefined) link.down = [];
  state.device.phase = "down";
}

function loseLate(state: State): void {
  state.links.shift();
}

function dropLinks(state: State): void {
  state.links = [];
  state.device.phase = "down";
}

function isRest(state: State): boolean {
  const { device, links, budget } = state;
  if (device.phase !== "online") {
    // No more links are left in this scope: nothing can be asked of the device.
    return device.phase === "down" && budget.link === 0;
  }
  const isQuiet = links.every(({ up, down }) => up.length + down.length === 0);
  const isDone = state.gather.length + state.queue.length + device.held.length + device.waiting.length === 0;
  return isQuiet && isDone && budget.report === 0 && device.told === `${device.next}/${device.next}`;
}

function wrong(state: State): string | null {
  if (state.seen.broken !== "") return state.seen.broken;
  return doubled(state) ?? mislabelled(state) ?? lost(state) ?? unaccounted(state);
}

/** A message is stored once; only a device that went back in time may make it two, and then it is announced [P-7]. */
function doubled({ store, seen }: State): string | null {
  const known = new Set<number>();
  for (const [epoch, seq, id] of store.records) {
    const isAnnounced = seen.wentBack && store.gaps.some(({ reason }) => reason === "rollback");
    if (known.has(id) && !isAnnounced) return `message ${id} is stored twice, the second time as ${epoch}/${seq}`;
    known.add(id);
  }
  return null;
}

/** A record stands under the number it was sent under, and no list says of a stored number that it is missing. */
function mislabelled({ store, seen }: State): string | null {
  for (const [epoch, seq, id] of store.records) {
    const sent = seen.sent[`${epoch}/${seq}`];
    if (sent !== id && !seen.wentBack) {
      return `message ${id} is stored as ${epoch}/${seq}, where message ${sent ?? "none"} was sent`;
    }
    const listed = store.gaps.find((gap) => gap.to > 0 && gap.reason !== "rollback" && covers(gap, epoch, seq));
    if (listed !== undefined) return `${epoch}/${seq} is stored, and listed as ${listed.reason}`;
  }
  return null;
}

/** What the device was told is safe is here; or the store was replaced, and says what it cannot prove. */
function lost({ store, seen }: State): string | null {
  for (const id of seen.freed) {
    if (store.records.some(([, , stored]) => stored === id)) continue;
    if (seen.unproven.includes(id)) continue;
    // Given up and announced before a card brought it back: it is on the list.
    const [epoch = 0, seq = 0] = (seen.labels[id] ?? "").split("/").map(Number);
    if (seen.evicted.includes(id) && store.gaps.some((gap) => covers(gap, epoch, seq))) continue;
    return `the device was told that message ${id} is safe, and it is not here`;
  }
  return null;
}

/** At rest every message is stored, or its number is on the list. */
function unaccounted(state: State): string | null {
  const { store, seen, device } = state;
  if (!isRest(state) || device.phase !== "online") return null;
  for (let id = 1; id <= seen.reportCount; id++) {
    if (store.records.some(([, , stored]) => stored === id) || seen.unproven.includes(id)) continue;
    const label = seen.labels[id];
    // It never had a number that a gateway could miss.
    if (label === undefined) continue;
    const [epoch = 0, seq = 0] = label.split("/").map(Number);
    const stream = store.streams.find((known) => known.epoch === epoch);
    if (stream === undefined || stream.state === 0 || store.gaps.some((gap) => covers(gap, epoch, seq))) continue;
    // A memory that went back has given its number to another message.
    if (seen.dead.includes(id) && store.records.some(([e, s]) => e === epoch && s === seq)) continue;
    // It vanished with its memory before the gateway had heard of its number.
    if (seq > stream.announced && (epoch !== device.epoch || seen.dead.includes(id))) continue;
    return `message ${id}, sent as ${label}, is neither stored nor listed`;
  }
  return null;
}

function covers(gap: Gap, epoch: number, seq: number): boolean {
  return gap.epoch === epoch && seq >= gap.from && (gap.to === 0 || seq <= gap.to);
}
