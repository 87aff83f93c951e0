/**
 * A bad line: a TCP relay between one device and the gateway, in this process. It sees only ciphertext.
 *
 *   device ══▶ 127.0.0.1:port  ─pipe─▶  gateway
 *                              ◀─pipe─
 *   dropLink   both ends are reset; who comes too early is turned away
 *   halfOpen   both pipes freeze; later what was held is delivered late, or the line dies
 *   slow       both pipes are narrow
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@tidegate/device-sdk";
import { usageError } from "../sim-error.js";
import { RelayPipe } from "./relay-pipe.js";

interface Connection {
  readonly device: Socket;
  readonly gateway: Socket;
  readonly pipes: readonly RelayPipe[];
  isFrozen: boolean;
}

/** What a line is like. */
export interface RelayOptions {
  readonly clock: Clock;
  /** Speed of the line, either way; null: as fast as it goes. */
  readonly bytesPerS: number | null;
}

/** Connections at once; frozen ones are kept a while. A device has one, and opens the next when it notices. */
const CONNECTIONS_MAX = 16;

/** The relay of one device. Owns its port and its connections until `close`. */
export class LinkRelay {
  /** Connections turned away because too many frozen ones were kept. */
  refused = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  readonly #timers = new Set<() => void>();
  #awayUntilMs = Number.NEGATIVE_INFINITY;

  private constructor(target: { host: string; port: number }, options: RelayOptions) {
    this.#target = target;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (device) => this.#accept(device));
  }

  /** Listen on a free port of the loopback, for a gateway at `url`. Rejects with Node's error when that fails. */
  static listen(url: string, options: RelayOptions): Promise<LinkRelay> {
    const { hostname, port, protocol } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    const relay = new LinkRelay({ host, port: port === "" ? (protocol === "wss:" ? 443 : 80) : Number(port) }, options);
    return new Promise((resolve, reject) => {
      relay.#server.once("error", reject);
      relay.#server.listen(0, "127.0.0.1", () => resolve(relay));
    });
  }

  /** The address that leads through the relay to what `url` names. */
  through(url: string): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the relay is closed");
    const way = new URL(url);
    way.hostname = "127.0.0.1";
    way.port = String(address.port);
    return way.href;
  }

  /** Reset every connection, and turn new ones away for `awayMs`. @returns whether there was a connection */
  dropLink(awayMs: number): boolean {
    const hasHit = this.#connections.size > 0;
    this.#awayUntilMs = Math.max(this.#awayUntilMs, this.#options.clock.monoMs() + awayMs);
    this.#resetAll();
    return hasHit;
  }

  /**
   * Let nothing pass on the connections of now, and tell nobody; new ones are sound.
   *
   * @param holdMs after this the line dies
   * @param deliversLate before it dies it delivers what it held, as TCP may
   * @returns whether there was a sound connection
   */
  halfOpen(holdMs: number, deliversLate: boolean): boolean {
    let hasHit = false;
    for (const connection of this.#connections) {
      if (connection.isFrozen) continue;
      connection.isFrozen = true;
      hasHit = true;
      for (const pipe of connection.pipes) pipe.freeze();
      this.#later(holdMs, () => {
        if (deliversLate) this.#thaw(connection);
        else this.#reset(connection);
      });
    }
    return hasHit;
  }

  /**
   * Take no new connections and close in order: what is on its way still goes through. Resolves when the port is free.
   *
   * @param graceMs after this the connections that are left are reset; frozen ones are reset at once
   */
  close(graceMs = 0): Promise<void> {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(graceMs, () => this.#resetAll());
      this.#server.close(() => {
        cancel();
        resolve();
      });
      for (const connection of this.#connections) if (connection.isFrozen) this.#reset(connection);
      if (graceMs === 0) this.#resetAll();
    });
  }

  #accept(device: Socket): void {
    device.on("error", () => {}); // its "close" follows, and says the same
    if (this.#options.clock.monoMs() < this.#awayUntilMs) {
      device.resetAndDestroy();
      return;
    }
    if (this.#connections.size >= CONNECTIONS_MAX) {
      this.refused++;
      device.resetAndDestroy();
      return;
    }
    const { clock, bytesPerS } = this.#options;
    const gateway = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    gateway.on("error", () => {}); // as above
    const pipes = [new RelayPipe(device, gateway, clock, bytesPerS), new RelayPipe(gateway, device, clock, bytesPerS)];
    const connection: Connection = { device, gateway, pipes, isFrozen: false };
    this.#connections.add(connection);
    const onClose = (): void => this.#forget(connection);
    device.on("close", onClose);
    gateway.on("close", onClose);
  }

  /** Both ends are gone. A frozen connection with one end left is still half open. */
  #forget(connection: Connection): void {
    if (!connection.device.destroyed || !connection.gateway.destroyed) return;
    for (const pipe of connection.pipes) pipe.stop();
    this.#connections.delete(connection);
  }

  #thaw(connection: Connection): void {
    connection.isFrozen = false;
    for (const pipe of connection.pipes) pipe.thaw();
  }

  #reset(connection: Connection): void {
    for (const pipe of connection.pipes) pipe.stop();
    cutOff(connection.device);
    cutOff(connection.gateway);
    this.#connections.delete(connection);
  }

  #resetAll(): void {
    for (const connection of this.#connections) this.#reset(connection);
  }

  #later(afterMs: number, fn: () => void): void {
    const cancel = this.#options.clock.after(afterMs, () => {
      this.#timers.delete(cancel);
      fn();
    });
    this.#timers.add(cancel);
  }
}

/** Reset; or close, when an end waits behind bytes that nobody takes: Node then fails to reset it, and keeps it. */
function cutOff(socket: Socket): void {
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Checks that a device may go through a relay: it must pin the gateway's CA (then a constant name is checked, whatever
 * the address), or use no TLS. @throws SimError usage
 */
export function checkRelayable(url: string, ca: string | null): void {
  if (ca !== null || new URL(url).protocol === "ws:") return;
  throw usageError(
    "faults of the link need a gateway with its own CA: a relay has another name than the certificate",
    "leave out --drop-link, --half-open and --slow-link, or use a gateway without devices.tls",
  );
}
