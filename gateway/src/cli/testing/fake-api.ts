/** A gateway's HTTP API for tests of the commands: real sockets, canned answers, every request remembered. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** Status and JSON body, or a function that writes the response itself. */
export type CannedAnswer = readonly [number, unknown] | ((request: SeenRequest, response: ServerResponse) => void);

export const ADMIN_TOKEN = "tga_test-token";

export class FakeApi {
  readonly seen: SeenRequest[] = [];
  readonly #answers = new Map<string, CannedAnswer[]>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeApi> {
    const api = new FakeApi();
    await new Promise<void>((resolve) => api.#server.listen(0, "127.0.0.1", resolve));
    return api;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  /** Answers to `METHOD /path`, one after the other; the last one stays. */
  on(route: string, ...answers: CannedAnswer[]): this {
    this.#answers.set(route, answers);
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString("utf8");
    const { method = "", url = "", headers } = request;
    const seen = { method, path: url, headers, body: text === "" ? null : (JSON.parse(text) as unknown) };
    this.seen.push(seen);
    if (headers.authorization !== `Bearer ${ADMIN_TOKEN}`) {
      return reply(
        response,
        401,
        error("E_UNAUTHORIZED", "the request carries no valid credential", "wrong token", "send the admin token"),
      );
    }
    const known = this.#answers.get(`${method} ${url.split("?")[0]}`) ?? [];
    const answer = known.length > 1 ? known.shift() : known[0];
    if (answer === undefined)
      return reply(response, 404, error("E_NOT_FOUND", "there is no such thing", url, "check the name"));
    if (typeof answer === "function") answer(seen, response);
    else reply(response, answer[0], answer[1]);
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(status === 204 ? undefined : JSON.stringify(body));
}

/** An error body of the API. */
export function error(code: string, what: string, why: string, fix: string): unknown {
  return { error: { code, what, why, fix } };
}
