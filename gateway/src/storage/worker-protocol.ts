/**
 * What the main thread and the storage workers say to each other. Values cross by structured clone; a batch's buffer
 * and a rendered slice's bytes are transferred.
 *
 *   main ── { id, body: { op, … } } ──▶ worker        worker ── { id, value } | { id, error } ──▶ main
 *                                                      worker ── { event, … } ──▶ main
 */
import { ERRORS, GatewayError } from "../core/errors.js";
import type { HeapFigures } from "../core/heap.js";
import type { CommandEvent, CommandRecord, CreateOutcome, NewCommand, SendOffer } from "../model/command.js";
import type { DeviceIdentity } from "../model/identity.js";
import type { Gap } from "../model/record.js";
import type {
  CommandQuery,
  CommitOutcome,
  DeviceFacts,
  GapQuery,
  GatherBatch,
  HelloOutcome,
  HelloRequest,
  LiveSlice,
  QuarantinedMessage,
  QuarantinedRecord,
  RenderedSlice,
  RequeuedRecord,
  SinkStart,
  SpoolStatus,
} from "../model/spool.js";
import type { Notes } from "./engine-options.js";
import type { HistoryCalls } from "./history-protocol.js";
import type { StoreNotice } from "./open-stores.js";

/** Calls to the storage worker: what goes in, what comes back. */
export interface WriterCalls {
  commit: { readonly in: GatherBatch; readonly out: CommitOutcome };
  hello: { readonly in: HelloRequest; readonly out: HelloOutcome };
  openSinks: { readonly in: readonly SinkStart[]; readonly out: ReadonlyMap<string, number> };
  quarantine: {
    readonly in: readonly [sink: string, recordId: number, reason: string, message: QuarantinedMessage | null];
    readonly out: null;
  };
  requeue: { readonly in: readonly [sink: string, recordId: number]; readonly out: null };
  settleRequeued: {
    readonly in: readonly [sink: string, recordId: number, refusal: string | null];
    readonly out: null;
  };
  forgetSink: { readonly in: string; readonly out: null };
  damaged: { readonly in: readonly number[]; readonly out: null };
  note: { readonly in: Notes; readonly out: null };
  status: { readonly in: null; readonly out: SpoolStatus };
  createCommand: {
    readonly in: readonly [request: NewCommand, offer: SendOffer | null];
    readonly out: CreateOutcome;
  };
  applyCommand: { readonly in: readonly [commandId: string, event: CommandEvent]; readonly out: CommandRecord };
  unfinished: { readonly in: null; readonly out: readonly CommandRecord[] };
  identities: { readonly in: null; readonly out: readonly DeviceIdentity[] };
  addIdentity: {
    readonly in: readonly [device: string, name: string, tokenHash: string];
    readonly out: DeviceIdentity;
  };
  replaceToken: { readonly in: readonly [device: string, tokenHash: string]; readonly out: DeviceIdentity };
  revoke: { readonly in: string; readonly out: DeviceIdentity };
  rename: { readonly in: readonly [device: string, name: string]; readonly out: DeviceIdentity };
  forget: { readonly in: string; readonly out: null };
  setting: { readonly in: string; readonly out: string | null };
  putSetting: { readonly in: readonly [key: string, value: string]; readonly out: null };
  /** Into this folder; other calls are answered meanwhile. */
  backup: { readonly in: string; readonly out: null };
  close: { readonly in: null; readonly out: null };
}

/** Calls to the reader worker. */
export interface ReaderCalls {
  /** Open the spool, whose files are there now. The first question. */
  open: { readonly in: null; readonly out: null };
  rendered: { readonly in: readonly [afterId: number, rowsMax: number]; readonly out: WithDamage<RenderedSlice> };
  live: { readonly in: readonly [afterId: number, rowsMax: number]; readonly out: WithDamage<LiveSlice> };
  latest: { readonly in: readonly [afterId: number, rowsMax: number]; readonly out: WithDamage<LiveSlice> };
  gaps: { readonly in: GapQuery; readonly out: readonly Gap[] };
  commands: { readonly in: CommandQuery; readonly out: readonly CommandRecord[] };
  command: { readonly in: string; readonly out: CommandRecord | null };
  quarantined: {
    readonly in: readonly [sink: string | null, limit: number];
    readonly out: readonly QuarantinedRecord[];
  };
  requeued: { readonly in: readonly [sink: string, limit: number]; readonly out: readonly RequeuedRecord[] };
  devices: { readonly in: readonly string[] | null; readonly out: readonly DeviceFacts[] };
  close: { readonly in: null; readonly out: null };
}

/** A slice, and the records in its stretch whose checksum does not fit; they are not in it. */
export interface WithDamage<Slice> {
  readonly slice: Slice;
  readonly damagedIds: readonly number[];
}

/** The tables of calls, one per worker. */
export type Calls = WriterCalls | ReaderCalls | HistoryCalls;

/** One call as it crosses: a union over all operations. */
export type CallOf<C extends Calls> = {
  [Op in keyof C]: { readonly op: Op; readonly in: C[Op] extends { in: infer In } ? In : never };
}[keyof C];

export interface Question<C extends Calls> {
  readonly id: number;
  readonly call: CallOf<C>;
}

export type Answer =
  | { readonly type: "value"; readonly id: number; readonly value: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: PlainError };

export type WorkerMessage =
  | Answer
  /** The worker has begun; that of the storage has its databases open. */
  | { readonly type: "ready"; readonly notices: readonly StoreNotice[] }
  /** How large the worker's heap is now. */
  | { readonly type: "heap"; readonly heap: HeapFigures }
  /** Intake was refused and may go on. */
  | { readonly type: "space" }
  /** The worker cannot go on; nothing after this is answered. */
  | { readonly type: "fatal"; readonly error: PlainError };

/** A GatewayError as plain values: structured clone would strip it to an Error. */
export interface PlainError {
  readonly code: GatewayError["code"];
  readonly why: string;
  readonly fix: string;
}

/** An error made ready to cross. */
export function plainError({ code, why, fix }: GatewayError): PlainError {
  return { code, why, fix };
}

/** An error that has crossed; a code this side does not know becomes E_INTERNAL. */
export function errorOf({ code, why, fix }: PlainError): GatewayError {
  return new GatewayError(code in ERRORS ? code : "E_INTERNAL", why, { fix });
}
