/**
 * The shapes of the HTTP API, once: zod schemas that validate requests, describe answers in /openapi.json and give
 * the types that handlers and the dashboard compile against. Instants are ISO 8601 text; durations end in their unit.
 */
import { z } from "@hono/zod-openapi";
import { COMMAND_STATES, TTL_MS_MAX } from "../model/command.js";

/** Longest request body; the largest legal one is a command with 32 KiB of arguments. */
export const BODY_BYTES_MAX = 64 * 1024;
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

const name = z.string().regex(NAME_PATTERN, "letters, digits, - and _, up to 63, starting with a letter or digit");
const iso = z.string().openapi({ format: "date-time", example: "2026-04-01T12:00:00.000Z" });
const count = z.number().int().nonnegative();

/** One problem, in the three parts a person reads. */
export const ErrorSchema = z
  .object({ error: z.object({ code: z.string(), what: z.string(), why: z.string(), fix: z.string() }) })
  .openapi("Error");

export const DeviceParams = z.object({ id: name.openapi({ param: { name: "id", in: "path" }, example: "attic-7" }) });
export const CommandParams = z.object({
  commandId: z
    .string()
    .regex(/^cmd_[0-9A-Za-z]{22}$/, "cmd_ and 22 letters or digits")
    .openapi({ param: { name: "commandId", in: "path" } }),
});
export const SinkParams = z.object({ name: name.openapi({ param: { name: "name", in: "path" } }) });

export const ReadingSchema = z
  .object({
    signal: z.string(),
    t: z.number().openapi({ description: "Unix milliseconds" }),
    v: z.union([z.number(), z.string(), z.boolean()]).nullable(),
    q: z.enum(["good", "uncertain", "bad"]),
    unit: z.string().optional(),
  })
  .openapi("Reading");
export type ReadingView = z.infer<typeof ReadingSchema>;

export const SignalSchema = z
  .object({
    id: z.number().int(),
    key: z.string(),
    name: z.string(),
    type: z.string(),
    unit: z.string(),
    kind: z.string(),
    deviceClass: z.string(),
    intervalMs: z.number(),
    min: z.number().nullable().openapi({ description: "Lowest meaningful value; null: not declared" }),
    max: z.number().nullable(),
    options: z.array(z.string()),
  })
  .openapi("Signal");
export type SignalView = z.infer<typeof SignalSchema>;

export const CommandSpecSchema = z
  .object({ code: z.number().int(), name: z.string(), atMostOnce: z.boolean(), argsHint: z.string() })
  .openapi("CommandSpec");
export type CommandSpecView = z.infer<typeof CommandSpecSchema>;

export const DeviceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    online: z.boolean(),
    presence: z.enum(["online", "offline", "sleeping"]),
    lastSeen: iso.nullable(),
    connectedSince: iso.nullable(),
    remote: z.string().nullable(),
    createdAt: iso.nullable(),
    revoked: z.boolean(),
    firmware: z.string(),
    model: z.string(),
    sleepMs: count,
    epoch: count,
    ackedSeq: count,
    signals: z.array(SignalSchema),
    commands: z.array(CommandSpecSchema),
    latest: z.array(ReadingSchema),
  })
  .openapi("Device");
export type DeviceView = z.infer<typeof DeviceSchema>;

/** A site's devices fit one answer; whoever wants less says so. */
export const DeviceQuerySchema = z.object({
  after: z.string().max(63).optional().openapi({ description: "only ids behind this one" }),
  limit: z.coerce.number().int().min(1).max(20_000).default(20_000),
});

export const NewDeviceSchema = z
  .strictObject({ deviceId: name, name: z.string().max(128).default("") })
  .openapi("NewDevice");
export const RenameSchema = z.strictObject({ name: z.string().max(128) }).openapi("DeviceChange");
export const CredentialSchema = z
  .object({ deviceId: z.string(), token: z.string(), url: z.string(), ca: z.string().nullable() })
  .openapi("DeviceCredential", { description: "Everything a firmware needs; shown exactly once." });

export const NewCommandSchema = z
  .strictObject({
    name,
    args: z.unknown().optional().openapi({ description: "any JSON value, at most 32 KiB" }),
    ttlMs: z.number().int().min(1).max(TTL_MS_MAX).optional(),
    delivery: z.enum(["atMostOnce", "atLeastOnce"]).optional(),
  })
  .openapi("NewCommand");
