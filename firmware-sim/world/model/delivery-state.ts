/**
 * The delivery model's state: one device, its links, one gateway with its storage queue, and what an onlooker knows.
 *
 *   device ──up──▶ links[0 … 1] ──▶ session ─▶ gather ─▶ queue ─▶ store      the newest link is the
 *          ◀─down─                   device's own; an older one may still speak to the gateway
 *
 * Messages are numbered 1, 2, 3 … by the application (`id`); the protocol's numbers are `seq` within an epoch. Plain
 * data, so that a state's JSON is its identity.
 */
import type { Rollback, StreamState } from "tidegate/dist/spool/tables.js";

export interface Message {
  id: number;
  seq: number;
  gap: number;
}

export interface Saved {
  epoch: number;
  next: number;
  acked: number;
  tail: number;
  held: Message[];
  waiting: number[];
}

export interface DeviceState extends Saved {
  boot: number;
  attempt: number;
  phase: "down" | "greeting" | "online";
  /** Highest number transmitted in this epoch, and since the last rewind. */
  tx: number;
  cursor: number;
  /** Draining an outbox from before a restart, or the last numbers of an epoch: nothing new is numbered. */
  isClosing: boolean;
  /** What the last heartbeat of this session said, as `next/oldest`. */
  told: string;
  saved: Saved | null;
  /** A copy of the whole memory, for a device that goes back in time. */
  image: Saved | null;
}

export type Up =
  | {
      t: "hello";
      boot: number;
      attempt: number;
      epoch: number;
      next: number;
      oldest: number;
      acked: number;
      closing: boolean;
    }
  | { t: "message"; epoch: number; id: number; seq: number; gap: number }
  | { t: "heartbeat"; next: number; oldest: number };
export type HelloFrame = Extract<Up, { t: "hello" }>;

export type Down =
  | { t: "welcome"; boot: number; attempt: number; epoch: number; acked: number }
  | { t: "ack"; seq: number }
  | { t: "nack"; expected: number }
  | { t: "bye" }
  | { t: "sayHello" };

export interface Session {
  boot: number;
  attempt: number;
  isActive: boolean;
  epoch: number;
  accepted: number;
  durable: number;
  announced: number;
  isUnused: boolean;
  nacked: number;
}

export interface Link {
  up: Up[];
  down: Down[];
  session: Session | null;
}

export interface Entry {
  kind: "message" | "announce";
  epoch: number;
  seq: number;
  gap: number;
  id: number;
  announced: number;
}

export type Operation = { t: "batch"; entries: Entry[] } | { t: "hello"; hello: HelloFrame };

export interface StreamData {
  epoch: number;
  mark: number;
  announced: number;
  state: StreamState;
  rollback: Rollback | null;
}

export interface Gap {
  epoch: number;
  from: number;
  /** 0: unknown, the open end. */
  to: number;
  reason: string;
}

/** What is on disk. */
export interface Store {
  streams: StreamData[];
  /** epoch, seq, id. */
  records: [number, number, number][];
  gaps: Gap[];
}

/** What an onlooker remembers; no party sees it. */
export interface Onlooker {
  /** Messages made so far. */
  reportCount: number;
  /** `epoch/seq` → id, as first transmitted. */
  sent: Record<string, number>;
  /** id → `epoch/seq`, as last transmitted. */
  labels: Record<string, string>;
  /** Messages that the device was told are safe, and those told so before the store was restored. */
  freed: number[];
  unproven: number[];
  /** Messages that vanished with a memory; evicted ones. */
  dead: number[];
  evicted: number[];
  /** Epochs ever given out, by whichever store. */
  epochCount: number;
  wentBack: boolean;
  /** Set by a step that broke a rule in itself. */
  broken: string;
}

export interface State {
  device: DeviceState;
  links: Link[];
  gather: Entry[];
  queue: Operation[];
  /** Highest Hello seen per boot. */
  guard: Record<string, number>;
  store: Store;
  backup: Store | null;
  seen: Onlooker;
  /** What may still happen. */
  budget: Record<Budget, number>;
}

/** What a scope allows, each so many times. */
export const BUDGETS = [
  "report",
  "link",
  "cut",
  "loseLate",
  "reboot",
  "save",
  "image",
  "goBack",
  "expire",
  "crash",
  "refuse",
  "restore",
  "loseFrame",
  "hello",
] as const;
export type Budget = (typeof BUDGETS)[number];

export interface Scope {
  readonly name: string;
  readonly budget: Partial<Record<Budget, number>>;
  /** Messages the device can hold. */
  readonly heldMax: number;
  /** Highest number of an epoch [P-10]. */
  readonly seqMax: number;
  /** Lossy, and never breaks by itself [P-11]. */
  readonly isSerial: boolean;
  readonly isPersistent: boolean;
}

/** Where everything begins: nobody has spoken yet. */
export function initialState(scope: Scope): State {
  const budget = Object.fromEntries(BUDGETS.map((name) => [name, scope.budget[name] ?? 0]));
  return {
    device: {
      epoch: 0,
      next: 1,
      acked: 0,
      tail: 0,
      held: [],
      waiting: [],
      boot: 1,
      attempt: 0,
      phase: "down",
      tx: 0,
      cursor: 0,
      isClosing: false,
      told: "",
      saved: null,
      image: null,
    },
    links: [],
    gather: [],
    queue: [],
    guard: {},
    store: { streams: [], records: [], gaps: [] },
    backup: null,
    seen: {
      reportCount: 0,
      sent: {},
      labels: {},
      freed: [],
      unproven: [],
      dead: [],
      evicted: [],
      epochCount: 0,
      wentBack: false,
      broken: "",
    },
    budget: budget as State["budget"], // every name of BUDGETS was put in above
  };
}

/** The device's own link. */
export function ownLink(state: State): Link | undefined {
  return state.device.phase === "down" ? undefined : state.links.at(-1);
}

/** The lowest number held; the next one when nothing is held. */
export function oldestOf(memory: Saved): number {
  return memory.held[0]?.seq ?? memory.next;
}
