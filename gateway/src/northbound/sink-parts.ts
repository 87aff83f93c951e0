/**
 * What an `mqtt` sink has besides its connection, put together: what it sends, in which turns, and what it hears.
 *
 *   Pump | LiveFirst, StateTopics, StatusTopics, WatermarkTopics, ReplyQueue, RequeueLane ──▶ SinkLanes
 *                                                              CommandSource ──answers──▶ ReplyQueue
 */
import type { Clock } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import type { Counter, Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import type { AskedCommand } from "../model/command.js";
import type { Spool, SpoolReader } from "../model/spool.js";
import { CommandSource } from "./command-source.js";
import type { SinkFailure } from "./failure.js";
import { LiveFirst, type SinkPump } from "./live-first.js";
import type { MqttLimits, MqttSinkOptions } from "./mqtt-options.js";
import { Pump, type PumpDeps } from "./pump.js";
import { RecordRate } from "./record-rate.js";
import { ReplyQueue } from "./reply-queue.js";
import { RequeueLane } from "./requeue-lane.js";
import { SinkLanes } from "./sink-lanes.js";
import { StateTopics } from "./state-topic.js";
import { StatusTopics } from "./status-topics.js";
import { WatermarkTopics } from "./watermark-topics.js";

/** The sink's settings, with what follows from them. */
export interface SinkShape {
  readonly options: MqttSinkOptions;
  readonly limits: MqttLimits;
  /** First levels of every topic, with the slash behind them. */
  readonly topicHead: string;
}

/** What the parts of a sink work with. */
export interface SinkPartsDeps {
  readonly reader: Pick<SpoolReader, "rendered" | "requeued">;
  readonly spool: Pick<Spool, "saveCursor" | "quarantine" | "settleRequeued">;
  /** Where this sink stands: from `Spool.openSinks`. */
  readonly cursor: number;
  /** The newest record there is; for `liveFirst`. */
  readonly lastRecordId?: number;
  /** Resolves when the command is durable; rejects with a GatewayError. Absent: commands are not subscribed to. */
  readonly submit?: (command: AskedCommand) => Promise<unknown>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface SinkParts {
  readonly pump: SinkPump;
  readonly states: StateTopics;
  readonly statuses: StatusTopics;
  readonly watermarks: WatermarkTopics;
  readonly requeued: RequeueLane;
  readonly lanes: SinkLanes;
  /** null: the sink hears no commands. */
  readonly commands: CommandSource | null;
}

/** @param deps `fail` ends the session that is up, with this failure. */
export function makeSinkParts(
  shape: SinkShape,
  deps: SinkPartsDeps & { readonly fail: (failure: SinkFailure) => void },
): SinkParts {
  const { topicHead, limits, options } = shape;
  const { clock, reader, spool, log, metrics } = deps;
  const shed = metrics.counter("sink_shed", "State, status and answer messages that found no room or no taker");
  const wake = (): void => lanes.fill();
  const rest = { clock, shed, wake };
  const { devices: devicesMax, watermarkIntervalMs, stateIntervalMs } = limits;
  const watermarks = new WatermarkTopics({ topicHead, intervalMs: watermarkIntervalMs, devicesMax }, rest);
  const pump = makePump(shape, { ...deps, wake, passed: (slice, index) => watermarks.passed(slice, index) });
  const states = new StateTopics({ topicHead, intervalMs: stateIntervalMs, devicesMax }, rest);
  const statuses = new StatusTopics(topicHead, devicesMax, shed);
  const replies = new ReplyQueue(clock, shed);
  const requeued = new RequeueLane({ sink: options.name, topicHead }, { reader, spool, log, wake });
  const rate = new RecordRate(options.recordsPerSecond ?? null, { clock, wake });
  const lanes = new SinkLanes({ statuses, replies, pump, states, watermarks, requeued, rate });
  const commands = makeCommands(shape, deps, (message) => {
    replies.add(message);
    lanes.fill();
  });
  return { pump, states, statuses, watermarks, requeued, lanes, commands };
}

function makePump(
  { options, limits, topicHead }: SinkShape,
  deps: SinkPartsDeps & Pick<PumpDeps, "wake" | "fail" | "passed">,
): SinkPump {
  const { metrics, cursor, lastRecordId = cursor } = deps;
  const { name: sink, requiresSubscriber = false, liveFirst } = options;
  const counters = {
    delivered: metrics.counter("sink_delivered", "Records acked by a sink"),
    retried: metrics.counter("sink_retried", "Records sent to a sink again"),
    quarantined: metrics.counter("sink_quarantined", "Records a sink would not take"),
  };
  const pumpOptions = { sink, topicHead, cursor, limits, requiresSubscriber };
  if (liveFirst === undefined) return new Pump(pumpOptions, { ...deps, counters });
  const { backlogCountMin } = limits;
  return new LiveFirst({ ...pumpOptions, ...liveFirst, backlogCountMin, lastRecordId }, { ...deps, counters });
}

function makeCommands(
  { options, limits, topicHead }: SinkShape,
  { submit, log, metrics }: SinkPartsDeps,
  reply: (message: Parameters<ReplyQueue["add"]>[0]) => void,
): CommandSource | null {
  if (submit === undefined) return null;
  const refused: Counter = metrics.counter("sink_commands_refused", "Messages at command topics that were refused");
  const retained = metrics.counter("sink_commands_retained", "Commands refused for their retain flag");
  const topics = { topicHead, source: `mqtt:${options.name}` };
  return new CommandSource(topics, limits.commandsPending, { submit, log, reply, refused, retained });
}
