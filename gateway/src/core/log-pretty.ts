/** Log lines for people: time, level, sentence, facts. In-process, because pino's transports need code generation. */
import type { DestinationStream } from "pino";
import pretty from "pino-pretty";

export function prettyFactory(destination?: DestinationStream): DestinationStream {
  return pretty({
    colorize: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
    translateTime: "SYS:HH:MM:ss",
    ignore: "pid,hostname",
    singleLine: true,
    sync: true,
    ...(destination === undefined ? {} : { destination }),
  });
}
