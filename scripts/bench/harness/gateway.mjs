// The gateway under measurement: the real program with a configuration of its own on free ports of the loopback.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { inRoot } from "../../workspace/report.mjs";
import { Program, until } from "./processes.mjs";

const BIN = inRoot("gateway/bin/tidegate.js");

/** So high that no guard against noisy devices or crowds decides a benchmark. */
const OPEN_DOORS = {
  maxConnections: 20_000,
  maxHandshakes: 10_000,
  handshakesPerSecond: 10_000,
  messagesPerSecond: 100_000,
  messageBurst: 1_000_000,
};

/** A running gateway. */
export class Gateway {
  #program;
  #base;
  #token;

  constructor(program, dataDir, { url, pid }) {
    this.#program = program;
    this.#base = url.replace(/\/$/, "");
    this.#token = readFileSync(join(dataDir, "admin.token"), "utf8").trim();
    this.dataDir = dataDir;
    this.pid = pid;
    this.devicesPort = 0;
  }

  /**
   * Starts one and waits until it is ready.
   * @param {string} folder its own; `<folder>/data` may hold the data of an earlier one
   * @param {{ devices?: object, sinks?: object[], storage?: object, history?: object }} [settings] in the words of
   *   tidegate.yaml
   * @param {string[]} [nodeArgs] further options of Node
   */
  static async start(folder, settings = {}, nodeArgs = []) {
    const dataDir = join(folder, "data");
    const configFile = join(folder, "tidegate.yaml");
    mkdirSync(folder, { recursive: true });
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify(configOf(dataDir, settings)));
    const args = [...nodeArgs, "--disallow-code-generation-from-strings", BIN, "run", "--config", configFile];
    // One that was killed has left its own behind.
    rmSync(join(dataDir, "gateway.json"), { force: true });
    const program = new Program(process.execPath, args, { cwd: folder, hasChannel: true });
    const announced = join(dataDir, "gateway.json");
    await until("the gateway was ready", () => existsSync(announced), { program });
    const gateway = new Gateway(program, dataDir, JSON.parse(readFileSync(announced, "utf8")));
    gateway.devicesPort = (await gateway.status()).ports.devices;
    return gateway;
  }

  /** Where the API listens. */
  get adminPort() {
    return Number(new URL(this.#base).port);
  }

  /** What the API wants from everybody. */
  get adminToken() {
    return this.#token;
  }

  /** GET /api/v1/status. */
  status() {
    return this.#call("GET", "/api/v1/status");
  }

  /** The heap of each thread, from /metrics, in bytes. */
  async heaps() {
    const headers = { token: this.#token, method: "GET" };
    const { text } = await ask(`${this.#base}/metrics`, headers);
    const read = (name) =>
      new Map(
        [...text.matchAll(new RegExp(`^tidegate_${name}{thread="(\\w+)"} (\\d+)`, "gm"))].map((m) => [m[1], +m[2]]),
      );
    const sizes = read("heap_size_bytes");
    return [...read("heap_used_bytes")].map(([thread, usedBytes]) => ({
      thread,
      usedBytes,
      sizeBytes: sizes.get(thread) ?? 0,
    }));
  }

  /** The only configured sink, from GET /api/v1/sinks. */
  async sink() {
    return (await this.#call("GET", "/api/v1/sinks")).sinks[0];
  }

  /** Adds a device; answers its id, token and CA. */
  addDevice(deviceId) {
    return this.#call("POST", "/api/v1/devices", { deviceId });
  }

  /** Ends it in good order, so that its data can be used again. */
  stop() {
    return this.#program.stop();
  }

  /** Ends it at once; its data is not needed any more. */
  kill() {
    return this.#program.kill();
  }

  /** A failure told with the gateway's own last words. */
  failure(why) {
    return this.#program.failure(why);
  }

  async #call(method, path, body) {
    const { status, text } = await ask(`${this.#base}${path}`, { method, token: this.#token, body });
    if (status >= 300) throw this.failure(`${method} ${path} answered ${status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
}

/** One request on a connection of its own: one that is kept may be closed at the moment it is used again. */
function ask(url, { method, token, body }) {
  const text = body === undefined ? "" : JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    ...(text === "" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false });
    asked.once("error", reject);
    asked.once("response", async (response) => {
      try {
        resolve({ status: response.statusCode, text: Buffer.concat(await response.toArray()).toString() });
      } catch (error) {
        reject(error);
      }
    });
    asked.end(text);
  });
}

function configOf(dataDir, { devices = {}, sinks = [], storage = {}, history = {} }) {
  return {
    version: 1,
    gateway: { id: "bench", dataDir },
    devices: { listen: "127.0.0.1:0", tls: "off", ...OPEN_DOORS, ...devices },
    admin: { listen: "127.0.0.1:0" },
    storage: { quota: "16GiB", ...storage },
    history,
    sinks,
    log: { level: "warn", format: "json" },
  };
}
