/**
 * A real Mosquitto with a configuration of its own, and a subscriber whose log is the proof of what arrived.
 *
 * The subscriber has a persistent session and the broker keeps it on disk when it is stopped: what the broker acked
 * reaches the log also when both restart in between.
 */
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Child, until } from "./child.js";
import { freePort } from "./free-port.js";

export interface BrokerOptions {
  readonly dir: string;
  /** Full paths, because Debian puts the broker where an ordinary PATH does not look. */
  readonly mosquitto?: string;
  readonly mosquittoSub?: string;
  /** Further lines of mosquitto.conf; `allow_anonymous true` unless they say otherwise. */
  readonly lines?: readonly string[];
}

/** A broker that can go away and come back under its port. */
export class BrokerProcess {
  readonly #options: BrokerOptions;
  readonly port: number;
  #broker: Child | null = null;
  #subscriber: Child | null = null;

  private constructor(options: BrokerOptions, port: number) {
    this.#options = options;
    this.port = port;
  }

  static async start(options: BrokerOptions): Promise<BrokerProcess> {
    mkdirSync(options.dir, { recursive: true });
    const broker = new BrokerProcess(options, await freePort());
    const lines = options.lines ?? ["allow_anonymous true"];
    const config = [
      `listener ${broker.port} 127.0.0.1`,
      "persistence true",
      `persistence_location ${options.dir}/`,
      "max_queued_messages 0",
      "max_queued_bytes 0",
      "user root",
      ...lines,
    ];
    writeFileSync(join(options.dir, "mosquitto.conf"), `${config.join("\n")}\n`);
    await broker.start();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const broker = new Child(this.#options.mosquitto ?? "mosquitto", ["-c", join(this.#options.dir, "mosquitto.conf")]);
    this.#broker = broker;
    await until("the broker listens", () => {
      if (!broker.isRunning) throw new Error(`the broker ended: ${broker.words}`);
      return accepts(this.port);
    });
  }

  /** Stop the broker; its sessions are on disk. */
  async stop(): Promise<void> {
    await this.#broker?.stop();
  }

  /** End the broker as a power cut would: what it had not saved is gone. */
  async kill(): Promise<void> {
    await this.#broker?.kill();
  }

  get logFile(): string {
    return join(this.#options.dir, "received.log");
  }

  /** Log every message below tidegate/ with its topic, one line each. */
  async subscribe(filter = "tidegate/#", extra: readonly string[] = []): Promise<void> {
    const log = openSync(this.logFile, "a");
    const args = ["-h", "127.0.0.1", "-p", String(this.port), "-i", "rehearsal-log", "-c", "-q", "1", "-t", filter];
    const subscriber = new Child(this.#options.mosquittoSub ?? "mosquitto_sub", [...args, "-F", "%t %p", ...extra], {
      stdio: ["ignore", log, "pipe"],
    });
    this.#subscriber = subscriber;
    // What is published before the subscription stands is nobody's loss, and would look like one.
    await until("the subscriber hears", async () => {
      if (!subscriber.isRunning) throw new Error(`the subscriber ended: ${subscriber.words}`);
      await publishProbe(this.port);
      return !this.#isOpen || this.received().includes(PROBE_TOPIC);
    });
  }

  /** May anybody publish here? */
  get #isOpen(): boolean {
    return this.#options.lines?.includes("allow_anonymous true") ?? true;
  }

  /** Everything logged so far. */
  received(): string {
    return readFileSync(this.logFile, "utf8");
  }

  async end(): Promise<void> {
    await this.#subscriber?.stop();
    await this.#broker?.stop();
  }
}

const PROBE_TOPIC = "tidegate/rehearsal-probe";

/** One QoS 0 message in the bytes of MQTT 3.1.1: CONNECT with a clean session, PUBLISH, DISCONNECT. */
function publishProbe(port: number): Promise<void> {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
  const packet = (type: number, ...parts: Buffer[]): Buffer => {
    const body = Buffer.concat(parts);
    return Buffer.concat([Buffer.from([type, body.length]), body]);
  };
  const connectPacket = packet(0x10, text("MQTT"), Buffer.from([4, 2, 0, 10]), text("probe"));
  const publishPacket = packet(0x30, text(PROBE_TOPIC), Buffer.from("{}"));
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.end(Buffer.concat([connectPacket, publishPacket, packet(0xe0)]));
    });
    socket.on("error", () => {}); // asked again soon
    socket.on("data", () => {}); // CONNACK; unread, it would keep the socket from closing
    socket.once("close", () => resolve());
  });
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
