/**
 * Every setting of the gateway: one table with meaning, range and default. Edge room `config`.
 *
 *   tidegate.yaml ─┐                       ┌─▶ Config (config.ts): numbers in ms and bytes, frozen
 *   TIDEGATE_…     ├─▶ load.ts ─▶ schema ──┼─▶ problems with line, column and "did you mean"
 *   defaults here ─┘                       └─▶ JSON Schema, docs/configuration.md
 *
 * Keys are what operators write and never change their meaning. Defaults stand here and nowhere else. A secret is
 * never a value: only the path of a file that holds it.
 */
import { HELLO_TIMEOUT_MS, NAME_PATTERN } from "@tidegate/proto";
import * as z from "zod";
import { brokerUrl } from "./broker-url.js";
import {
  choice,
  count,
  duration,
  durationOrAuto,
  flag,
  hostNames,
  LIST_MAX,
  listen,
  networks,
  path,
  size,
  startPoint,
  text,
} from "./fields.js";
import { formatDuration } from "./units.js";

const name = (meaning: string) =>
  z
    .string({ error: "expected a text" })
    .regex(NAME_PATTERN, { error: "use letters, digits, - and _, up to 63, starting with a letter or digit" })
    .meta({ description: meaning, range: "letters, digits, - and _, up to 63" });

const files = z.strictObject({
  cert: path("Certificate chain in PEM, leaf first."),
  key: path("Private key in PEM."),
});

const deviceFiles = files.extend({
  ca: path(
    "The root that devices pin, in PEM; given out with every new device. Without it devices trust what they know.",
  ).optional(),
});

const gateway = z.strictObject({
  id: name(
    "Name of this gateway in topics and record ids; choose it before the first sink. Default: the host name.",
  ).optional(),
  dataDir: path("Folder of the databases, keys and tokens. Default: see “Where things are”.").optional(),
});

const devices = z.strictObject({
  listen: listen("Where devices connect by wss.").prefault("0.0.0.0:8443"),
  tls: z
    .union([z.enum(["site", "off"]), deviceFiles], { error: "expected site, off, or a mapping with cert and key" })
    .meta({
      description:
        "`site`: the CA made at the first run. Own certificate: `{ cert, key, ca }`, read again on SIGHUP. " +
        "`off`: plain ws, only on loopback or with `trustProxy`.",
      range: "site, off, { cert, key, ca }",
    })
    .default("site"),
  names: hostNames("Further names and addresses the gateway's certificate carries.").default([]),
  trustProxy: networks("Proxies whose X-Forwarded-For is believed, and which may connect without TLS.").default([]),
  keepalive: duration(
    "1s",
    "1h",
    "Longest silence either way; a link without traffic for 1.5 times this is closed.",
  ).prefault("30s"),
  window: count(1, 4096, "Reliable messages one device may have in flight, unacknowledged.").default(64),
  helloTimeout: duration(
    "1s",
    "5m",
    "Time for TLS and the first hello; slow microcontrollers compute for seconds.",
  ).prefault(formatDuration(HELLO_TIMEOUT_MS)),
  maxConnections: count(1, 100_000, "Device links at once; further ones are told to come back later.").default(12_000),
  maxHandshakes: count(1, 10_000, "Links at once that have not said hello yet.").default(1_000),
  handshakesPerSecond: count(
    1,
    10_000,
    "New connections per second; the others wait for their turn before TLS, 8 s at most.",
  ).default(500),
  maxMessage: size("1KiB", "64KiB", "Longest message from a device.").prefault("64KiB"),
  maxOutbound: size("64KiB", "64MiB", "Bytes waiting for one device's socket before the link is closed.").prefault(
    "256KiB",
  ),
  messagesPerSecond: count(
    1,
    100_000,
    "Sustained messages per second of one device; above it the device is paused.",
  ).default(500),
  messageBurst: count(1, 1_000_000, "Messages one device may send at once before the rate counts.").default(2_000),
  authFailuresPerMinute: count(
    1,
    10_000,
    "Bad credentials per minute and address; above it the address waits.",
  ).default(30),
  takeoversPerMinute: count(
    1,
    1_000,
    "Takeovers of one device per minute; above it the identity counts as cloned.",
  ).default(3),
  testEcho: flag("Serve the subprotocol tidegate.echo for tests of a link.").default(false),
});

