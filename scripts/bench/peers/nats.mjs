// nats-server with JetStream on disk, through its MQTT listener. Its default is kept: an fsync every two minutes, so
// what it acknowledges may be lost with the power.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../testing/requires.mjs";
import { freePort, isListening } from "../harness/free-port.mjs";
import { Program, until } from "../harness/processes.mjs";

/**
 * Starts a server.
 * @param {string} folder for its configuration and its store
 */
export async function startNats(folder) {
  const [clientPort, port] = [await freePort(), await freePort()];
  const file = join(folder, "nats.conf");
  const lines = [
    "server_name: bench",
    `listen: "127.0.0.1:${clientPort}"`,
    `jetstream { store_dir: ${JSON.stringify(join(folder, "nats"))} }`,
    `mqtt { listen: "127.0.0.1:${port}" }`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const program = new Program(findCommand("nats-server") ?? "nats-server", ["-c", file]);
  await until("nats-server listened", () => isListening(port), { program });
  return { port, pid: program.pid, kill: () => program.kill() };
}
