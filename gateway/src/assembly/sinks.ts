/** From a sink's configuration to a running sink. */
import { readFileSync } from "node:fs";
import type { SinkTestResult } from "../admin/admin-host.js";
import type { Config, MqttSinkConfig } from "../config/config.js";
import { readSecretFile } from "../config/secret-file.js";
import { GatewayError } from "../core/errors.js";
import type { AskedCommand, CreateOutcome } from "../model/command.js";
import type { MqttSinkOptions, MqttTlsOptions } from "../northbound/mqtt-options.js";
import { MqttSink } from "../northbound/mqtt-sink.js";
import type { SinkTestStep } from "../northbound/sink-test.js";
import type { RunningSink } from "./sink-set.js";
import type { Store } from "./store.js";
import type { GatewayWorld } from "./world.js";

export interface SinkParts {
  readonly config: Config;
  readonly store: Store;
  readonly world: GatewayWorld;
  readonly submit: (command: AskedCommand) => Promise<CreateOutcome>;
  /** Where the sink stands in the spool. */
  readonly from: number;
  /** The newest record stored. */
  readonly lastRecordId: number;
}

/** A file of the sink that cannot be read is no failure here: its state says so, and it is read again at every try. */
export function makeSink(config: MqttSinkConfig, parts: SinkParts): RunningSink {
  const { store, world, submit, from } = parts;
  const { clock, random, log, metrics } = world;
  const sink = new MqttSink(mqttOptions(config, parts.config.gateway.id), {
    reader: store.reader,
    spool: store.spool,
    cursor: from,
    lastRecordId: parts.lastRecordId,
    clock,
    random,
    log,
    metrics,
    ...(config.commands ? { submit } : {}),
  });
  return {
    start: () => sink.start(),
    stop: () => sink.stop(),
    pause: () => void sink.pause(),
    resume: () => sink.resume(),
    status: () => sink.status(),
    committed: (lastRecordId) => sink.committed(lastRecordId),
    requeued: () => sink.requeued(),
    observe: (event) => sink.observe(event),
    forgotten: (device) => sink.forgotten(device),
    presenceChanged: (device, presence) => sink.presenceChanged(device, presence),
    test: async () => {
      const startedMs = clock.monoMs();
      return testResult(await sink.test(), clock.monoMs() - startedMs, sink);
    },
  };
}

function mqttOptions(config: MqttSinkConfig, gatewayId: string): MqttSinkOptions {
  const { passwordFile } = config;
  return {
    name: config.name,
    gatewayId,
    url: config.url,
    clientId: config.clientId,
    keepaliveMs: config.keepaliveMs,
    topicPrefix: config.topicPrefix,
    requiresSubscriber: config.requiresSubscriber,
    ...(config.backlogShare === null ? {} : { liveFirst: { backlogShare: config.backlogShare } }),
    ...(config.recordsPerSecond === null ? {} : { recordsPerSecond: config.recordsPerSecond }),
    tlsFiles: () => tlsOptions(config),
    ...(config.username === null ? {} : { username: config.username }),
    ...(passwordFile === null ? {} : { password: () => readSecretFile(passwordFile) }),
    limits: {
      window: config.inFlightMax,
      watermarkIntervalMs: config.watermarkIntervalMs,
      connectTimeoutMs: config.connectTimeoutMs,
      backoffBaseMs: config.retryDelayMsMin,
      backoffCapMs: config.retryDelayMsMax,
    },
  };
}

function tlsOptions(config: MqttSinkConfig): MqttTlsOptions {
  const read = (path: string | null): string | undefined => {
    if (path === null) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new GatewayError("E_TLS_FILES", `sink ${config.name}: ${why}`, { cause: thrown });
    }
  };
  const [ca, cert, key] = [read(config.ca), read(config.cert), read(config.key)];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function testResult(steps: readonly SinkTestStep[], elapsedMs: number, sink: MqttSink): SinkTestResult {
  const failed = steps.find((step) => !step.ok);
  const protocol = sink.status().protocol;
  if (failed === undefined) return { ok: true, elapsedMs, protocol, error: null };
  const why = `${failed.step}: ${failed.detail}`;
  const fix = "mend what is named above, then test again";
  return { ok: false, elapsedMs, protocol, error: { code: "E_SINK_UNAVAILABLE", why, fix } };
}