const serialLine = z.strictObject({
  path: path(
    "The line's device file; prefer /dev/serial/by-id/…, which survives replugging. " +
      "`unix:/path` for an emulated board. A `*` in the last part takes every line that fits, as they come and go.",
  ),
  baud: count(300, 4_000_000, "Speed in bits per second.").default(115_200),
  trusted: flag("Take devices on this line by their id alone, without a token: the wire is the proof.").default(false),
});

const storage = z.strictObject({
  commitInterval: durationOrAuto(
    "0ms",
    "10s",
    "How long telemetry is gathered before one commit. `auto`: 1 s on an SD card or eMMC, else 0. " +
      "Costs no safety: devices keep their data until it is committed.",
  ).prefault("auto"),
  quota: size("16MiB", "64TiB", "Most disk the spool may use.").prefault("2GiB"),
  whenFull: choice(
    ["block", "drop-oldest"],
    "At the quota: `block` lets devices keep their data; `drop-oldest` drops, and lists every drop as a gap.",
  ).default("block"),
  maxGathered: size(
    "1MiB",
    "1GiB",
    "Gathered and committing bytes together; above it every link stops reading.",
  ).prefault("64MiB"),
});

const commands = z.strictObject({
  ttl: duration("1ms", "7d", "How long a command may wait for its device when its sender does not say.").prefault(
    "60s",
  ),
  maxTtl: duration("1s", "7d", "Longest such time a sender may ask for.").prefault("7d"),
  maxPerDevice: count(1, 10_000, "Unfinished commands of one device; further ones are refused.").default(64),
  idempotency: duration("1m", "7d", "How long an idempotency key is remembered.").prefault("24h"),
});

const history = z.strictObject({
  enabled: flag(
    "Keep readings for charts over time. Without it the dashboard shows present values only, " +
      "and a record is deleted once every sink has it.",
  ).default(true),
  keep: duration(
    "1h",
    "3650d",
    "How long single readings are kept for the dashboard. Minute figures stay 12 times as long, hour figures 250.",
  ).prefault("7d"),
  quota: size("16MiB", "64TiB", "Most disk the history may use; the oldest goes first.").prefault("1GiB"),
});

const admin = z.strictObject({
  listen: listen("Where the API and the dashboard listen. Off loopback only with a password and TLS.").prefault(
    "127.0.0.1:8080",
  ),
  tls: z
    .union([z.enum(["auto", "site", "off"]), files], {
      error: "expected auto, site, off, or a mapping with cert and key",
    })
    .meta({
      description:
        "`auto`: plain HTTP on loopback, else the site's certificate. `site`: always that certificate. " +
        "Own: `{ cert, key }`. `off`: plain HTTP; off loopback only behind a proxy named in `trustProxy`.",
      range: "auto, site, off, { cert, key }",
    })
    .default("auto"),
  names: hostNames("Names under which the dashboard is opened; others are refused (DNS rebinding).").default([]),
  trustProxy: networks("Proxies in front of the dashboard that end TLS: with them `tls: off` is allowed.").default([]),
  sessionAge: duration("1m", "365d", "How long a login lasts.").prefault("7d"),
  loginCodeAge: duration("10s", "1d", "How long a printed login link works; it works once.").prefault("10m"),
  maxSessions: count(1, 10_000, "Logins at once; the oldest ends first.").default(256),
  maxViewers: count(1, 10_000, "Live feeds at once.").default(1_000),
  loginsPerMinute: count(1, 1_000, "Wrong passwords per minute from everywhere; above it logins wait.").default(60),
});