export const CommandAcceptedSchema = z
  .object({ commandId: z.string(), state: z.enum(COMMAND_STATES), repeated: z.boolean() })
  .openapi("CommandAccepted");
export const CommandSchema = z
  .object({
    commandId: z.string(),
    device: z.string(),
    name: z.string(),
    args: z.unknown(),
    delivery: z.enum(["atMostOnce", "atLeastOnce"]),
    state: z.enum(COMMAND_STATES),
    source: z.string(),
    ttlMs: z.number(),
    transmissions: count,
    createdAt: iso,
    updatedAt: iso,
    result: z.unknown(),
    error: z.string().nullable(),
    idempotencyKey: z.string().nullable(),
  })
  .openapi("Command");
export type CommandView = z.infer<typeof CommandSchema>;
export const CommandQuerySchema = z.object({
  device: name.optional(),
  state: z.enum(COMMAND_STATES).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

export const GapSchema = z
  .object({
    id: z.number().int(),
    device: z.string(),
    epoch: z.number().int(),
    fromSeq: z.number().int(),
    toSeq: z.number().int().nullable(),
    reason: z.string(),
    at: iso,
    sink: z.string().nullable(),
  })
  .openapi("Gap");
export type GapView = z.infer<typeof GapSchema>;
export const GapQuerySchema = z.object({
  device: name.optional(),
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
});

const problem = z.object({ code: z.string(), why: z.string(), fix: z.string() });
export const SinkSchema = z
  .object({
    name: z.string(),
    type: z.string(),
    state: z.string(),
    target: z.string(),
    protocol: z.string().nullable(),
    connectedSince: iso.nullable(),
    retryInMs: count.nullable().describe("until it tries again by itself; null unless it waits for that"),
    lastError: problem.nullable(),
    deliveredCount: count,
    inFlightCount: count,
    quarantinedCount: count,
    reconnectCount: count,
    backlog: z.object({ count, ageMs: z.number(), cursor: count, orphaned: z.boolean() }),
  })
  .openapi("Sink");
export type SinkView = z.infer<typeof SinkSchema>;
export const SinkTestSchema = z
  .object({ ok: z.boolean(), elapsedMs: z.number(), protocol: z.string().nullable(), error: problem.nullable() })
  .openapi("SinkTest");
export const QuarantinedSchema = z
  .object({
    recordId: z.number().int(),
    sink: z.string(),
    device: z.string(),
    epoch: z.number().int(),
    seq: z.number().int(),
    reason: z.string(),
    at: iso,
    state: z.enum(["aside", "requeued", "delivered"]),
    canRequeue: z.boolean(),
  })
  .openapi("QuarantinedRecord");

export const StatusSchema = z
  .object({
    gateway: z.string(),
    version: z.string(),
    node: z.string(),
    state: z.enum(["starting", "ok", "stopping", "failed"]),
    startedAt: iso,
    uptimeMs: z.number(),
    ports: z.object({ devices: z.number().nullable(), admin: z.number().nullable() }),
    devices: z.object({ online: count, sleeping: count, total: count }),
    acked: count,
    duplicates: count,
    conflicts: count,
    gaps: count,
    storeId: z.string(),
    lastRecordId: count,
    backlog: z.array(z.object({ sink: z.string(), count, ageMs: z.number(), orphaned: z.boolean() })),
    disk: z.object({ usedBytes: count, quotaBytes: count, freeBytes: z.number(), full: z.boolean() }),
    outageHoursLeft: z.number().nullable(),
    bytesWrittenToday: z.number(),
    eventLoopDelayMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  })
  .openapi("Status");
export type StatusView = z.infer<typeof StatusSchema>;

export const RatesSchema = z
  .object({
    /** The time between two figures, in ms. */
    stepMs: z.number(),
    /** Records acknowledged per second, oldest first; the last five minutes at most. */
    acked: z.array(z.number()),
  })
  .openapi("Rates");
export type RatesView = z.infer<typeof RatesSchema>;

/** An instant in a query: Unix milliseconds, or ISO 8601. */
const instant = z
  .string()
  .max(40)
  .transform((text, context) => {
    const unixMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text);
    if (Number.isFinite(unixMs)) return unixMs;
    context.addIssue({ code: "custom", message: "Unix milliseconds, or ISO 8601" });
    return z.NEVER;
  });

export const HistoryQuerySchema = z.object({
  signal: z.string().min(1).max(64),
  from: instant
    .optional()
    .openapi({ type: "string", description: "Unix ms or ISO 8601; an hour before `to` unless told" }),
  to: instant.optional().openapi({ type: "string", description: "Unix ms or ISO 8601; now unless told" }),
  points: z.coerce.number().int().min(1).max(5000).default(600),
});
const numbers = z.array(z.number().nullable());
export const HistorySchema = z
  .object({
    device: z.string(),
    signal: z.string(),
    unit: z.string().nullable(),
    from: z.number(),
    to: z.number(),
    bucketMs: z.number().nullable(),
    t: z.array(z.number()),
    v: z.array(z.union([z.number(), z.string(), z.boolean()]).nullable()).optional(),
    min: numbers.optional(),
    avg: numbers.optional(),
    max: numbers.optional(),
    before: z
      .object({ t: z.number(), v: z.union([z.number(), z.string(), z.boolean()]) })
      .nullable()
      .optional()
      .openapi({ description: "The newest reading before `from`, beside `v`; null: none, or the line breaks there" }),
  })
  .openapi("History");

export const ConfigSchema = z
  .object({ file: z.string().nullable(), effective: z.unknown(), sources: z.record(z.string(), z.string()) })
  .openapi("Config");

export const SerialSchema = z
  .object({
    lines: z.array(
      z.object({
        path: z.string(),
        baud: count,
        trusted: z.boolean(),
        state: z.enum(["stopped", "opening", "open", "waiting"]),
        device: z.string().nullable(),
        problem: problem.nullable(),
        messageCount: count,
        noiseCount: count,
        crcErrorCount: count,
        droppedCount: count,
        openCount: count,
        chatter: z.array(z.object({ at: iso, text: z.string() })),
      }),
    ),
    ports: z.array(
      z.object({
        path: z.string(),
        device: z.string(),
        manufacturer: z.string().nullable(),
        serialNumber: z.string().nullable(),
        usbId: z.string().nullable(),
        configured: z.boolean(),
      }),
    ),
  })
  .openapi("Serial");
export type SerialView = z.infer<typeof SerialSchema>;

export const LoginSchema = z
  .union([z.strictObject({ code: z.string().max(128) }), z.strictObject({ password: z.string().max(1024) })])
  .openapi("Login");
export const SessionSchema = z
  .object({
    gateway: z.string(),
    version: z.string(),
    kind: z.enum(["token", "session"]),
    expiresInMs: z.number().nullable(),
    passwordSet: z.boolean(),
  })
  .openapi("Session");
export type SessionView = z.infer<typeof SessionSchema>;
export const LoginCodeSchema = z
  .object({ code: z.string(), path: z.string(), expiresInMs: z.number() })
  .openapi("LoginCode");
export const NewPasswordSchema = z
  .strictObject({ password: z.string().max(1024), current: z.string().max(1024).optional() })
  .openapi("NewPassword");

export const LogQuerySchema = z.object({
  after: z.coerce.number().int().min(0).default(0),
  level: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("trace"),
  device: name.optional(),
  limit: z.coerce.number().int().min(1).max(2000).default(500),
});
export const LogsSchema = z
  .object({
    lines: z.array(
      z.object({
        id: z.number().int(),
        at: iso,
        level: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]),
        message: z.string(),
        facts: z.record(z.string(), z.unknown()),
      }),
    ),
    lastId: z.number().int(),
    droppedCount: count,
  })
  .openapi("Logs");
export type LogsView = z.infer<typeof LogsSchema>;
export type LogLineView = LogsView["lines"][number];

export const PresenceLogSchema = z
  .object({
    since: iso,
    changes: z.array(
      z.object({ at: iso, presence: z.enum(["online", "offline", "sleeping"]), remote: z.string().nullable() }),
    ),
  })
  .openapi("PresenceLog");
export type PresenceLogView = z.infer<typeof PresenceLogSchema>;
