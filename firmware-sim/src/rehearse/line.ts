/**
 * A TCP line of our own between two processes, which can be bad in the ways real ones are.
 *
 *   client ══▶ 127.0.0.1:port ──▶ server        open      everything passes
 *          ◀══                ◀──               cut       connections are reset, new ones too
 *                                               frozen    nothing passes, nobody is told: half-open, or black-holing
 *                                               deaf      the server gets everything, its answers vanish
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export type LineState = "open" | "cut" | "frozen" | "deaf";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** A connection that was frozen or deaf has lost bytes: it never becomes sound again. */
  isSpoilt: boolean;
}

/** Connections at once; more are reset. */
const CONNECTIONS_MAX = 2_000;

/** One line; owns its port and its connections until `close`. */
export class Line {
  #state: LineState = "open";
  readonly #pairs = new Set<Pair>();
  readonly #server: Server;
  readonly #targetPort: number;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client));
  }

  /** Listen on a free port of the loopback; pass on to `targetPort` there. */
  static open(targetPort: number): Promise<Line> {
    const line = new Line(targetPort);
    return new Promise((resolve, reject) => {
      line.#server.once("error", reject);
      line.#server.listen(0, "127.0.0.1", () => resolve(line));
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens on TCP
  }

  get connectionCount(): number {
    return this.#pairs.size;
  }

  /** From now on. Connections that lost bytes are reset when the line opens again. */
  set(state: LineState): void {
    this.#state = state;
    for (const pair of this.#pairs) {
      if (state === "frozen" || state === "deaf") pair.isSpoilt = true;
      else if (state === "cut" || pair.isSpoilt) this.#reset(pair);
    }
  }

  /** Connections are frozen as they are; new ones are sound: the old ones stay half-open until somebody notices. */
  freezeConnections(): void {
    for (const pair of this.#pairs) pair.isSpoilt = true;
  }

  close(): Promise<void> {
    for (const pair of this.#pairs) this.#reset(pair);
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    client.on("error", () => {}); // its close follows
    if (this.#state === "cut" || this.#pairs.size >= CONNECTIONS_MAX) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: this.#targetPort, host: "127.0.0.1", noDelay: true });
    server.on("error", () => {}); // its close follows
    const pair: Pair = { client, server, isSpoilt: this.#state !== "open" };
    const isDeaf = (): boolean => pair.isSpoilt && this.#state === "deaf";
    this.#pairs.add(pair);
    client.on("data", (bytes) => {
      if ((!pair.isSpoilt || isDeaf()) && !server.write(bytes)) client.pause();
    });
    server.on("data", (bytes) => {
      if (!pair.isSpoilt && !client.write(bytes)) server.pause();
    });
    server.on("drain", () => client.resume());
    client.on("drain", () => server.resume());
    const onEnd = (): void => {
      if (!pair.isSpoilt) this.#reset(pair);
      else if (client.destroyed || server.destroyed) this.#pairs.delete(pair);
    };
    client.on("close", onEnd);
    server.on("close", onEnd);
  }

  #reset(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.client.destroy();
    pair.server.destroy();
  }
}
