/** What a sink of type `mqtt` can be told, and the limits it keeps when it is told nothing. */

export interface MqttSinkOptions {
  /** Name of the sink in the configuration; fits the pattern of ids. */
  readonly name: string;
  /** First level below the prefix. */
  readonly gatewayId: string;
  /** `mqtt://host[:1883]` or `mqtts://host[:8883]`, without credentials. */
  readonly url: string;
  readonly username?: string;
  /** Read again at every attempt, so that a corrected password file works without a restart. Never logged. */
  readonly password?: () => string | undefined;
  readonly tls?: MqttTlsOptions;
  /** Instead of `tls`: read again at every attempt, so that a corrected file works without a restart. May throw. */
  readonly tlsFiles?: () => MqttTlsOptions;
  /** `tidegate-<gw>-<name>` unless told; stable, because a broker ends the older of two equal ones. */
  readonly clientId?: string;
  /** Longest silence either way, in ms; 1,000 … 65,535,000. */
  readonly keepaliveMs?: number;
  /** First level of every topic; `tidegate` unless told. */
  readonly topicPrefix?: string;
  /** Readings that nobody subscribes to wait; needs MQTT 5. Default false. */
  readonly requiresSubscriber?: boolean;
  /** After an outage the newest first, and this part of the messages for the backlog; absent: everything in order. */
  readonly liveFirst?: { readonly backlogShare: number };
  /** Stored records that may be sent in a second; absent: as many as go. */
  readonly recordsPerSecond?: number;
  readonly limits?: Partial<MqttLimits>;
}

/** PEM texts. Without `ca` the system's roots count. */
export interface MqttTlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name the certificate must carry, when it is not the url's host. */
  readonly servername?: string;
}

/** Every limit of a sink, with its reason. All are configurable. */
export interface MqttLimits {
  /** Unacked QoS 1 messages in flight on MQTT 5, below what the broker announces. Hides the round trip. */
  readonly window: number;
  /** The same on MQTT 3.1.1, which cannot announce: AWS IoT Core drops past 100, others take more. */
  readonly window311: number;
  /** Rows asked of the spool at once. */
  readonly sliceRows: number;
  /** Rendered bytes waiting to be sent; past it no further slice is fetched. */
  readonly prefetchBytes: number;
  /** Largest packet a broker may send us: a command's 32 KiB and its properties. */
  readonly incomingBytes: number;
  /** Commands taken from the broker and not yet durable. */
  readonly commandsPending: number;
  /** Devices whose state and status topics are kept. */
  readonly devices: number;
  /** Time for name resolution, TCP, TLS and CONNACK together, in ms. */
  readonly connectTimeoutMs: number;
  /** Reconnect backoff, full jitter, in ms. */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** Between two tries while only a person can help (credentials, certificate), in ms. */
  readonly blockedRetryMs: number;
  /** A session must have lasted this long before the backoff starts over, in ms. */
  readonly stableAfterMs: number;
  /** Between two saves of the cursor, in ms, and in records. A crash repeats at most so much. */
  readonly cursorSaveMs: number;
  readonly cursorSaveRecords: number;
  /** Between two retained states of one device, in ms. */
  readonly stateIntervalMs: number;
  /** Between two watermarks of one device, in ms. */
  readonly watermarkIntervalMs: number;
  /** Records behind from which on `liveFirst` sends the newest first. */
  readonly backlogCountMin: number;
  /** How often an idle pump asks the spool although nobody told it of anything new, in ms. */
  readonly idlePollMs: number;
  /** How long stopping waits for the last acks and the farewell, in ms. */
  readonly stopTimeoutMs: number;
}

export const MQTT_LIMITS: MqttLimits = {
  window: 1_000,
  window311: 100,
  sliceRows: 2_000,
  prefetchBytes: 4 * 1024 * 1024,
  incomingBytes: 128 * 1024,
  commandsPending: 64,
  devices: 20_000,
  connectTimeoutMs: 20_000,
  backoffBaseMs: 500,
  backoffCapMs: 60_000,
  blockedRetryMs: 60_000,
  stableAfterMs: 30_000,
  cursorSaveMs: 200,
  cursorSaveRecords: 1_000,
  stateIntervalMs: 1_000,
  watermarkIntervalMs: 10_000,
  backlogCountMin: 1_000,
  idlePollMs: 1_000,
  stopTimeoutMs: 2_000,
};

export const KEEPALIVE_MS_DEFAULT = 30_000;
export const TOPIC_PREFIX_DEFAULT = "tidegate";
