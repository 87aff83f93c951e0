/**
 * The numeric limits of the protocol and its constants, in one place, each with its reason.
 *
 * Both sides and every implementation keep them; PROTOCOL.md lists them as [P-33]. A receiver that sees a limit
 * exceeded refuses the message; a sender never sends it.
 */

/** The version of the protocol, as a Hello states it [P-25]. */
export const PROTOCOL_VERSION = 1;

/** WebSocket subprotocol of a device link. */
export const SUBPROTOCOL = "tidegate.v1";

/** WebSocket subprotocol of the echo service, with which a link is tested without a session [P-36]. */
export const ECHO_SUBPROTOCOL = "tidegate.echo";

/** Path of the WebSocket endpoint for devices. */
export const DEVICE_PATH = "/v1/device";

/**
 * The name every gateway certificate carries. A device with a pinned CA sends and checks this name, so a new address
 * or host name never locks a fleet out.
 */
export const CONSTANT_SERVER_NAME = "gateway.tidegate.internal";

/** Longest message on a WebSocket, in bytes. Bounds what one device can make the gateway hold. */
export const MESSAGE_BYTES_MAX = 65_536;

/** Longest message on a serial line, in bytes, without CRC and framing: a microcontroller receives it whole. */
export const SERIAL_MESSAGE_BYTES_MAX = 1_024;

/** Smallest `max_rx_bytes` a device may state: a Welcome, an Ack or a Bye without detail must fit. */
export const MAX_RX_BYTES_MIN = 64;

/** How deep messages nest: Uplink, Catalog, Signal. The schema has no recursion and groups are refused. */
export const DEPTH_MAX = 3;

/** Most series in one Telemetry: every signal of the largest catalog, once. */
export const SERIES_PER_TELEMETRY_MAX = 1_024;

/** Most values in one Telemetry, over all its series: bounds what a few bytes can cost the reader. */
export const SAMPLES_PER_MESSAGE_MAX = 16_384;

/** Most signals in a catalog, over all its parts: bounds what the gateway keeps for one device. */
export const SIGNALS_PER_CATALOG_MAX = 1_024;

/** Most command specs in a catalog, over all its parts. */
export const COMMANDS_PER_CATALOG_MAX = 256;

/** Most parts of a catalog: a 64 KiB catalog over a serial line, with room to spare. */
export const CATALOG_PARTS_MAX = 128;

/** Longest catalog in bytes, all parts together. */
export const CATALOG_BYTES_MAX = 262_144;

/** Most options of an enum signal. */
export const OPTIONS_PER_SIGNAL_MAX = 256;

/** Longest device id, signal key and command name, in bytes: one DNS label, one MQTT topic level. */
export const NAME_BYTES_MAX = 63;

/** Longest display text (a signal's name, unit, device class, an option, firmware, model), in bytes. */
export const LABEL_BYTES_MAX = 128;

/** Longest `detail` of a Bye, `error` of a CommandUpdate and `args_hint`, in bytes. */
export const DETAIL_BYTES_MAX = 512;

/** Longest text of a Log message, in bytes: a stack trace, not a file. */
export const LOG_TEXT_BYTES_MAX = 4_096;

/** Longest value of a text signal, in bytes. */
export const TEXT_VALUE_BYTES_MAX = 4_096;

/** Longest `proof` in a Hello, in bytes. */
export const PROOF_BYTES_MAX = 256;

/** Longest `args` of a Command and `result` of a CommandUpdate, in bytes: leaves room for the rest of the message. */
export const PAYLOAD_BYTES_MAX = 32_768;

/** Highest sequence number: a 32-bit field. */
export const SEQ_MAX = 0xffff_ffff;

/** From this number on a device drains and then asks for a new epoch, so that numbers never wrap [P-10]. */
export const SEQ_DRAIN_AT = 0xffff_0000;

/** Highest epoch; 0 means "none". Epochs are random, so they need no draining. */
export const EPOCH_MAX = 0xffff_ffff;

/** Highest uptime before it wraps to 0, in ms: 49.7 days. Unwrapped per session [P-23]. */
export const UPTIME_MS_MAX = 0xffff_ffff;

/** Highest `unix_ms`: integers stay exact in a double up to here. It is the year 287396. */
export const UNIX_MS_MAX = Number.MAX_SAFE_INTEGER;

/** Unacked reliable messages in flight when nothing else is configured: hides 64 messages of round-trip time. */
export const DEFAULT_WINDOW = 64;

/** Longest silence either way when nothing else is configured, in ms: below the idle timeout of common NAT routers. */
export const DEFAULT_KEEPALIVE_MS = 30_000;

/** A side that heard nothing for this many keepalives closes the link [P-22]. One late heartbeat is no death. */
export const SILENCE_KEEPALIVES = 1.5;

/** Time between two Hellos of a link while no Welcome came, in ms [P-11]. */
export const HELLO_RETRY_MS = 1_000;

/** Time a gateway allows for TLS and the first Hello, in ms: a 48 MHz M0+ computes about 6 s [P-22]. */
export const HELLO_TIMEOUT_MS = 30_000;

/** First bound of the reconnect backoff, in ms; full jitter below it [P-21]. */
export const BACKOFF_MS_MIN = 1_000;

/** Last bound of the reconnect backoff, in ms [P-21]. */
export const BACKOFF_MS_MAX = 60_000;

/** How long a device waits before it tries again after advice `never`, in ms: somebody may have fixed it [P-30]. */
export const NEVER_RECHECK_MS = 3_600_000;

/** What device ids, signal keys and command names look like: safe as a topic level, a file name and a URL segment. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** Whether a text may name a device, a signal or a command [P-34]. */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}
