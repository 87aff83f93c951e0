/**
 * The configuration as the gateway computes with it: parsed numbers with their unit in the name, absolute paths,
 * frozen. Edge room `config`. Meaning, range and default of each value stand in `schema.ts`.
 */
import type { Listen } from "./addresses.js";
import type { ConfigTree, MqttSinkTree } from "./schema.js";

/** The site CA made at the first run; nothing; or own files. */
export type DevicesTls =
  | { readonly mode: "site" }
  | { readonly mode: "off" }
  | { readonly mode: "files"; readonly cert: string; readonly key: string; readonly ca: string | null };

/** `auto` is already decided here: plain on loopback, else the site's certificate. */
export type AdminTls =
  | { readonly mode: "site" }
  | { readonly mode: "off" }
  | { readonly mode: "files"; readonly cert: string; readonly key: string };

export interface MqttSinkConfig {
  readonly type: "mqtt";
  readonly name: string;
  /** `mqtt://host:port` or `mqtts://host:port`, without credentials. */
  readonly url: string;
  readonly username: string | null;
  /** Absolute path; read with `readSecretFile` when connecting. */
  readonly passwordFile: string | null;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly clientId: string;
  readonly topicPrefix: string;
  readonly commands: boolean;
  /** A number is Unix ms. */
  readonly start: "oldest" | "now" | number;
  /** Of the messages after an outage, the backlog's part; null: everything in order. */
  readonly backlogShare: number | null;
  readonly requiresSubscriber: boolean;
  readonly watermarkIntervalMs: number;
  readonly holdMaxAgeMs: number | null;
  readonly holdMaxBytes: number | null;
  readonly inFlightMax: number;
  /** null: as many as go. */
  readonly recordsPerSecond: number | null;
  readonly keepaliveMs: number;
  readonly connectTimeoutMs: number;
  readonly retryDelayMsMin: number;
  readonly retryDelayMsMax: number;
}

export interface Config {
  readonly version: 1;
  readonly gateway: { readonly id: string /** Absolute. */; readonly dataDir: string };
  readonly devices: {
    readonly listen: Listen;
    readonly tls: DevicesTls;
    readonly names: readonly string[];
    readonly trustProxy: readonly string[];
    readonly keepaliveMs: number;
    readonly window: number;
    readonly helloTimeoutMs: number;
    readonly connectionsMax: number;
    readonly handshakesMax: number;
    readonly handshakesPerSecond: number;
    readonly messageBytesMax: number;
    readonly outboundBytesMax: number;
    readonly messagesPerSecond: number;
    readonly messageBurst: number;
    readonly authFailuresPerMinute: number;
    readonly takeoversPerMinute: number;
    readonly testEcho: boolean;
  };
  readonly serial: readonly { readonly path: string; readonly baud: number; readonly trusted: boolean }[];
  readonly storage: {
    readonly commitIntervalMs: number | "auto";
    readonly quotaBytes: number;
    readonly whenFull: "block" | "drop-oldest";
    readonly gatheredBytesMax: number;
  };
  readonly commands: {
    readonly ttlMs: number;
    readonly ttlMsMax: number;
    readonly unfinishedPerDeviceMax: number;
    readonly idempotencyMs: number;
  };
  readonly history: { readonly isEnabled: boolean; readonly keepMs: number; readonly quotaBytes: number };
  readonly admin: {
    readonly listen: Listen;
    readonly tls: AdminTls;
    readonly names: readonly string[];
    readonly trustProxy: readonly string[];
    readonly sessionMs: number;
    readonly loginCodeMs: number;
    readonly sessionsMax: number;
    readonly viewersMax: number;
    readonly loginsPerMinute: number;
  };
  readonly sinks: readonly MqttSinkConfig[];
  readonly log: {
    readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
    readonly format: "auto" | "pretty" | "json";
  };
}

/** What the tree cannot know: resolved by `load.ts` from the file's place and this machine. */
export interface ConfigFacts {
  readonly gatewayId: string;
  readonly dataDir: string;
  readonly adminOnLoopback: boolean;
}

