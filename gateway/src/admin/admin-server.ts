/**
 * The admin listener: one port for the API, the dashboard and both doors of the live feed.
 *
 *   http(s) server ──request──▶ admin-app (hono)
 *                  ──upgrade──▶ Host? Origin? credential? place? ──▶ live-socket
 *
 * Life: `listen` (health says starting) ─▶ `follow` (live feed opens) ─▶ `stop` (viewers told, sockets closed within
 * a second).
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import { createAdminApp, hostRefused, noCredential, originRefused } from "./admin-app.js";
import { AdminAuth, type Credential, type LoginLimits } from "./admin-auth.js";
import type { AdminHost } from "./admin-host.js";
import { checkExposure, hostAllowed, isLoopback, originAllowed } from "./guard-rules.js";
import { LiveFeed } from "./live-feed.js";
import type { LiveLimits } from "./live-limits.js";
import { LiveSocketDoor, refuseUpgrade } from "./live-socket.js";
import { resumePoint } from "./live-sse.js";
import type { SessionKeeping } from "./login-sessions.js";
import { loadAssets } from "./static-assets.js";

/** Slow and silent peers cost a socket each; past this many the kernel makes newcomers wait. */
const CONNECTIONS_MAX = 2048;
const STOP_MS_MAX = 1000;
const TLS_VERSION_MIN = "TLSv1.2";
const HTTP_LIMITS: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
};

export interface AdminServerOptions {
  readonly host: AdminHost;
  readonly listenHost: string;
  /** 0: any free port. */
  readonly port: number;
  /** Further names the gateway is reached by: admin.names, and those of this machine when not on loopback. */
  readonly names: readonly string[];
  /** PEM texts; `off`: said by the operator; null: nothing said. */
  readonly tls: { readonly key: string; readonly cert: string } | "off" | null;
  readonly adminToken: string;
  /** The built dashboard. */
  readonly webDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly liveLimits?: Partial<LiveLimits>;
  readonly loginLimits?: Partial<LoginLimits>;
  /** Lets login sessions outlive a restart. */
  readonly sessions?: SessionKeeping;
}

/** The admin edge of one gateway; `main` makes one and calls `listen`, `follow`, `stop` in that order. */
export class AdminServer {
  readonly feed: LiveFeed;
  readonly #options: AdminServerOptions;
  readonly #auth: AdminAuth;
  readonly #server: Server;
  readonly #door: LiveSocketDoor;
  readonly #names: ReadonlySet<string>;
  #port = 0;

