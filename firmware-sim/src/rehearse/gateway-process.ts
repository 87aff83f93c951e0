/**
 * The real gateway as a child process in a folder of its own, with fixed ports so that it can come back under them.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Child, type Exit, until } from "./child.js";
import { freePort } from "./free-port.js";
import { stringifyYaml } from "./plain-yaml.js";

/** A machine may have other things to do than to start a gateway. */
const READY_MS_MAX = 120_000;

/** What `POST /api/v1/devices` answers: all that a device needs. */
export interface Credential {
  readonly deviceId: string;
  readonly token: string;
  readonly url: string;
  readonly ca: string;
}

/** Settings beside the ports, in the words of tidegate.yaml. */
export type Settings = Readonly<Record<string, unknown>>;

export interface GatewayOptions {
  /** An empty folder of the rehearsal's own. */
  readonly dir: string;
  readonly settings?: Settings;
  /** Put in front of `node`, e.g. strace with its options. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Another build of the gateway than the workspace's. */
  readonly bin?: string;
}

/** The gateway's program: the bin of the sibling package. */
export function gatewayBin(): string {
  return join(dirname(createRequire(import.meta.url).resolve("tidegate/package.json")), "bin", "tidegate.js");
}

/** One gateway that can be started, killed and started again on the same data. */
export class GatewayProcess {
  readonly dir: string;
  readonly configFile: string;
  readonly dataDir: string;
  readonly #options: GatewayOptions;
  #devicesPort = 0;
  #adminPort = 0;
  #child: Child | null = null;
  #wasReady = false;

  private constructor(options: GatewayOptions) {
    this.#options = options;
    this.dir = options.dir;
    this.configFile = join(options.dir, "tidegate.yaml");
    this.dataDir = join(options.dir, "data");
  }

  static async start(options: GatewayOptions): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(options);
    gateway.#devicesPort = await freePort();
    gateway.#adminPort = await freePort();
    mkdirSync(options.dir, { recursive: true });
    gateway.configure(options.settings ?? {});
    await gateway.start();
    return gateway;
  }

  /** Write the configuration for the next start. */
  configure(settings: Settings): void {
    const section = (key: string): object => (settings[key] as object | undefined) ?? {}; // the caller's own mapping
    const config = {
      version: 1,
      ...settings,
      gateway: { id: "rehearsal", ...section("gateway"), dataDir: this.dataDir },
      devices: { ...section("devices"), listen: `127.0.0.1:${this.#devicesPort}` },
      admin: { ...section("admin"), listen: `127.0.0.1:${this.#adminPort}` },
    };
    writeFileSync(this.configFile, stringifyYaml(config));
  }

  /** Start it and wait until it says that it is ready. */
  async start(): Promise<void> {
    const node = [process.execPath, "--disallow-code-generation-from-strings", this.#options.bin ?? gatewayBin()];
    const [command = "", ...args] = [...(this.#options.wrapper ?? []), ...node, "run", "--config", this.configFile];
    const child = new Child(command, args, {
      cwd: this.dir,
      env: { ...process.env, ...this.#options.env },
    });
    this.#child = child;
    this.#wasReady = false;
    const ready = async (): Promise<boolean> => {
      if (!child.isRunning) throw new Error(`the gateway ended: ${child.words}`);
      return this.#answers();
    };
    await until("the gateway is ready", ready, READY_MS_MAX);
    this.#wasReady = true;
  }

  async #answers(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.adminUrl}/healthz`);
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  /** SIGKILL, as a power cut would end it. */
  async kill(): Promise<void> {
    if (this.#options.wrapper !== undefined) process.kill(this.pid, "SIGKILL");
    await this.#child?.kill();
  }

  async stop(): Promise<Exit> {
    return this.#child?.stop() ?? { code: 0, signal: null };
  }

  /** Send a signal, e.g. SIGHUP. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Process id of the gateway itself, also below a wrapper. */
  get pid(): number {
    const text = readFileSync(join(this.dataDir, "gateway.json"), "utf8");
    return (JSON.parse(text) as { pid: number }).pid; // written by the gateway
  }

  get isRunning(): boolean {
    return this.#child?.isRunning === true;
  }

  /** It runs, and has said that it is ready. */
  get isReady(): boolean {
    return this.isRunning && this.#wasReady;
  }

  get words(): string {
    return this.#child?.words ?? "";
  }

  get exited(): Promise<Exit> {
    return this.#child?.exited ?? Promise.resolve({ code: 0, signal: null });
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.#adminPort}`;
  }

  get devicesPort(): number {
    return this.#devicesPort;
  }

  get adminToken(): string {
    return readFileSync(join(this.dataDir, "admin.token"), "utf8").trim();
  }

  /** One call of the HTTP API; the answer's JSON whatever its status. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${this.adminUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }

  async addDevice(deviceId: string): Promise<Credential> {
    const { status, body } = await this.call("POST", "/api/v1/devices", { deviceId });
    if (status >= 300) throw new Error(`device ${deviceId} was not added: ${JSON.stringify(body)}`);
    const issued = body as Credential; // checked by the API's own tests
    return { ...issued, deviceId };
  }
}

export interface Answer {
  readonly status: number;
  // The API's answers have many shapes; each caller knows the one it asked for.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly body: any;
}
