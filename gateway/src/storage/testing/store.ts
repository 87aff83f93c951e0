/** A store on real files in a temporary folder, for tests: opened in the test's own thread, under a manual clock. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { step } from "../../command/command-machine.js";
import { ManualClock } from "../../core/testing/manual-clock.js";
import { SeededRandom } from "../../core/testing/seeded-random.js";
import type { CommandEvent, CommandRecord, CreateOutcome, NewCommand, SendOffer } from "../../model/command.js";
import { Engine } from "../engine.js";
import type { EngineOptions } from "../engine-options.js";
import { type OpenStores, openStores } from "../open-stores.js";

export interface TestFolder {
  readonly path: string;
  remove(): void;
}

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "tidegate-store-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export const clock = new ManualClock();
const random = new SeededRandom(7);

export interface TestStore {
  readonly engine: Engine;
  readonly stores: OpenStores;
}

/** Open the engine on a folder. Syncing is off: these tests kill no power. */
export function openTestStore(dataDir: string, options: Partial<EngineOptions> = {}): TestStore {
  const stores = openStores({ dataDir, clock, random, step, synchronous: "off" });
  const engine = new Engine(stores, {
    quotaBytes: 64 * 1024 * 1024,
    whenFull: "block",
    windowDigests: 64,
    keepsHistory: false,
    bootId: "boot-1",
    liveRowsKept: 0,
    clock,
    random,
    step,
    ...options,
  });
  return { engine, stores };
}

/** One command in a transaction of its own; throws what it was refused with. */
export function makeCommand(engine: Engine, request: NewCommand, offer: SendOffer | null = null): CreateOutcome {
  return accepted<CreateOutcome>(engine.createCommands([[request, offer]]));
}

/** One step of a command in a transaction of its own; throws what it was refused with. */
export function moveCommand(engine: Engine, commandId: string, event: CommandEvent): CommandRecord {
  return accepted<CommandRecord>(engine.applyCommands([[commandId, event]]));
}

function accepted<T>([outcome]: readonly (T | Error)[]): T {
  if (outcome === undefined) throw new Error("nothing was answered");
  if (outcome instanceof Error) throw outcome;
  return outcome;
}
