/**
 * A sink of type `mqtt`: one connection at a time, and its parts (sink-parts.ts) attached to it while it is up.
 *
 *   SinkMachine ──open──▶ MqttConnection ◀──publish── SinkLanes (statuses, answers, records, states in turns)
 *        ▲                     │
 *        └──── up, down ───────┴──commands──▶ CommandSource ──submit──▶ command store
 *
 * Pausing closes the connection: a paused sink asks nothing of its broker, and hears no commands.
 */
import { GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { SinkStatus } from "../model/sink.js";
import type { LiveEvent } from "../model/spool.js";
import type { ConnectionOptions, Session } from "./connect-handshake.js";
import { type Dial, type DialTarget, systemDial, targetOf } from "./dial.js";
import { refused, type SinkFailure } from "./failure.js";
import { type ConnectionEvents, MqttConnection, type OutgoingMessage } from "./mqtt-connection.js";
import {
  KEEPALIVE_MS_DEFAULT,
  MQTT_LIMITS,
  type MqttLimits,
  type MqttSinkOptions,
  TOPIC_PREFIX_DEFAULT,
} from "./mqtt-options.js";
import { SINK_STOPPED, type SinkEffect, type SinkEvent, type SinkMachineState, step } from "./sink-machine.js";
import { makeSinkParts, type SinkParts, type SinkPartsDeps } from "./sink-parts.js";
import { type SinkTestStep, testSink } from "./sink-test.js";
import type { Presence } from "./status-topics.js";

/** What a sink works with. */
export interface MqttSinkDeps extends SinkPartsDeps {
  /** Opens sockets; the system's unless told. */
  readonly dial?: Dial;
}

/** QoS 1 messages the broker may send us unacked; on MQTT 5 it is told. */
const INCOMING_WINDOW = 32;

/** One configured sink. Its calls return at once and never throw; what happens is in `status()` and the log. */
export class MqttSink {
  readonly name: string;
  #state: SinkMachineState = SINK_STOPPED;
  #connection: MqttConnection | null = null;
  #closing: Promise<void> = Promise.resolve();
  #connectedSinceUnixMs: number | null = null;
  #reconnectCount = 0;
  #retryAtMonoMs: number | null = null;
  #cancelRetry: () => void = () => {};
  #cancelStable: () => void = () => {};
  readonly #options: MqttSinkOptions;
  readonly #deps: MqttSinkDeps;
  readonly #limits: MqttLimits;
  readonly #target: DialTarget;
  readonly #topicHead: string;
  readonly #log: Logger;
  readonly #parts: SinkParts;

  /** Nothing happens before `start`. Errors: E_CONFIG_INVALID when the url is none of `mqtt://` and `mqtts://`. */
  constructor(options: MqttSinkOptions, deps: MqttSinkDeps) {
    const target = targetOf(options.url, options.tls);
    if (target === null) {
      const fix = "write it as mqtt://host:1883 or mqtts://host:8883";
      throw new GatewayError("E_CONFIG_INVALID", `the url of sink ${options.name} cannot be used`, { fix });
    }
    this.name = options.name;
    this.#options = options;
    this.#deps = deps;
    this.#target = target;
    this.#limits = { ...MQTT_LIMITS, ...options.limits };
    this.#topicHead = `${options.topicPrefix ?? TOPIC_PREFIX_DEFAULT}/${options.gatewayId}/`;
    this.#log = deps.log.child({ sink: options.name });
    this.#parts = makeSinkParts(
      { options, limits: this.#limits, topicHead: this.#topicHead },
      { ...deps, log: this.#log, fail: (failure) => this.#connection?.abort(failure) },
    );
  }

  start(): void {
    this.#step({ type: "start" });
  }

  /** Say offline, wait briefly for the last acks, save the cursor, close. Safe to call twice. */
  stop(): Promise<void> {
    this.#step({ type: "stop" });
    return this.#closing;
  }

  /** As `stop`, until `resume`. A stopped sink stays stopped. */
  pause(): Promise<void> {
    this.#step({ type: "pause" });
    return this.#closing;
  }

  /** Go on sending; a sink that waits for its next attempt makes it now. A stopped sink stays stopped. */
  resume(): void {
    this.#step({ type: "resume" });
  }

  /** Try the broker on a connection of its own: reach it, log in, publish, subscribe. Leaves the sink as it is. */
  test(): Promise<readonly SinkTestStep[]> {
    const { clock, dial = systemDial } = this.#deps;
    let options: ConnectionOptions;
    try {
      options = this.#connectionOptions(this.#state.version);
    } catch (error) {
      return Promise.resolve([{ step: "connect", ok: false, detail: failureToOpen(error).why }]);
    }
    const filter = `${this.#topicHead}+/cmd/+`;
    return testSink({ ...options, clientId: `${options.clientId}-test`, will: null }, this.#topicHead, filter, {
      clock,
      dial,
    });
  }

  /** Records up to this id are in the spool. */
  committed(lastRecordId: number): void {
    this.#parts.pump.committed(lastRecordId);
  }

  /** A record that this sink has aside is to be tried again. */
  requeued(): void {
    this.#parts.requeued.look();
  }

  /** A live event, for the retained state. Only readings count. */
  observe(event: LiveEvent): void {
    this.#parts.states.observe(event);
  }

  presenceChanged(device: string, presence: Presence): void {
    this.#parts.statuses.changed(device, presence);
    this.#parts.lanes.fill();
  }

  /** The device is no longer known: what is retained of it is cleared at the broker. */
  forgotten(device: string): void {
    this.#parts.states.forget(device);
    this.#parts.watermarks.forget(device);
    this.#parts.statuses.forget(device);
    this.#parts.lanes.fill();
  }

  /** Every record up to this id was taken by the broker or is in quarantine. */
  get cursor(): number {
    return this.#parts.pump.cursor;
  }

  status(): SinkStatus {
    const { phase, failure } = this.#state;
    const session = phase === "up" ? this.#connection?.session : undefined;
    return {
      name: this.name,
      type: "mqtt",
      state: phase,
      target: `${this.#target.tls === null ? "mqtt" : "mqtts"}://${this.#target.host}:${this.#target.port}`,
      lastError: problemOf(failure, this.#parts.pump.isUnheard),
      retryInMs: this.#retryInMs(),
      connectedSinceUnixMs: this.#connectedSinceUnixMs,
      deliveredCount: this.#parts.pump.deliveredCount,
      inFlightCount: this.#parts.pump.inFlightCount,
      quarantinedCount: this.#parts.pump.quarantinedCount,
      reconnectCount: this.#reconnectCount,
      protocol: session === undefined ? null : session.version === 5 ? "MQTT 5" : "MQTT 3.1.1",
    };
  }

  #step(event: SinkEvent): void {
    const { backoffBaseMs, backoffCapMs, blockedRetryMs } = this.#limits;
    const limits = { backoff: { baseMs: backoffBaseMs, capMs: backoffCapMs }, blockedRetryMs };
    const { state, effects } = step(this.#state, event, this.#deps.random.unit(), limits);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SinkEffect): void {
    const { clock } = this.#deps;
    switch (effect.type) {
      case "open":
        // A farewell may still be under way; two connections of one client id would end one another.
        this.#closing.then(() => this.#open(effect.version));
        return;
      case "close":
        this.#closing = this.#closing.then(() => this.#farewell());
        return;
      case "retryAfter":
        this.#retryAtMonoMs = clock.monoMs() + effect.delayMs;
        this.#cancelRetry = clock.after(effect.delayMs, () => this.#retry());
        return;
      case "stableAfter":
        this.#cancelStable = clock.after(this.#limits.stableAfterMs, () => this.#step({ type: "stable" }));
        return;
      case "cancelTimers":
        this.#retryAtMonoMs = null;
        this.#cancelRetry();
        this.#cancelStable();
    }
  }

  #retry(): void {
    this.#retryAtMonoMs = null;
    this.#step({ type: "retry" });
  }

  #retryInMs(): number | null {
    if (this.#retryAtMonoMs === null) return null;
    return Math.max(0, Math.round(this.#retryAtMonoMs - this.#deps.clock.monoMs()));
  }

  #open(version: 4 | 5): void {
    if (this.#state.phase !== "connecting" || this.#connection !== null) return;
    const { clock, dial = systemDial } = this.#deps;
    try {
      const options = this.#connectionOptions(version);
      this.#connection = new MqttConnection(options, { dial, clock }, this.#events());
    } catch (error) {
      this.#step({ type: "down", failure: failureToOpen(error) });
    }
  }

  #events(): ConnectionEvents {
    return {
      up: (session) => this.#up(session),
      down: (failure) => this.#down(failure),
      room: () => this.#parts.lanes.fill(),
      message: (message) => this.#parts.commands?.received(message),
      subscribed: (granted) => this.#subscribed(granted),
    };
  }

  #up(session: Session): void {
    const connection = this.#connection;
    if (connection === null) return;
    if (this.#options.requiresSubscriber === true && session.version !== 5) {
      connection.abort(CANNOT_TELL);
      return;
    }
    this.#connectedSinceUnixMs = this.#deps.clock.unixMs();
    this.#log.info(
      { target: this.#target.host, mqtt: session.version, window: session.window },
      "the sink is connected",
    );
    this.#step({ type: "up" });
    this.#parts.lanes.attach(connection);
    void this.#parts.lanes.sendFirst(this.#ownStatus("online"));
    if (this.#parts.commands !== null) {
      this.#parts.commands.attach((messageId) => {
        connection.ackMessage(messageId);
        connection.flush();
      });
      connection.subscribe(this.#parts.commands.filter);
    }
    this.#parts.lanes.fill();
  }

  #down(failure: SinkFailure): void {
    const wasUp = this.#state.phase === "up";
    this.#connection = null;
    this.#detach(failure.byBroker === true);
    if (wasUp) {
      this.#reconnectCount += 1;
      this.#deps.metrics.counter("sink_reconnects", "Broker sessions that ended without being asked to").add();
    }
    this.#log.warn({ code: failure.code, why: failure.why, fix: failure.fix }, "the sink is not connected");
    this.#step({ type: "down", failure });
  }

  #detach(byBroker: boolean): void {
    this.#connectedSinceUnixMs = null;
    this.#cancelStable();
    this.#parts.lanes.detach(byBroker);
    this.#parts.commands?.detach();
  }

  #subscribed(granted: readonly number[]): void {
    if (granted.every((code) => code < 0x80)) return;
    const fix = `allow this user to read ${this.#parts.commands?.filter ?? ""} in the broker's ACL`;
    this.#log.warn({ granted, fix }, "the broker does not let the gateway hear commands");
  }

  #ownStatus(payload: "online" | "offline"): OutgoingMessage {
    return { topic: `${this.#topicHead}status`, payload, retain: true };
  }

  async #farewell(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    if (this.#connectedSinceUnixMs !== null)
      await this.#withinStopTimeout(this.#parts.lanes.sendLast(this.#ownStatus("offline")));
    this.#detach(false);
    this.#connection = null;
    await connection.close();
  }

  #withinStopTimeout(done: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(this.#limits.stopTimeoutMs, resolve);
      done.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #connectionOptions(version: 4 | 5): ConnectionOptions {
    const { name, gatewayId, username, password, clientId, keepaliveMs, tlsFiles } = this.#options;
    const isPlain = this.#target.tls === null || tlsFiles === undefined;
    return {
      version,
      target: isPlain ? this.#target : { ...this.#target, tls: tlsFiles() },
      clientId: clientId ?? `tidegate-${gatewayId}-${name}`,
      username,
      password: password?.(),
      keepaliveMs: keepaliveMs ?? KEEPALIVE_MS_DEFAULT,
      will: { topic: `${this.#topicHead}status`, payload: "offline" },
      window: version === 5 ? this.#limits.window : Math.min(this.#limits.window, this.#limits.window311),
      incomingBytes: this.#limits.incomingBytes,
      incomingWindow: INCOMING_WINDOW,
      connectTimeoutMs: this.#limits.connectTimeoutMs,
    };
  }
}

/** Before a socket exists only the files named in the configuration can fail. */
function failureToOpen(error: unknown): SinkFailure {
  const why = `the connection cannot be prepared: ${error instanceof Error ? error.message : String(error)}`;
  return refused(why, "check passwordFile, ca, cert and key, and their permissions");
}

/** MQTT 3.1.1 has no words for "nobody subscribes". */
const CANNOT_TELL = refused(
  "requireSubscriber is set, and this broker speaks only MQTT 3.1.1, which cannot tell whether anybody reads",
  "use a broker with MQTT 5, or take requireSubscriber out",
);

/** Why a sink does not deliver; also of one that is connected. */
function problemOf(failure: SinkFailure | null, isUnheard: boolean): SinkStatus["lastError"] {
  if (failure !== null) return { code: failure.code, why: failure.why, fix: failure.fix };
  if (!isUnheard) return null;
  const why = "the broker is there, and nobody subscribes to what it would get";
  return { code: "E_SINK_NO_CONSUMER", why, fix: "start the consumer; the backlog waits for it" };
}
