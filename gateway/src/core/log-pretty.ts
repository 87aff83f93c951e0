/** Log lines for people: time, level, sentence, facts. In-process, because pino's transports need code generation. */
import type { DestinationStream } from "pino";
import pretty from "pino-pretty";

/** A stream that turns JSON lines into text for people; standard output unless told. */
export function prettyFactory(colour: boolean, destination?: DestinationStream): DestinationStream {
  return pretty({
    colorize: colour,
    translateTime: "SYS:HH:MM:ss",
    ignore: "pid,hostname",
    singleLine: true,
    sync: true,
    ...(destination === undefined ? {} : { destination }),
  });
}
