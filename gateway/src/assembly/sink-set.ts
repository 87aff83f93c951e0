/**
 * The configured sinks together: started, told of news, asked for their state, stopped.
 */
import type { SinkDesk, SinkTestResult } from "../admin/admin-host.js";
import { GatewayError } from "../core/errors.js";
import type { SinkStatus } from "../model/sink.js";
import type { LiveEvent, QuarantinedRecord, SinkBacklog, Spool, SpoolReader } from "../model/spool.js";
import type { Presence } from "../session/presence.js";

/** One running sink, whatever its type. */
export interface RunningSink {
  start(): void;
  stop(): Promise<void>;
  pause(): void;
  resume(): void;
  test(): Promise<SinkTestResult>;
  status(): SinkStatus;
  /** The spool holds records up to this id. */
  committed(lastRecordId: number): void;
  /** A record it has aside is to be tried again. */
  requeued(): void;
  observe(event: LiveEvent): void;
  presenceChanged(device: string, presence: Presence): void;
  /** The device was removed: nothing retained may speak of it. */
  forgotten(device: string): void;
}

/** The history keeps a cursor, too, under a name no sink can have. */
export function isSink({ sink }: { readonly sink: string }): boolean {
  return !sink.startsWith("$");
}

/** All sinks of this gateway, by name. */
export class SinkSet implements SinkDesk {
  readonly #spool: Spool;
  readonly #reader: SpoolReader;
  readonly #sinks = new Map<string, RunningSink>();

  constructor(spool: Spool, reader: SpoolReader) {
    this.#spool = spool;
    this.#reader = reader;
  }

  add(name: string, sink: RunningSink): void {
    this.#sinks.set(name, sink);
    sink.start();
  }

  get count(): number {
    return this.#sinks.size;
  }

  committed(lastRecordId: number): void {
    for (const sink of this.#sinks.values()) sink.committed(lastRecordId);
  }

  observe(event: LiveEvent): void {
    for (const sink of this.#sinks.values()) sink.observe(event);
  }

  presenceChanged(device: string, presence: Presence): void {
    for (const sink of this.#sinks.values()) sink.presenceChanged(device, presence);
  }

  forgotten(device: string): void {
    for (const sink of this.#sinks.values()) sink.forgotten(device);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sinks.values()].map((sink) => sink.stop()));
  }

  list(): readonly SinkStatus[] {
    return [...this.#sinks.values()].map((sink) => sink.status());
  }

  async backlog(): Promise<readonly SinkBacklog[]> {
    return (await this.#spool.status()).sinks.filter(isSink);
  }

  test(name: string): Promise<SinkTestResult> {
    return this.#get(name).test();
  }

  async pause(name: string): Promise<void> {
    this.#get(name).pause();
  }

  async resume(name: string): Promise<void> {
    this.#get(name).resume();
  }

  async quarantined(name: string, limit: number): Promise<readonly QuarantinedRecord[]> {
    this.#get(name);
    return this.#reader.quarantined(name, limit);
  }

  async requeue(name: string, recordId: number): Promise<void> {
    const sink = this.#get(name);
    await this.#spool.requeue(name, recordId);
    sink.requeued();
  }

  forget(name: string): Promise<void> {
    return this.#spool.forgetSink(name);
  }

  #get(name: string): RunningSink {
    const sink = this.#sinks.get(name);
    if (sink !== undefined) return sink;
    const known = [...this.#sinks.keys()].join(", ");
    throw new GatewayError(
      "E_SINK_UNKNOWN",
      `no sink is called "${name}"${known === "" ? "" : `; there are: ${known}`}`,
    );
  }
}
