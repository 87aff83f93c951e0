/**
 * A sink of type `mqtt`: puts the rooms of this folder together around one connection at a time.
 *
 *   SinkMachine ──open──▶ MqttConnection ◀──publish── SinkLanes (statuses, answers, records, states in turns)
 *        ▲                     │
 *        └──── up, down ───────┴──commands──▶ CommandSource ──submit──▶ command store
 *
 * Pausing closes the connection: a paused sink asks nothing of its broker, and hears no commands.
 */
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import type { NewCommand } from "../model/command.js";
import type { SinkStatus } from "../model/sink.js";
import type { LiveEvent, Spool, SpoolReader } from "../model/spool.js";
import { CommandSource } from "./command-source.js";
import type { ConnectionOptions, Session } from "./connect-handshake.js";
import { type Dial, type DialTarget, systemDial, targetOf } from "./dial.js";
import { refused, type SinkFailure } from "./failure.js";
import { LiveFirst, type SinkPump } from "./live-first.js";
import { type ConnectionEvents, MqttConnection, type OutgoingMessage } from "./mqtt-connection.js";
import {
  KEEPALIVE_MS_DEFAULT,
  MQTT_LIMITS,
  type MqttLimits,
  type MqttSinkOptions,
  TOPIC_PREFIX_DEFAULT,
} from "./mqtt-options.js";
import { Pump, type PumpDeps } from "./pump.js";
import { ReplyQueue } from "./reply-queue.js";
import { RequeueLane } from "./requeue-lane.js";
import { SinkLanes } from "./sink-lanes.js";
import { SINK_STOPPED, type SinkEffect, type SinkEvent, type SinkMachineState, step } from "./sink-machine.js";
import { type SinkTestStep, testSink } from "./sink-test.js";
import { StateTopics } from "./state-topic.js";
import { type Presence, StatusTopics } from "./status-topics.js";
import { WatermarkTopics } from "./watermark-topics.js";

export interface MqttSinkDeps {
  readonly reader: Pick<SpoolReader, "rendered" | "requeued">;
  readonly spool: Pick<Spool, "saveCursor" | "quarantine" | "settleRequeued">;
  /** Where this sink stands: from `Spool.openSinks`. */
  readonly cursor: number;
  /** The newest record there is; for `liveFirst`. */
  readonly lastRecordId?: number;
  /** Resolves when the command is durable; rejects with a GatewayError. Absent: commands are not subscribed to. */
  readonly submit?: (command: NewCommand) => Promise<unknown>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
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
  #cancelRetry: () => void = () => {};
  #cancelStable: () => void = () => {};
  readonly #options: MqttSinkOptions;
  readonly #deps: MqttSinkDeps;
  readonly #limits: MqttLimits;
  readonly #target: DialTarget;
  readonly #topicHead: string;
  readonly #log: Logger;
  readonly #pump: SinkPump;
  readonly #states: StateTopics;
  readonly #statuses: StatusTopics;
  readonly #watermarks: WatermarkTopics;
  readonly #replies: ReplyQueue;
  readonly #requeued: RequeueLane;
  readonly #lanes: SinkLanes;
  readonly #commands: CommandSource | null;

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
    const shed = deps.metrics.counter("sink_shed", "State, status and answer messages that found no room or no taker");
    this.#watermarks = this.#makeWatermarks(shed);
    this.#pump = this.#makePump();
    this.#states = this.#makeStates(shed);
    this.#statuses = new StatusTopics(this.#topicHead, this.#limits.devices, shed);
    this.#replies = new ReplyQueue(deps.clock, shed);
    const [statuses, replies, pump, states] = [this.#statuses, this.#replies, this.#pump, this.#states];
    const requeueOptions = { sink: this.name, topicHead: this.#topicHead };
    const wake = (): void => this.#lanes.fill();
    this.#requeued = new RequeueLane(requeueOptions, { reader: deps.reader, spool: deps.spool, log: this.#log, wake });
    const [watermarks, requeued] = [this.#watermarks, this.#requeued];
    this.#lanes = new SinkLanes({ statuses, replies, pump, states, watermarks, requeued });
    this.#commands = deps.submit === undefined ? null : this.#makeCommands(deps.submit);
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
    this.#pump.committed(lastRecordId);
  }

  /** A record that this sink has aside is to be tried again. */
  requeued(): void {
    this.#requeued.look();
  }

  /** A live event, for the retained state. Only readings count. */
  observe(event: LiveEvent): void {
    this.#states.observe(event);
  }

  presenceChanged(device: string, presence: Presence): void {
    this.#statuses.changed(device, presence);
    this.#lanes.fill();
  }

  /** The device is no longer known: what is retained of it is cleared at the broker. */
  forgotten(device: string): void {
    this.#states.forget(device);
    this.#watermarks.forget(device);
    this.#statuses.forget(device);
    this.#lanes.fill();
  }

  /** Every record up to this id was taken by the broker or is in quarantine. */
  get cursor(): number {
    return this.#pump.cursor;
  }

  status(): SinkStatus {
    const { phase, failure } = this.#state;
    const session = phase === "up" ? this.#connection?.session : undefined;
    return {
      name: this.name,
      type: "mqtt",
      state: phase,
      target: `${this.#target.tls === null ? "mqtt" : "mqtts"}://${this.#target.host}:${this.#target.port}`,
      lastError: problemOf(failure, this.#pump.isUnheard),
      connectedSinceUnixMs: this.#connectedSinceUnixMs,
      deliveredCount: this.#pump.deliveredCount,
      inFlightCount: this.#pump.inFlightCount,
      quarantinedCount: this.#pump.quarantinedCount,
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
        this.#cancelRetry = clock.after(effect.delayMs, () => this.#step({ type: "retry" }));
        return;
      case "stableAfter":
        this.#cancelStable = clock.after(this.#limits.stableAfterMs, () => this.#step({ type: "stable" }));
        return;
      case "cancelTimers":
        this.#cancelRetry();
        this.#cancelStable();
    }
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
      room: () => this.#lanes.fill(),
      message: (message) => this.#commands?.received(message),
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
    this.#lanes.attach(connection);
    void this.#lanes.sendFirst(this.#ownStatus("online"));
    if (this.#commands !== null) {
      this.#commands.attach((messageId) => {
        connection.ackMessage(messageId);
        connection.flush();
      });
      connection.subscribe(this.#commands.filter);
    }
    this.#lanes.fill();
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
    this.#lanes.detach(byBroker);
    this.#commands?.detach();
  }

  #subscribed(granted: readonly number[]): void {
    if (granted.every((code) => code < 0x80)) return;
    const fix = `allow this user to read ${this.#commands?.filter ?? ""} in the broker's ACL`;
    this.#log.warn({ granted, fix }, "the broker does not let the gateway hear commands");
  }

  #ownStatus(payload: "online" | "offline"): OutgoingMessage {
    return { topic: `${this.#topicHead}status`, payload, retain: true };
  }

