/**
 * A gateway made of arrays: everything the admin edge needs, answering at once, with three devices by default.
 * Tests push readings, presence and command transitions; what the API asked for is kept in `calls`.
 */
import { GatewayError } from "../../core/errors.js";
import { type LogLineQuery, type LogLines, LogRing } from "../../core/log-ring.js";
import type { CommandRecord, CommandState } from "../../model/command.js";
import type { DeviceIdentity } from "../../model/identity.js";
import type { Gap } from "../../model/record.js";
import type { DeviceFacts, LiveEvent, LiveReading, LiveSlice, SinkBacklog } from "../../model/spool.js";
import { LatestFold } from "../../telemetry/latest-fold.js";
import type {
  AdminHost,
  BackupFile,
  CommandRequest,
  DevicePresence,
  Health,
  HistoryColumns,
  HistoryQuery,
  IssuedCredential,
  LiveShape,
  SerialFacts,
  SinkTestResult,
  StatusFacts,
} from "../admin-host.js";

const NOW = 1_775_044_800_000;

function identity(device: string, name: string): DeviceIdentity {
  return { device, name, tokenHash: "00", createdUnixMs: NOW, revokedUnixMs: null };
}

function facts(device: string): DeviceFacts {
  const signals = [
    { id: 1, key: "temperature", name: "Temperature", type: 4, unit: "°C", kind: 1, deviceClass: "temperature" },
    { id: 2, key: "door", name: "Door", type: 7, unit: "", kind: 4, options: ["closed", "open"] },
  ];
  const commands = [{ code: 1, name: "pump", atMostOnce: true, argsHint: '{"seconds":5}' }];
  return {
    device,
    deviceKey: 1,
    firmware: "1.2.3",
    model: "greenhouse",
    sleepMs: 0,
    lastSeenUnixMs: NOW,
    epoch: 77,
    ackedSeq: 12,
    catalog: { signals, commands },
  };
}

export class FakeHost implements AdminHost {
  readonly gatewayId = "attic-pi";
  readonly version = "0.1.0";
  /** Everything that was asked for, e.g. `add attic-9`. */
  readonly calls: string[] = [];
  readonly audits: string[] = [];
  readonly logRing = new LogRing();
  healthNow: Health = "ok";
  ackedPerSecond: readonly number[] = [];
  storeId = "store1";
  passwordHash: string | null = null;
  ids: DeviceIdentity[] = [identity("attic-7", "Attic"), identity("bed-1", ""), identity("cellar", "Cellar")];
  known: DeviceFacts[] = ["attic-7", "bed-1", "cellar"].map(facts);
  gapList: Gap[] = [];
  events: LiveEvent[] = [];
  /** Records up to here were deleted. */
  deletedTo = 0;
  readFailures = 0;
  /** The shapes in which records were read so far. */
  readonly reads: LiveShape[] = [];
  /** A sink follows the newest values. */
  isObserved = false;
  readonly present = new Map<string, DevicePresence>();
  readonly commandList = new Map<string, CommandRecord>();
  historyAsked: HistoryQuery | null = null;
  /** The last error of the sink `broker`, and how many records it refused. */
  sinkError: { readonly code: string; readonly why: string; readonly fix: string } | null = null;
  quarantinedCount = 0;
  serialNow: SerialFacts = { lines: [], ports: [] };
  /** What the history answers. */
  historyOf: (query: HistoryQuery) => HistoryColumns = () => ({
    unit: "°C",
    bucketMs: null,
    t: [NOW, NOW + 1000],
    v: [21.4, null],
  });
  readonly #committed = new Set<(id: number) => void>();
  readonly #presence = new Set<(device: string, presence: DevicePresence) => void>();
  readonly #changes = new Set<(command: CommandRecord) => void>();
  #commandCount = 0;

  /** @param baseUnixMs what the times of readings count from. */
  constructor(readonly baseUnixMs = NOW) {
    for (const { device } of this.ids) this.present.set(device, online());
  }

  health(): Health {
    return this.healthNow;
  }

  async status(): Promise<StatusFacts> {
    return {
      node: "20.20.2",
      startedUnixMs: NOW,
      uptimeMs: 60_000,
      ports: { devices: 8443, admin: 8080 },
      devices: { online: this.present.size, sleeping: 0, total: this.ids.length },
      acked: this.lastRecordId,
      duplicates: 1,
      conflicts: 0,
      gaps: this.gapList.length,
      storeId: this.storeId,
      lastRecordId: this.lastRecordId,
      backlog: this.backlog(),
      disk: { usedBytes: 1_000_000, quotaBytes: 2 ** 31, freeBytes: 2 ** 34, full: false },
      outageHoursLeft: 31,
      bytesWrittenToday: 123_456,
      eventLoopDelayMs: { p50: 1, p99: 5, max: 9 },
    };
  }

  ackedRates() {
    return { stepMs: 2000, perSecond: this.ackedPerSecond };
  }

  async serial(): Promise<SerialFacts> {
    return this.serialNow;
  }

