/** Asks the running gateway of this machine how it and its sinks are. Edge room `cli`. */
import * as z from "zod";
import type { HttpTransport } from "../http-transport.js";
import type { HealthFacts, SinkReport } from "./facts.js";

/** Silence after which the gateway is taken for stuck. */
const IDLE_MS_MAX = 2_500;

/** Longest answer read. */
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

const sinksAnswer = z.looseObject({
  sinks: z.array(
    z.looseObject({
      name: z.string(),
      state: z.string(),
      protocol: z.string().nullable().default(null),
      lastError: z.looseObject({ why: z.string(), fix: z.string() }).nullable().default(null),
      backlog: z.looseObject({ count: z.number() }),
    }),
  ),
});

export interface GatewayDoor {
  readonly http: HttpTransport;
  /** Root of the API, from gateway.json. */
  readonly url: string;
  /** PEM of the root to trust; null: the system's. */
  readonly ca: string | null;
}

/** `GET /healthz`, which needs no credential. */
export async function askHealth(door: GatewayDoor): Promise<HealthFacts> {
  try {
    const { status } = await get(door, "/healthz", null);
    return { status, error: null };
  } catch (error) {
    return { status: null, error: error instanceof Error ? error.message : String(error) };
  }
}

/** What the gateway says of its sinks, by name; null when it did not say. */
export async function askSinks(door: GatewayDoor, token: string): Promise<ReadonlyMap<string, SinkReport> | null> {
  try {
    const { status, text } = await get(door, "/api/v1/sinks", token);
    if (status !== 200) return null;
    const { sinks } = sinksAnswer.parse(JSON.parse(text));
    return new Map(
      sinks.map(({ name, state, protocol, lastError, backlog }) => [
        name,
        { state, protocol, lastError, waitingCount: backlog.count },
      ]),
    );
  } catch {
    return null; // the health check says why
  }
}

async function get(door: GatewayDoor, path: string, token: string | null): Promise<{ status: number; text: string }> {
  const headers = { accept: "application/json", ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  const request = { method: "GET", url: new URL(path, door.url), headers, body: null, ca: door.ca };
  const answer = await door.http({ ...request, idleMsMax: IDLE_MS_MAX });
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of answer.body) {
    total += chunk.length;
    if (total > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return { status: answer.status, text: Buffer.concat(chunks).toString("utf8") };
}
