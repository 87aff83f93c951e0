/** The dashboard's way to the HTTP API: same origin, session cookie, failures as `ApiError`. */
import type { CommandView, DeviceView, SessionView } from "../../src/admin/api-schemas.js";

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

const UNREACHED = new ApiError(0, "the gateway does not answer", "check that it runs");

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(path, { method, headers: { ...type, ...headers }, cache: "no-store", ...content }).catch(
    () => {
      throw UNREACHED;
    },
  );
  if (answer.status === 204) return null;
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

export interface NewCommand {
  readonly name: string;
  readonly args: unknown;
  readonly ttlMs?: number;
}

// The casts below name what the gateway's own schema promises; both sides are built together.

export const api = {
  login: (proof: { code: string } | { password: string }) => ask("POST", "/api/v1/login", proof),
  logout: () => ask("POST", "/api/v1/logout"),
  session: () => ask("GET", "/api/v1/session") as Promise<SessionView>,
  devices: async () => ((await ask("GET", "/api/v1/devices")) as { devices: DeviceView[] }).devices,
  command: (id: string) => ask("GET", `/api/v1/commands/${id}`) as Promise<CommandView>,
  commands: async (limit: number) =>
    ((await ask("GET", `/api/v1/commands?limit=${limit}`)) as { commands: CommandView[] }).commands,
  send: (device: string, command: NewCommand, idempotencyKey: string) =>
    ask("POST", `/api/v1/devices/${device}/commands`, command, { "Idempotency-Key": idempotencyKey }) as Promise<{
      commandId: string;
    }>,
  cancel: (id: string) => ask("DELETE", `/api/v1/commands/${id}`) as Promise<CommandView>,
};