  async #farewell(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    if (this.#connectedSinceUnixMs !== null)
      await this.#withinStopTimeout(this.#lanes.sendLast(this.#ownStatus("offline")));
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

  #makePump(): SinkPump {
    const { reader, spool, clock, random, metrics, cursor, lastRecordId = cursor } = this.#deps;
    const { requiresSubscriber = false, liveFirst } = this.#options;
    const options = { sink: this.name, topicHead: this.#topicHead, cursor, limits: this.#limits, requiresSubscriber };
    const deps: PumpDeps = {
      ...{ reader, spool, clock, random, log: this.#log },
      counters: {
        delivered: metrics.counter("sink_delivered", "Records acked by a sink"),
        retried: metrics.counter("sink_retried", "Records sent to a sink again"),
        quarantined: metrics.counter("sink_quarantined", "Records a sink would not take"),
      },
      wake: () => this.#lanes.fill(),
      fail: (failure) => this.#connection?.abort(failure),
      passed: (slice, index) => this.#watermarks.passed(slice, index),
    };
    if (liveFirst === undefined) return new Pump(options, deps);
    const { backlogCountMin } = this.#limits;
    return new LiveFirst({ ...options, ...liveFirst, backlogCountMin, lastRecordId }, deps);
  }

  #makeWatermarks(shed: ReturnType<Metrics["counter"]>): WatermarkTopics {
    const { watermarkIntervalMs, devices } = this.#limits;
    const options = { topicHead: this.#topicHead, intervalMs: watermarkIntervalMs, devicesMax: devices };
    return new WatermarkTopics(options, { clock: this.#deps.clock, shed, wake: () => this.#lanes.fill() });
  }

  #makeStates(shed: ReturnType<Metrics["counter"]>): StateTopics {
    const { stateIntervalMs, devices } = this.#limits;
    const options = { topicHead: this.#topicHead, intervalMs: stateIntervalMs, devicesMax: devices };
    return new StateTopics(options, { clock: this.#deps.clock, shed, wake: () => this.#lanes.fill() });
  }

  #makeCommands(submit: (command: NewCommand) => Promise<unknown>): CommandSource {
    const { metrics } = this.#deps;
    const topics = { topicHead: this.#topicHead, source: `mqtt:${this.name}` };
    return new CommandSource(topics, this.#limits.commandsPending, {
      ...{ submit, log: this.#log },
      reply: (message) => {
        this.#replies.add(message);
        this.#lanes.fill();
      },
      refused: metrics.counter("sink_commands_refused", "Messages at command topics that were refused"),
      retained: metrics.counter("sink_commands_retained", "Commands refused for their retain flag"),
    });
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
