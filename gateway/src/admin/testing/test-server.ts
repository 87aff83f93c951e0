/** An admin server on a free loopback port over a fake gateway, with a plain client. */
import { SystemClock } from "../../core/clock.js";
import { SILENT } from "../../core/log.js";
import { Metrics } from "../../core/metrics.js";
import { SystemRandom } from "../../core/random.js";
import { AdminServer, type AdminServerOptions } from "../admin-server.js";
import { FakeHost } from "./fake-host.js";

export const TOKEN = "tga_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";

export interface TestServer {
  readonly host: FakeHost;
  readonly server: AdminServer;
  readonly metrics: Metrics;
  /** e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  readonly port: number;
  /** A request with the admin token; headers given as undefined are left out. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  /** Log in with a fresh code; returns the Cookie header to send. */
  cookie(): Promise<string>;
  stop(): Promise<void>;
}

export interface AskOptions {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  /** Send no credential. */
  readonly anonymous?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, or null. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers whose shape is what they check
  readonly json: any;
}

export async function startTestServer(
  options: Partial<AdminServerOptions> = {},
  host = new FakeHost(),
): Promise<TestServer> {
  const metrics = new Metrics();
  const server = new AdminServer({
    host,
    listenHost: "127.0.0.1",
    port: 0,
    names: ["attic-pi.lan"],
    tls: null,
    adminToken: TOKEN,
    webDir: "/nonexistent",
    clock: new SystemClock(),
    random: new SystemRandom(),
    metrics,
    log: SILENT,
    ...options,
  });
  const port = await server.listen();
  await server.follow();
  const url = server.url;
  const ask = (method: string, path: string, how: AskOptions = {}) => request(url, method, path, how);
  const cookie = async (): Promise<string> => {
    const code = server.loginLink().split("#")[1];
    const answer = await ask("POST", "/api/v1/login", { anonymous: true, body: { code } });
    return (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  };
  return { host, server, metrics, url, port, ask, cookie, stop: () => server.stop() };
}

async function request(url: string, method: string, path: string, how: AskOptions): Promise<Answer> {
  const headers: Record<string, string> = { ...how.headers };
  if (how.anonymous !== true && headers["authorization"] === undefined) headers["authorization"] = `Bearer ${TOKEN}`;
  if (how.body !== undefined) headers["content-type"] ??= "application/json";
  const body = how.body === undefined ? null : typeof how.body === "string" ? how.body : JSON.stringify(how.body);
  const response = await fetch(url + path, { method, headers, body, redirect: "manual" });
  const text = await response.text();
  let json = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Not every answer is JSON.
  }
  return { status: response.status, headers: response.headers, text, json };
}
