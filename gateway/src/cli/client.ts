/** The HTTP API as the commands use it: JSON in, JSON out, failures as errors with three lines. Edge room `cli`. */
import * as z from "zod";
import { errnoOf } from "../config/locations.js";
import { RemoteError, unreachable } from "./cli-error.js";
import type { CliContext } from "./context.js";
import { findGateway, type GatewayAddress, type GatewayOptions } from "./find-gateway.js";
import type { HttpAnswer } from "./http-transport.js";

/** Silence after which a call fails. */
const IDLE_MS_MAX = 30_000;

/** Largest answer read: a list of ten thousand devices fits. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

const errorBody = z.object({
  error: z.object({ code: z.string(), what: z.string(), why: z.string(), fix: z.string() }),
});

/** Values of a query; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One gateway's API with its credential. Every call finds its own connection; nothing is to be closed. */
export class ApiClient {
  readonly #context: CliContext;
  readonly #address: GatewayAddress;

  constructor(context: CliContext, address: GatewayAddress) {
    this.#context = context;
    this.#address = address;
  }

  /** Finds the gateway. Errors: as `findGateway`. */
  static open(context: CliContext, options: GatewayOptions): ApiClient {
    return new ApiClient(context, findGateway(context, options));
  }

  /** Root of the API. */
  get url(): URL {
    return this.#address.url;
  }

  /**
   * One call. The answer is checked against `shape`, which names only what the caller needs; null for no body.
   * Errors: RemoteError (the gateway refused), E_UNREACHABLE.
   */
  async call<T>(method: string, path: string, shape: z.ZodType<T>, options: CallOptions = {}): Promise<T> {
    const body = options.body === undefined ? null : JSON.stringify(options.body);
    const headers: Record<string, string> = { accept: "application/json", ...options.headers };
    if (body !== null) headers["content-type"] = "application/json";
    const answer = await this.#send({
      method,
      path,
      headers,
      body,
      query: options.query ?? {},
      idleMsMax: IDLE_MS_MAX,
    });
    const text = await readText(answer);
    if (answer.status >= 300) throw refusal(answer.status, text);
    const parsed = shape.safeParse(text === "" ? null : parseJson(text));
    if (parsed.success) return parsed.data;
    throw unreachable(`${this.url.origin} answered something else than a Tidegate gateway of this version does`);
  }

  /** A stream of bytes, for server-sent events. Errors: as `call`. */
  async stream(path: string, query: Query, idleMsMax: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    const headers = { accept: "text/event-stream" };
    const answer = await this.#send({ method: "GET", path, headers, body: null, query, idleMsMax, signal });
    if (answer.status !== 200) throw refusal(answer.status, await readText(answer));
    return answer.body;
  }

  /** Bytes that a POST answers with, and how many there will be; null when that was not said. Errors: as `call`. */
  async download(
    path: string,
    idleMsMax: number,
  ): Promise<{ bytes: number | null; pieces: AsyncIterable<Uint8Array> }> {
    const headers = { accept: "*/*" };
    const answer = await this.#send({ method: "POST", path, headers, body: null, query: {}, idleMsMax });
    if (answer.status !== 200) throw refusal(answer.status, await readText(answer));
    return { bytes: answer.length, pieces: answer.body };
  }

  async #send(request: {
    method: string;
    path: string;
    headers: Record<string, string>;
    body: string | null;
    query: Query;
    idleMsMax: number;
    signal?: AbortSignal;
  }): Promise<HttpAnswer> {
    const { path, query, headers, ...rest } = request;
    const url = new URL(path, this.#address.url);
    for (const [key, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(key, String(value));
    const authorized = { ...headers, authorization: `Bearer ${this.#address.token}` };
    try {
      return await this.#context.http({ ...rest, url, headers: authorized, ca: this.#address.ca });
    } catch (error) {
      if (request.signal?.aborted === true) throw error;
      throw unreachable(`${this.url.origin} does not answer: ${reason(error)}`, adviceFor(error));
    }
  }
}

function reason(error: unknown): string {
  const code = errnoOf(error);
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND") return "there is no such host";
  if (code === "EPROTO") return "it answered something else than TLS";
  return error instanceof Error ? error.message : String(error);
}

/** Better advice than the table's, for a certificate that is not trusted. */
function adviceFor(error: unknown): string | undefined {
  const code = errnoOf(error) ?? "";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return "use a name or address the certificate carries, see devices.names";
  if (code === "EPROTO") return "the port does not speak TLS: write the address with http://";
  if (!/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return undefined;
  return "name the root it was issued by: --ca with a copy of <dataDir>/pki/server-ca.crt";
}

async function readText(answer: HttpAnswer): Promise<string> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of answer.body) {
      total += chunk.length;
      if (total > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw unreachable(`the answer broke off: ${reason(error)}`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The command line has no other credential, so it can say more than the gateway may. */
const WRONG_TOKEN = {
  why: "the admin token is not the one of this gateway",
  fix: "copy <dataDir>/admin.token from the gateway again, or leave --token-file away on its own machine",
};

function refusal(status: number, text: string): Error {
  const parsed = errorBody.safeParse(parseJson(text));
  if (parsed.success && status === 401) return new RemoteError(status, { ...parsed.data.error, ...WRONG_TOKEN });
  if (parsed.success) return new RemoteError(status, parsed.data.error);
  return unreachable(`the answer was HTTP ${status}, not one of a Tidegate gateway`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