  constructor(options: AdminServerOptions) {
    const { host, clock, random, metrics, log, adminToken, liveLimits, sessions, loginLimits } = options;
    this.#options = options;
    this.#auth = new AdminAuth({
      adminToken,
      clock,
      random,
      passwords: host.password,
      metrics,
      sessions,
      limits: loginLimits,
    });
    this.feed = new LiveFeed({
      host,
      clock,
      metrics,
      log,
      ...(liveLimits === undefined ? {} : { limits: liveLimits }),
    });
    this.#door = new LiveSocketDoor(this.feed, clock);
    this.#names = new Set(options.names.map((name) => name.toLowerCase()));
    this.#server = this.#build();
  }

  /**
   * Check the loopback rule and listen, so that /healthz answers 503 while the rest still starts. Returns the bound
   * port. Errors: E_CONFIG_UNSAFE, E_PORT_BUSY, E_LISTEN.
   */
  async listen(): Promise<number> {
    const { host, listenHost, tls } = this.#options;
    const passwordSet = isLoopback(listenHost) || (await host.password.passwordHash()) !== null;
    checkExposure({ listenHost, passwordSet, tls: tls === null ? "none" : tls === "off" ? "off" : "files" });
    await this.#auth.restoreSessions();
    await this.#listen();
    this.#auth.bindCookieTo(this.#port);
    return this.#port;
  }

  /** Open the live feed; call once the spool can be read. Until then viewers are refused. */
  follow(): Promise<void> {
    return this.feed.start();
  }

  /** Base URL without a slash at the end, e.g. `http://127.0.0.1:8080`. */
  get url(): string {
    const { listenHost, tls } = this.#options;
    const anyAddress = listenHost === "0.0.0.0" || listenHost === "::";
    const name = anyAddress ? (this.#options.names[0] ?? "localhost") : listenHost;
    const scheme = tls === null || tls === "off" ? "http" : "https";
    return `${scheme}://${name.includes(":") ? `[${name}]` : name}:${this.#port}`;
  }

  /** A link that logs one browser in, once, within ten minutes. */
  loginLink(): string {
    return `${this.url}/login#${this.#auth.issueLoginCode().code}`;
  }

  /** Another key and certificate for connections from now on. Errors: E_TLS_FILES; the old ones stay then. */
  reload(tls: { readonly key: string; readonly cert: string }): void {
    if (!(this.#server instanceof TlsServer)) return;
    try {
      this.#server.setSecureContext({ key: tls.key, cert: tls.cert, minVersion: TLS_VERSION_MIN });
    } catch (error) {
      throw new GatewayError("E_TLS_FILES", `admin.tls: ${String(error)}`, { cause: error });
    }
  }

  /** Tell viewers, stop listening, and end what is left after a second. */
  async stop(): Promise<void> {
    this.feed.stop();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const cancel = this.#options.clock.after(STOP_MS_MAX, () => this.#server.closeAllConnections());
    await closed;
    cancel();
  }

  #build(): Server {
    const { host, tls, clock, webDir, log } = this.#options;
    const secure = tls !== null && tls !== "off";
    const app = createAdminApp({
      host,
      auth: this.#auth,
      feed: this.feed,
      clock,
      assets: loadAssets(webDir),
      secure,
      log,
      hostAllowed: (name) => this.#hostAllowed(name),
    });
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    const server = secure ? this.#tlsServer(tls) : createServer(HTTP_LIMITS);
    server.on("request", (request, response) => void listener(request, response));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    server.maxConnections = CONNECTIONS_MAX;
    return server;
  }

  #tlsServer(tls: { readonly key: string; readonly cert: string }): Server {
    try {
      return createTlsServer({ ...HTTP_LIMITS, key: tls.key, cert: tls.cert, minVersion: TLS_VERSION_MIN });
    } catch (error) {
      throw new GatewayError("E_TLS_FILES", `admin.tls: ${String(error)}`, { cause: error });
    }
  }

  #listen(): Promise<void> {
    const { listenHost, port } = this.#options;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, listenHost, port));
      this.#server.once("error", failed);
      this.#server.listen(port, listenHost, () => {
        this.#server.off("error", failed);
        this.#server.on("error", (error) =>
          this.#options.log.warn({ error: error.message }, "the admin listener failed"),
        );
        const address = this.#server.address() as AddressInfo; // a listening TCP server has one
        this.#port = address.port;
        resolve();
      });
    });
  }

  #hostAllowed(name: string | undefined): boolean {
    return hostAllowed(name, this.#options.listenHost, this.#names);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const credential = this.#auth.check(request.headers.authorization, request.headers.cookie);
    const target = request.url ?? "/";
    const url = new URL(URL.canParse(target, "http://gateway") ? target : "/", "http://gateway");
    const refused = this.#refusal(request, credential, url.pathname);
    if (refused !== null || credential === null) {
      refuseUpgrade(socket, refused ?? noCredential());
      return;
    }
    const from = resumePoint(url.searchParams.get("after") ?? undefined, url.searchParams.get("store") ?? undefined);
    this.#door.accept(request, socket, head, { from, allowed: () => this.#auth.holds(credential) });
  }

  /** Why an upgrade is refused, in the order of the guards of the app; null: let it in. */
  #refusal(request: IncomingMessage, credential: Credential | null, path: string): GatewayError | null {
    const { host, origin } = request.headers;
    const fetchSite = request.headers["sec-fetch-site"];
    if (!this.#hostAllowed(host)) return hostRefused(host);
    if (!originAllowed(origin, host, typeof fetchSite === "string" ? fetchSite : undefined)) return originRefused();
    if (credential === null) return noCredential();
    if (path !== "/api/v1/live") return new GatewayError("E_NOT_FOUND", "the live feed is at /api/v1/live");
    return this.feed.hasPlace() ? null : new GatewayError("E_TOO_MANY", "all places for live viewers are taken");
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): GatewayError {
  const where = `admin.listen ${host}:${port}`;
  if (error.code === "EADDRINUSE") return new GatewayError("E_PORT_BUSY", `${where} is taken`, { cause: error });
  return new GatewayError("E_LISTEN", `${where}: ${error.message}`, { cause: error });
}
