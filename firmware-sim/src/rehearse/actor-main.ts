/**
 * The device of a rehearsal in the TypeScript edition, as a process: it obeys one command, and writes down each time
 * that it did. `shim/actor.c` is the same in the C edition.
 *
 *   Command act {"n":7} ─▶ SDK ─▶ handler ─▶ "7\n" appended to the file of effects: the effect itself ─▶ result
 *
 *   stdin   one line of JSON: an `ActorOrder`
 */
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Device } from "@tidegate/device-sdk";
import { pause } from "./child.js";
import type { Credential } from "./gateway-process.js";

/** What the process is told. */
export interface ActorOrder {
  readonly credential: Credential;
  /** Gets one line per execution. */
  readonly effectsFile: string;
  /** The outbox's file; null: in memory, gone with the process. */
  readonly outboxFile: string | null;
}

/** Before and behind the effect: long enough for what was said before to leave in a message of its own. */
const PAUSE_MS = 15;
const HASTY = { backoffBaseMs: 20, backoffCapMs: 100 };

for await (const line of createInterface({ input: process.stdin })) {
  const { credential, effectsFile, outboxFile } = JSON.parse(line) as ActorOrder; // our parent's
  const { url, deviceId, token, ca } = credential;
  const outbox = outboxFile === null ? {} : { outbox: { path: outboxFile } };
  const device = new Device({ url, id: deviceId, token, ca, flushIntervalMs: 0, limits: HASTY, ...outbox });
  // What may be done once is asked for so: the command itself says it.
  device.command("act", { idempotent: true }, async (args) => {
    const { n } = args as { n: number }; // what the rehearsal asks for
    await pause(PAUSE_MS);
    appendFileSync(effectsFile, `${n}\n`);
    await pause(PAUSE_MS);
    return { n };
  });
  device.start();
}
