/**
 * Log lines for people: time, level, sentence, facts. In-process, because pino's transports need code generation;
 * and line by line into any destination, because pino-pretty's own stream takes real Node streams only.
 */
import type { DestinationStream } from "pino";
import { prettyFactory } from "pino-pretty";

/** Turns JSON lines into text for people on their way to `destination`; standard output unless told. */
export function prettyStream(colour: boolean, destination: DestinationStream = STDOUT): DestinationStream {
  const prettify = prettyFactory({
    colorize: colour,
    translateTime: "SYS:HH:MM:ss",
    ignore: "pid,hostname",
    singleLine: true,
  });
  return { write: (json) => destination.write(prettify(json) ?? "") };
}

const STDOUT: DestinationStream = { write: (text) => void process.stdout.write(text) };