const mqttSink = z.strictObject({
  type: z.literal("mqtt").meta({ description: "An MQTT broker; MQTT 5, else 3.1.1.", range: "mqtt" }),
  name: name("Name of the sink; its place in the spool is kept under it."),
  url: brokerUrl("The broker: `mqtt://host:1883`, or `mqtts://host:8883` with TLS."),
  username: text("User name at the broker.", 256).optional(),
  passwordFile: path("File that holds the password.").optional(),
  ca: path("Root certificate of the broker in PEM; without it the system's roots count.").optional(),
  cert: path("Client certificate in PEM, if the broker asks for one.").optional(),
  key: path("Its private key in PEM.").optional(),
  clientId: text("MQTT client id. Default: tidegate-<gateway>-<sink>.", 128).optional(),
  topicPrefix: text("First level of every topic.", 128)
    .regex(/^[^+#\0/]+(\/[^+#\0/]+)*$/, { error: "must be topic levels without + and #" })
    .meta({ description: "First level of every topic.", range: "topic levels without + and #" })
    .default("tidegate"),
  commands: flag("Take commands from this broker.").default(true),
  start: startPoint(
    "Where a new sink begins: the oldest stored record, what comes next, or what came at a time or later.",
  ).default("oldest"),
  backfill: choice(
    ["in-order", "live-first"],
    "After an outage: everything in order, or the newest records at once and the backlog beside them.",
  ).default("in-order"),
  backfillShare: count(1, 99, "With `live-first`: percent of the messages that the backlog gets.").default(50),
  requireSubscriber: flag(
    "Readings that nobody subscribes to at the broker wait instead of counting as delivered. Needs MQTT 5.",
  ).default(false),
  watermarkEvery: duration("1s", "1h", "Between two watermark messages of one device.").prefault("10s"),
  hold: z
    .strictObject({
      maxAge: duration(
        "1s",
        "3650d",
        "Oldest record kept for this sink; beyond it the sink skips, with a gap entry.",
      ).optional(),
      maxBytes: size(
        "1MiB",
        "64TiB",
        "Most bytes kept for this sink; beyond it the sink skips, with a gap entry.",
      ).optional(),
    })
    .prefault({}),
  inFlight: count(1, 65_535, "Messages sent and not yet acknowledged; the broker's own limit counts too.").default(256),
  recordsPerSecond: count(
    1,
    1_000_000,
    "Stored records sent in a second: a backlog then drowns nobody. A tenth of them may go at once.",
  ).optional(),
  keepalive: duration("5s", "18h", "MQTT keep alive.").prefault("30s"),
  connectTimeout: duration("1s", "5m", "Time to connect, including TLS and the broker's answer.").prefault("10s"),
  minRetry: duration(
    "10ms",
    "1h",
    "First bound of the reconnect delay; every attempt doubles it, with jitter.",
  ).prefault("1s"),
  maxRetry: duration("100ms", "1d", "Last bound of the reconnect delay.").prefault("60s"),
});

const log = z.strictObject({
  level: choice(
    ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    "Least important line that is written.",
  ).default("info"),
  format: choice(["auto", "pretty", "json"], "`auto`: pretty on a terminal, else JSON lines.").default("auto"),
});

/** The whole file. `decode` parses and fills defaults; `encode` writes a parsed tree back as people write it. */
export const configSchema = z.strictObject({
  version: z
    .literal(1, { error: "this gateway reads version 1" })
    .meta({ description: "Version of this file's format.", range: "1" })
    .default(1),
  gateway: gateway.prefault({}),
  devices: devices.prefault({}),
  serial: z
    .array(serialLine, { error: "expected a list" })
    .max(LIST_MAX, { error: `must not have more than ${LIST_MAX} entries` })
    .meta({ description: "Serial lines with devices." })
    .default([]),
  storage: storage.prefault({}),
  commands: commands.prefault({}),
  history: history.prefault({}),
  admin: admin.prefault({}),
  sinks: z
    .array(z.discriminatedUnion("type", [mqttSink], { error: "expected a sink with type: mqtt" }), {
      error: "expected a list",
    })
    .max(LIST_MAX, { error: `must not have more than ${LIST_MAX} entries` })
    .meta({ description: "Where telemetry goes." })
    .default([]),
  log: log.prefault({}),
});

/** The parsed tree under the file's own keys; `config.ts` names it with units. */
export type ConfigTree = z.output<typeof configSchema>;
export type MqttSinkTree = z.output<typeof mqttSink>;

/** JSON Schema (2020-12) of the file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: "input" });
  return { ...schema, title: "tidegate.yaml", description: "Configuration of the Tidegate gateway." };
}
