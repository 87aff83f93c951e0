/**
 * One structured line per fact. The gateway's only user of the console and of pino.
 *
 * Loggers take facts first and a constant sentence second, so that lines can be searched and counted. Keys that
 * hold secrets are redacted by name. Text from devices goes into facts, never into the sentence: JSON escaping then
 * keeps it from forging lines.
 */
import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import { prettyStream } from "./log-pretty.js";
import { type LogRing, through } from "./log-ring.js";

/** Levels as pino has them; `silent` writes nothing. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Facts of a line: small values, no secrets, no buffers. */
export type Facts = Record<string, unknown>;

/** Writes one line per call: a sentence, and facts beside it. Never throws, never waits. */
export interface Logger {
  debug(facts: Facts, sentence: string): void;
  info(facts: Facts, sentence: string): void;
  warn(facts: Facts, sentence: string): void;
  error(facts: Facts, sentence: string): void;
  /** A logger whose lines all carry `facts`. */
  child(facts: Facts): Logger;
}

/** What is written, how, and where to. */
export interface LogOptions {
  readonly level: LogLevel;
  /** `pretty` for people on a terminal, `json` under a service manager. */
  readonly format: "pretty" | "json";
  /** Colour the pretty lines. */
  readonly colour?: boolean;
}

const REDACTED = ["token", "password", "authorization", "cookie", "secret", "*.token", "*.password"];

/** A logger on `destination`, or on standard output. With a destination, every line also goes to `ring`. */
export function createLogger(options: LogOptions, destination?: DestinationStream, ring?: LogRing): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: REDACTED, censor: "[redacted]" },
  };
  const stream = options.format === "pretty" ? prettyStream(options.colour === true, destination) : destination;
  if (stream === undefined) return pino(settings);
  return pino(settings, ring === undefined ? stream : through(ring, stream));
}

/** Drops everything: for tests and for tools that print their own output. */
export const SILENT: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => SILENT,
};
