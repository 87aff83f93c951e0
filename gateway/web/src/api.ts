/** The dashboard's way to the HTTP API: same origin, session cookie, failures as `ApiError`. */
import type { z } from "@hono/zod-openapi";
import type {
  CommandView,
  ConfigSchema,
  CredentialSchema,
  DeviceView,
  GapView,
  HistorySchema,
  LogsView,
  PresenceLogView,
  QuarantinedSchema,
  RatesView,
  SerialView,
  SessionView,
  SinkTestSchema,
  SinkView,
} from "../../src/admin/api-schemas.js";

/** A failure in the words of the gateway, or of the network. */
export class ApiError extends Error {
  /** HTTP status; 0 when the gateway was not reached. */
  readonly status: number;
  readonly fix: string;

  constructor(status: number, why: string, fix: string) {
    super(why);
    this.status = status;
    this.fix = fix;
  }
}

/** A question that takes longer is lost: a dead connection must not keep a page waiting. */
const ANSWER_MS_MAX = 20_000;
/** What the gateway does on request may take its time: testing a sink waits for the broker. */
const WORK_MS_MAX = 120_000;
const UNREACHED = new ApiError(0, "the gateway does not answer", "check that it runs");

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(path, {
    method,
    headers: { ...type, ...headers },
    cache: "no-store",
    signal: AbortSignal.timeout(method === "GET" ? ANSWER_MS_MAX : WORK_MS_MAX),
    ...content,
  }).catch(() => {
    throw UNREACHED;
  });
  // Some answers have no body: that it was taken says it all.
  const json: unknown = await answer.json().catch(() => null);
  if (!answer.ok) throw failure(answer.status, json);
  return json;
}

function failure(status: number, json: unknown): ApiError {
  const error = typeof json === "object" && json !== null && "error" in json ? json.error : null;
  const said = (key: "why" | "fix"): string | null => {
    const value = typeof error === "object" && error !== null ? (error as Record<string, unknown>)[key] : null;
    return typeof value === "string" ? value : null;
  };
  return new ApiError(status, said("why") ?? `the gateway answered ${status}`, said("fix") ?? "try again");
}

/** A failure as one sentence for people: why, and what to do. */
export function problemText(thrown: unknown): string {
  return thrown instanceof ApiError ? `${sentence(thrown.message)} ${sentence(thrown.fix)}` : String(thrown);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

export interface NewCommand {
  readonly name: string;
  readonly args: unknown;
  readonly ttlMs?: number;
}

export interface HistoryRange {
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  /** 1 … 5,000. */
  readonly pointsMax: number;
}

export type HistoryView = z.infer<typeof HistorySchema>;
export type ConfigView = z.infer<typeof ConfigSchema>;
export type CredentialView = z.infer<typeof CredentialSchema>;
export type SinkTestView = z.infer<typeof SinkTestSchema>;
export type QuarantinedView = z.infer<typeof QuarantinedSchema>;

/** A GET, a query and the shape that the gateway's own schema promises: both sides are built together. */
async function get<T>(path: string, query: Readonly<Record<string, string | number>> = {}): Promise<T> {
  const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
  return (await ask("GET", text === "" ? path : `${path}?${text}`)) as T;
}

const of = (device: string): string => `/api/v1/devices/${encodeURIComponent(device)}`;
const ofSink = (name: string): string => `/api/v1/sinks/${encodeURIComponent(name)}`;

export const api = {
  login: (proof: { code: string } | { password: string }) => ask("POST", "/api/v1/login", proof),
  logout: () => ask("POST", "/api/v1/logout"),
  session: () => get<SessionView>("/api/v1/session"),
  setPassword: (password: string, current: string) =>
    ask("PUT", "/api/v1/password", current === "" ? { password } : { password, current }),

  devices: async () => (await get<{ devices: DeviceView[] }>("/api/v1/devices")).devices,
  addDevice: (deviceId: string, name: string) =>
    ask("POST", "/api/v1/devices", { deviceId, name }) as Promise<CredentialView>,
  rename: (device: string, name: string) => ask("PATCH", of(device), { name }),
  replace: (device: string) => ask("POST", `${of(device)}/credential`) as Promise<CredentialView>,
  revoke: (device: string) => ask("DELETE", `${of(device)}/credential`),
  forget: (device: string) => ask("DELETE", of(device)),
  presence: (device: string) => get<PresenceLogView>(`${of(device)}/presence`),
  history: (device: string, signal: string, { fromUnixMs, toUnixMs, pointsMax }: HistoryRange) =>
    get<HistoryView>(`${of(device)}/history`, {
      signal,
      from: Math.floor(fromUnixMs),
      to: Math.ceil(toUnixMs),
      points: pointsMax,
    }),

  command: (id: string) => get<CommandView>(`/api/v1/commands/${id}`),
  commands: async (limit: number, device = "") =>
    (await get<{ commands: CommandView[] }>("/api/v1/commands", device === "" ? { limit } : { limit, device }))
      .commands,
  send: (device: string, command: NewCommand, idempotencyKey: string) =>
    ask("POST", `${of(device)}/commands`, command, { "Idempotency-Key": idempotencyKey }) as Promise<{
      commandId: string;
    }>,
  cancel: (id: string) => ask("DELETE", `/api/v1/commands/${id}`) as Promise<CommandView>,

  sinks: async () => (await get<{ sinks: SinkView[] }>("/api/v1/sinks")).sinks,
  testSink: (name: string) => ask("POST", `${ofSink(name)}/test`) as Promise<SinkTestView>,
  pauseSink: (name: string) => ask("POST", `${ofSink(name)}/pause`),
  resumeSink: (name: string) => ask("POST", `${ofSink(name)}/resume`),
  forgetSink: (name: string) => ask("DELETE", ofSink(name)),
  requeue: (name: string, recordId: number) => ask("POST", `${ofSink(name)}/quarantine/${recordId}/requeue`),
  quarantined: async (name: string, limit: number) =>
    (await get<{ records: QuarantinedView[] }>(`${ofSink(name)}/quarantine`, { limit })).records,

  gaps: (query: { device?: string; after?: number; limit: number }) =>
    get<{ gaps: GapView[]; next: number | null }>("/api/v1/gaps", { ...query }),
  logs: (query: { after?: number; level?: string; device?: string; limit: number }) =>
    get<LogsView>("/api/v1/logs", { ...query }),
  config: () => get<ConfigView>("/api/v1/config"),
  serial: () => get<SerialView>("/api/v1/serial"),
  rates: () => get<RatesView>("/api/v1/rates"),
};
