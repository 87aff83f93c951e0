/** Looks at ports and brokers. Every socket opened here is closed here. Edge room `cli`. */
import { lookup } from "node:dns/promises";
import { readFileSync } from "node:fs";
import { createServer, isIP } from "node:net";
import { formatListen, type Listen } from "../../config/addresses.js";
import type { MqttSinkConfig } from "../../config/config.js";
import { errnoOf } from "../../config/locations.js";
import { readSecretFile } from "../../config/secret-file.js";
import type { Clock } from "../../core/clock.js";
import { asGatewayError } from "../../core/errors.js";
import { type DialTarget, systemDial, targetOf } from "../../northbound/dial.js";
import { failureOfError } from "../../northbound/failure.js";
import type { MqttTlsOptions } from "../../northbound/mqtt-options.js";
import type { PortFacts, SinkFacts, Trouble } from "./facts.js";

/** A broker that does not take a connection in this time is as good as absent. */
const CONNECT_MS_MAX = 2_500;

/** Listen for a moment and close again. */
export function portFacts({ host, port }: Listen): Promise<PortFacts> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.on("error", (error) => resolve({ host, port, errno: errnoOf(error) ?? "EIO" }));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve({ host, port, errno: null })));
  });
}

/** The steps to a broker in their order; the first that fails is the answer. No MQTT is spoken. */
export async function sinkFacts(config: MqttSinkConfig, clock: Clock): Promise<Omit<SinkFacts, "report">> {
  const files = readFiles(config);
  const target = targetOf(config.url, "trouble" in files ? undefined : files.tls);
  if (target === null) {
    const trouble = { why: `${config.url} is no address of a broker`, fix: "correct the sink's url" };
    return { name: config.name, target: config.url, addresses: [], secure: false, trouble };
  }
  const { host, port } = target;
  const secure = target.tls !== null;
  const base = { name: config.name, target: formatListen({ host, port }), secure };
  if ("trouble" in files) return { ...base, addresses: [], trouble: files.trouble };
  const inWords = (error: unknown): Trouble => {
    const { why, fix } = failureOfError(error, { host, port, hasUsername: config.username !== null, secure });
    return { why, fix };
  };
  try {
    const addresses = isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
    const failed = await dialOnce(target, clock);
    return { ...base, addresses, trouble: failed === null ? null : inWords(failed) };
  } catch (error) {
    return { ...base, addresses: [], trouble: inWords(error) };
  }
}

/** The very dial of the sinks; null when bytes could flow. */
function dialOnce(target: DialTarget, clock: Clock): Promise<unknown> {
  return new Promise((resolve) => {
    const end = (outcome: unknown): void => {
      cancel();
      stream.destroy();
      resolve(outcome);
    };
    const late = Object.assign(new Error("no answer"), { code: "ETIMEDOUT" });
    const cancel = clock.after(CONNECT_MS_MAX, () => end(late));
    const stream = systemDial(target, () => end(null));
    stream.on("error", end);
  });
}

/** Certificates and password as the sink will read them. The password itself is not kept. */
function readFiles(config: MqttSinkConfig): { readonly tls: MqttTlsOptions } | { readonly trouble: Trouble } {
  const { passwordFile, ca, cert, key } = config;
  try {
    if (passwordFile !== null) readSecretFile(passwordFile);
    return {
      tls: {
        ...(ca === null ? {} : { ca: readFileSync(ca, "utf8") }),
        ...(cert === null ? {} : { cert: readFileSync(cert, "utf8") }),
        ...(key === null ? {} : { key: readFileSync(key, "utf8") }),
      },
    };
  } catch (error) {
    const { why, fix } = asGatewayError(error);
    const isOurs = errnoOf(error) === null || why.includes(passwordFile ?? "\0");
    const advice = isOurs ? fix : "check ca, cert and key of the sink: the gateway's user must be able to read them";
    return { trouble: { why, fix: advice } };
  }
}
