// Mosquitto with a configuration of our own: persistence off, as packaged without a data folder, and no limit on what
// it queues for a subscriber that is away. That is its fastest way to take QoS 1 messages: nothing reaches a disk.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../testing/requires.mjs";
import { freePort, isListening } from "../harness/free-port.mjs";
import { Program, until } from "../harness/processes.mjs";

/**
 * Starts a broker.
 * @param {string} folder for its configuration
 * @param {number} [port] a free one unless told
 * @param {string[]} [further] lines of configuration, e.g. of a bridge
 * @returns {Promise<{ port: number, pid: number, kill: () => Promise<void> }>}
 */
export async function startMosquitto(folder, port, further = []) {
  const chosen = port ?? (await freePort());
  const file = join(folder, `mosquitto-${chosen}.conf`);
  const lines = [
    `listener ${chosen} 127.0.0.1`,
    // Only looked at when started by root: stay who we are, so that the bench may read its counters.
    "user root",
    "allow_anonymous true",
    "persistence false",
    "max_queued_messages 0",
    // Else its Receive Maximum of 20 would be the bottleneck of every publisher.
    "max_inflight_messages 0",
    "sys_interval 1",
    "log_type error",
    ...further,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const program = new Program(findCommand("mosquitto") ?? "mosquitto", ["-c", file]);
  await until("Mosquitto listened", () => isListening(chosen), { program });
  return { port: chosen, pid: program.pid, kill: () => program.kill() };
}