  async metrics(): Promise<{ text: string; contentType: string }> {
    return { text: "tidegate_up 1\n", contentType: "text/plain; version=0.0.4; charset=utf-8" };
  }

  config() {
    return {
      file: "/etc/tidegate/tidegate.yaml",
      effective: { version: 1, gateway: { id: "attic-pi" } },
      sources: { version: "/etc/tidegate/tidegate.yaml:1" },
    };
  }

  readonly devices: AdminHost["devices"] = {
    identities: async () => this.ids,
    identity: (id: string) => this.ids.find(({ device }) => device === id) ?? null,
    facts: async (ids: readonly string[]) => this.known.filter(({ device }) => ids.includes(device)),
    presence: (device) => this.present.get(device) ?? null,
    onPresence: (listener) => subscribe(this.#presence, listener),
    add: async (device, name) => {
      if (this.ids.some((id) => id.device === device)) throw new GatewayError("E_DEVICE_EXISTS", `${device} exists`);
      this.ids = [...this.ids, identity(device, name)];
      return this.#issue("add", device);
    },
    replace: async (device) => {
      this.#mustKnow(device);
      return this.#issue("replace", device);
    },
    revoke: async (device) => {
      this.#mustKnow(device);
      this.ids = this.ids.map((id) => (id.device === device ? { ...id, tokenHash: null, revokedUnixMs: NOW } : id));
    },
    rename: async (device, name) => {
      this.#mustKnow(device);
      this.ids = this.ids.map((id) => (id.device === device ? { ...id, name } : id));
    },
    forget: async (device) => {
      this.#mustKnow(device);
      this.ids = this.ids.filter((id) => id.device !== device);
    },
  };

  readonly commands: AdminHost["commands"] = {
    submit: async (request) => this.#submit(request),
    cancel: async (commandId) => {
      const command = this.commandList.get(commandId);
      if (command === undefined) throw new GatewayError("E_COMMAND_UNKNOWN", `no command ${commandId}`);
      if (command.state !== "queued") throw new GatewayError("E_COMMAND_STATE", `it is ${command.state}`);
      return this.moveCommand(commandId, "cancelled");
    },
    get: async (commandId) => this.commandList.get(commandId) ?? null,
    list: async () => [...this.commandList.values()].reverse(),
    onChange: (listener) => subscribe(this.#changes, listener),
  };

  readonly sinks: AdminHost["sinks"] = {
    list: () => [
      {
        name: "broker",
        type: "mqtt",
        state: this.calls.includes("pause broker") ? "paused" : "up",
        target: "mqtts://broker.lan:8883",
        lastError: this.sinkError,
        retryInMs: this.sinkError === null ? null : 32_000,
        connectedSinceUnixMs: NOW,
        deliveredCount: 5,
        inFlightCount: 1,
        quarantinedCount: this.quarantinedCount,
        reconnectCount: 0,
        protocol: "MQTT 5",
      },
    ],
    backlog: async () => this.backlog(),
    test: async (name): Promise<SinkTestResult> => {
      this.calls.push(`test ${name}`);
      return { ok: true, elapsedMs: 3, protocol: "MQTT 5", error: null };
    },
    pause: async (name) => this.#sinkCall("pause", name),
    resume: async (name) => this.#sinkCall("resume", name),
    quarantined: async (sink) => [
      {
        ...{ recordId: 4, sink, device: "attic-7", epoch: 77, seq: 4, reason: "too large", atUnixMs: NOW },
        ...{ state: "aside", canRequeue: true },
      },
    ],
    requeue: async (name, recordId) => this.#sinkCall(`requeue ${recordId}`, name),
    forget: async (name) => {
      this.calls.push(`forget ${name}`);
    },
  };

  readonly live: AdminHost["live"] = {
    position: async () => ({ storeId: this.storeId, lastRecordId: this.lastRecordId }),
    read: async (afterId, rowsMax, shape) => {
      this.reads.push(shape);
      const slice = this.#read(afterId, rowsMax);
      return shape === "latest" ? { ...slice, texts: [] } : slice;
    },
    hasObservers: () => this.isObserved,
    onCommitted: (listener) => subscribe(this.#committed, listener),
  };

  readonly history: AdminHost["history"] = {
    read: async (query): Promise<HistoryColumns> => {
      this.historyAsked = query;
      return this.historyOf(query);
    },
  };

  readonly password: AdminHost["password"] = {
    passwordHash: async () => this.passwordHash,
    setPasswordHash: async (hash) => {
      this.passwordHash = hash;
    },
  };

  async gaps(query: { device?: string; afterId?: number; limit: number }): Promise<readonly Gap[]> {
    return this.gapList
      .filter((gap) => gap.id > (query.afterId ?? 0) && (query.device ?? gap.device) === gap.device)
      .slice(0, query.limit);
  }

  logs(query: LogLineQuery): LogLines {
    return this.logRing.read(query);
  }

  backup(): Promise<BackupFile> {
    this.calls.push("backup");
    const pieces = (async function* () {
      yield Buffer.from("tar");
    })();
    return Promise.resolve({ fileName: "tidegate-attic-pi.tar", bytes: 3, pieces });
  }

  audit(actor: string, action: string, subject: string): void {
    this.audits.push(`${actor} ${action} ${subject}`);
  }

  get lastRecordId(): number {
    return this.events.at(-1)?.id ?? this.deletedTo;
  }

  /** Store readings of one device and tell the feed. */
  report(device: string, values: Record<string, number | string | boolean>, unit = "°C"): number {
    const t = this.baseUnixMs + this.lastRecordId * 10;
    const readings: LiveReading[] = Object.entries(values).map(([signal, v]) => ({ signal, t, v, q: "good", unit }));
    this.store([{ device, kind: "data", receivedUnixMs: t, readings }]);
    return this.lastRecordId;
  }

  /** Store events without a record id of their own. */
  store(events: readonly Omit<LiveEvent, "id">[]): void {
    let id = this.lastRecordId;
    for (const event of events) {
      id += 1;
      this.events.push({ ...event, id });
    }
    for (const listener of this.#committed) listener(id);
  }

  /** Delete the oldest records, as the spool does once every sink has them. */
  dropTo(recordId: number): void {
    this.deletedTo = recordId;
    this.events = this.events.filter((event) => event.id > recordId);
  }

  setPresence(device: string, presence: DevicePresence): void {
    this.present.set(device, presence);
    for (const listener of this.#presence) listener(device, presence);
  }

  moveCommand(commandId: string, state: CommandState, result: string | null = null): CommandRecord {
    const command = this.commandList.get(commandId);
    if (command === undefined) throw new Error(`no command ${commandId}`);
    const moved: CommandRecord = { ...command, state, result, updatedUnixMs: command.updatedUnixMs + 1 };
    this.commandList.set(commandId, moved);
    for (const listener of this.#changes) listener(moved);
    return moved;
  }

  backlog(): SinkBacklog[] {
    return [
      { sink: "broker", cursor: 3, backlogCount: 42, backlogAgeMs: 1500, orphaned: false },
      { sink: "old", cursor: 1, backlogCount: 44, backlogAgeMs: 9000, orphaned: true },
    ];
  }

  #read(afterId: number, rowsMax: number): LiveSlice {
    if (this.readFailures > 0) {
      this.readFailures -= 1;
      throw new GatewayError("E_STORE_BUSY", "the reader is busy");
    }
    const rest = this.events.filter((event) => event.id > afterId);
    const events = rest.slice(0, rowsMax);
    return {
      scannedToId: events.at(-1)?.id ?? afterId,
      more: rest.length > rowsMax,
      newest: folded(events),
      texts: events.map((event) => ({ id: event.id, json: JSON.stringify(event) })),
      missed: afterId < this.deletedTo,
    };
  }

  #submit(request: CommandRequest): { command: CommandRecord; repeated: boolean } {
    this.calls.push(`submit ${request.device} ${request.name} ${request.args} ${request.source}`);
    this.#mustKnow(request.device);
    const { delivery, ttlMs, ...rest } = request;
    const key = request.idempotencyKey;
    const first = key === null ? undefined : [...this.commandList.values()].find((c) => c.idempotencyKey === key);
    if (first !== undefined) return { command: first, repeated: true };
    this.#commandCount += 1;
    const command: CommandRecord = {
      ...rest,
      commandId: `cmd_${String(this.#commandCount).padStart(22, "0")}`,
      delivery: delivery ?? "atLeastOnce",
      ttlMs: ttlMs ?? 60_000,
      state: "queued",
      createdUnixMs: NOW,
      updatedUnixMs: NOW,
      deadlineMonoMs: 0,
      bootId: "boot",
      wireId: 0,
      wireEpoch: 0,
      transmissions: 0,
      result: null,
      error: null,
      responseTopic: null,
      correlation: null,
    };
    this.commandList.set(command.commandId, command);
    return { command, repeated: false };
  }

  #issue(verb: string, device: string): IssuedCredential {
    this.calls.push(`${verb} ${device}`);
    return { token: "tg_secret", url: "wss://attic-pi.local:8443/v1/device", ca: "-----BEGIN CERTIFICATE-----" };
  }

  #sinkCall(verb: string, name: string): void {
    if (name !== "broker") throw new GatewayError("E_SINK_UNKNOWN", `no sink ${name}`);
    this.calls.push(`${verb} ${name}`);
  }

  #mustKnow(device: string): void {
    if (!this.ids.some((id) => id.device === device)) throw new GatewayError("E_DEVICE_UNKNOWN", `no device ${device}`);
  }
}

function folded(events: readonly LiveEvent[]): LiveEvent[] {
  const fold = new LatestFold();
  for (const event of events) fold.add(event);
  return fold.events();
}

export function online(): DevicePresence {
  return { presence: "online", remote: "192.0.2.7", connectedSinceUnixMs: NOW, lastSeenUnixMs: NOW };
}

export function offline(): DevicePresence {
  return { presence: "offline", remote: null, connectedSinceUnixMs: null, lastSeenUnixMs: NOW };
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
