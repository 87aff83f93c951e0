/**
 * The failure page: stands where the dashboard would, while the configuration is bad. On loopback only, because it
 * needs no login, and without a value out of the file.
 *
 *   GET /         the page, 503          GET /healthz   503 {"status":"failed"}
 *   GET /assets/  its script and style   anything else  503, the error as the API writes it
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type FailureView, failureHtml } from "./failure-view.js";
import { hostAllowed } from "./guard-rules.js";
import { SECURITY_HEADERS } from "./security-headers.js";
import { type Asset, failureAssets } from "./static-assets.js";

const LOOPBACK = "127.0.0.1";
const CONNECTIONS_MAX = 64;
const NO_NAMES: ReadonlySet<string> = new Set();
const LIMITS = { headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 2_000, maxHeaderSize: 16 * 1024 };

/** One page on one port; `show` changes what it says. */
export class FailureServer {
  readonly #server: Server;
  readonly #files: ReadonlyMap<string, Asset>;
  readonly #names: { readonly style: string; readonly script: string };
  #view: FailureView;

  /** @param webDir the built dashboard, for script and style; the page works without. */
  constructor(webDir: string, view: FailureView) {
    this.#view = view;
    const { files, style, script } = failureAssets(webDir);
    this.#files = files;
    this.#names = { style, script };
    this.#server = createServer(LIMITS, (request, response) => this.#answer(request, response));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Listen on loopback. @param port any free one when it is 0 or taken. @returns the page's address */
  async listen(port: number): Promise<string> {
    const bound = await this.#bind(port).catch(() => this.#bind(0));
    return `http://${LOOPBACK}:${bound}/`;
  }

  show(view: FailureView): void {
    this.#view = view;
  }

  /** Free the port at once: the gateway is to have it. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #bind(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, LOOPBACK, () => {
        this.#server.off("error", reject);
        resolve((this.#server.address() as AddressInfo).port); // a listening TCP server has one
      });
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { status, type, body } = this.#reply(request);
    response.writeHead(status, { ...SECURITY_HEADERS, "Cache-Control": "no-store", "Content-Type": type });
    response.end(body);
  }

  #reply({ headers, url }: IncomingMessage): Reply {
    if (!hostAllowed(headers.host, LOOPBACK, NO_NAMES)) {
      return { status: 403, type: "text/plain", body: "the gateway is not reached by that name" };
    }
    const path = (url ?? "/").split("?")[0] ?? "/";
    const asset = path.startsWith("/assets/") ? this.#files.get(path.slice("/assets/".length)) : undefined;
    if (asset !== undefined) return { status: 200, type: asset.type, body: asset.bytes };
    if (path === "/healthz") return json({ status: "failed" });
    if (headers.accept?.includes("text/html") === true) {
      return { status: 503, type: "text/html; charset=utf-8", body: failureHtml(this.#view, this.#names) };
    }
    const { what, problems, fix } = this.#view;
    const [code = ""] = what.split(":");
    const why = problems.map(({ place, message }) => [place, message].filter(Boolean).join(": ")).join("\n");
    return json({ error: { code, what, why, fix } });
  }
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string | Uint8Array;
}

function json(value: unknown): Reply {
  return { status: 503, type: "application/json", body: JSON.stringify(value) };
}
