/**
 * One HTTP request of the command line, over `node:http` or `node:https`: `fetch` could not be told the site's CA.
 * Edge room `cli`.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

export interface HttpRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** PEM of the root to trust instead of the system's; null: the system's. */
  readonly ca: string | null;
  /** Silence after which the request fails, in ms. */
  readonly idleMsMax: number;
  /** Ends the request, also in the middle of the answer. */
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** Length of the body in bytes, when it was said. */
  readonly length: number | null;
  /** The body as it arrives; iterate it to the end or abort the request. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends a request; resolves when the head of the answer is there. Rejects with Node's errors (`ECONNREFUSED` …). */
export type HttpTransport = (request: HttpRequest) => Promise<HttpAnswer>;

/** The real one. */
export const nodeTransport: HttpTransport = (request) =>
  new Promise((resolve, reject) => {
    const { url, method, headers, body, ca, signal } = request;
    const options = {
      method,
      headers: body === null ? headers : { ...headers, "content-length": String(Buffer.byteLength(body)) },
      ...(signal === undefined ? {} : { signal }),
      ...(ca === null ? {} : { ca }),
    };
    const onAnswer = (answer: IncomingMessage): void => resolve(answerOf(answer));
    const sent = url.protocol === "https:" ? httpsRequest(url, options, onAnswer) : httpRequest(url, options, onAnswer);
    sent.setTimeout(request.idleMsMax, () => sent.destroy(new Error(`no answer for ${request.idleMsMax} ms`)));
    sent.on("error", reject);
    sent.end(body ?? undefined);
  });

function answerOf(answer: IncomingMessage): HttpAnswer {
  const said = answer.headers["content-length"];
  return { status: answer.statusCode ?? 0, length: said === undefined ? null : Number(said), body: answer };
}