/** Names the parsed tree with units and fills in what depends on the place it was read. Paths are absolute already. */
export function toConfig(tree: ConfigTree, facts: ConfigFacts): Config {
  return {
    version: tree.version,
    gateway: { id: facts.gatewayId, dataDir: facts.dataDir },
    devices: devicesOf(tree),
    serial: tree.serial,
    storage: storageOf(tree),
    commands: {
      ttlMs: tree.commands.ttl,
      ttlMsMax: tree.commands.maxTtl,
      unfinishedPerDeviceMax: tree.commands.maxPerDevice,
      idempotencyMs: tree.commands.idempotency,
    },
    history: { isEnabled: tree.history.enabled, keepMs: tree.history.keep, quotaBytes: tree.history.quota },
    admin: adminOf(tree, facts.adminOnLoopback),
    sinks: tree.sinks.map((sink) => sinkOf(sink, facts.gatewayId)),
    log: tree.log,
  };
}

function devicesOf({ devices }: ConfigTree): Config["devices"] {
  const { tls } = devices;
  return {
    listen: devices.listen,
    tls: typeof tls === "string" ? { mode: tls } : { mode: "files", cert: tls.cert, key: tls.key, ca: tls.ca ?? null },
    names: devices.names,
    trustProxy: devices.trustProxy,
    keepaliveMs: devices.keepalive,
    window: devices.window,
    helloTimeoutMs: devices.helloTimeout,
    connectionsMax: devices.maxConnections,
    handshakesMax: devices.maxHandshakes,
    handshakesPerSecond: devices.handshakesPerSecond,
    messageBytesMax: devices.maxMessage,
    outboundBytesMax: devices.maxOutbound,
    messagesPerSecond: devices.messagesPerSecond,
    messageBurst: devices.messageBurst,
    authFailuresPerMinute: devices.authFailuresPerMinute,
    takeoversPerMinute: devices.takeoversPerMinute,
    testEcho: devices.testEcho,
  };
}

function storageOf({ storage }: ConfigTree): Config["storage"] {
  return {
    commitIntervalMs: storage.commitInterval,
    quotaBytes: storage.quota,
    whenFull: storage.whenFull,
    gatheredBytesMax: storage.maxGathered,
  };
}

function adminOf({ admin }: ConfigTree, onLoopback: boolean): Config["admin"] {
  const { tls } = admin;
  const auto = onLoopback ? ("off" as const) : ("site" as const);
  return {
    listen: admin.listen,
    tls:
      typeof tls === "string" ? { mode: tls === "auto" ? auto : tls } : { mode: "files", cert: tls.cert, key: tls.key },
    names: admin.names,
    trustProxy: admin.trustProxy,
    sessionMs: admin.sessionAge,
    loginCodeMs: admin.loginCodeAge,
    sessionsMax: admin.maxSessions,
    viewersMax: admin.maxViewers,
    loginsPerMinute: admin.loginsPerMinute,
  };
}

function sinkOf(sink: MqttSinkTree, gatewayId: string): MqttSinkConfig {
  return {
    type: sink.type,
    name: sink.name,
    url: sink.url,
    username: sink.username ?? null,
    passwordFile: sink.passwordFile ?? null,
    ca: sink.ca ?? null,
    cert: sink.cert ?? null,
    key: sink.key ?? null,
    clientId: sink.clientId ?? `tidegate-${gatewayId}-${sink.name}`,
    topicPrefix: sink.topicPrefix,
    commands: sink.commands,
    start: sink.start,
    backlogShare: sink.backfill === "live-first" ? sink.backfillShare / 100 : null,
    requiresSubscriber: sink.requireSubscriber,
    watermarkIntervalMs: sink.watermarkEvery,
    holdMaxAgeMs: sink.hold.maxAge ?? null,
    holdMaxBytes: sink.hold.maxBytes ?? null,
    inFlightMax: sink.inFlight,
    recordsPerSecond: sink.recordsPerSecond ?? null,
    keepaliveMs: sink.keepalive,
    connectTimeoutMs: sink.connectTimeout,
    retryDelayMsMin: sink.minRetry,
    retryDelayMsMax: sink.maxRetry,
  };
}

/** Freezes a value and everything it holds; the configuration never changes while the gateway runs. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
