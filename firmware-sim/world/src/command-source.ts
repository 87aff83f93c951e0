/** Somebody who asks devices for things: at random, with deadlines, now and then twice, now and then cancelled. */
import type { NewCommand } from "tidegate/dist/model/command.js";
import type { Seeded } from "./seeded.js";
import type { Stage } from "./stage.js";

const TTL_MS_MIN = 200;
const TTL_MS_MAX = 90_000;
/** A request that got no answer (the gateway died) is asked again under its key for so long, in ms. */
const ASK_AGAIN_MS = 15_000;

/** One per world; asks until `stop`. */
export class CommandSource {
  readonly #world: Stage;
  readonly #random: Seeded;
  #token = 0;
  #isOver = false;
  #waitingCount = 0;

  constructor(world: Stage, random: Seeded) {
    this.#world = world;
    this.#random = random;
  }

  start(): void {
    if (Number.isFinite(this.#world.profile.commandEveryMs)) this.#later();
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Something is still being asked. */
  get isWaiting(): boolean {
    return this.#waitingCount > 0;
  }

  #later(): void {
    this.#world.timeline.after(this.#random.waitMs(this.#world.profile.commandEveryMs), () => {
      if (this.#isOver) return;
      this.#ask();
      this.#later();
    });
  }

  #ask(): void {
    const { checker, story, timeline, fleet } = this.#world;
    const random = this.#random;
    this.#token += 1;
    const token = this.#token;
    const isOnce = random.chance(0.5);
    const request: NewCommand = {
      device: `dev-${random.between(1, fleet.count)}`,
      name: isOnce ? "act" : "set",
      args: JSON.stringify({ token }),
      delivery: isOnce ? "atMostOnce" : "atLeastOnce",
      ttlMs: Math.floor(random.spread(TTL_MS_MIN, TTL_MS_MAX)),
      source: "api",
      idempotencyKey: `key-${token}`,
      responseTopic: null,
      correlation: null,
    };
    checker.commands.ask(token, request.device, request.delivery);
    story.tell("user", "asks", request.device, request.name, token, request.ttlMs);
    this.#submit(request, timeline.nowMs + ASK_AGAIN_MS);
    if (random.chance(0.2)) timeline.after(random.spread(1, ASK_AGAIN_MS), () => this.#submit(request, 0));
  }

  #submit(request: NewCommand, untilMs: number): void {
    const { gateway, timeline } = this.#world;
    const again = (): void => {
      if (timeline.nowMs < untilMs) timeline.after(500, () => this.#submit(request, untilMs));
    };
    if (gateway === null) {
      again();
      return;
    }
    gateway.desk.submit(request).then(({ command }) => {
      if (this.#world.gateway !== gateway) return; // the answer of a process that is gone reaches nobody
      this.#world.checker.commands.accepted(command.commandId);
      this.#made(command.commandId);
    }, again);
  }

  #made(commandId: string): void {
    if (!this.#random.chance(0.1)) return;
    this.#world.timeline.after(this.#random.spread(1, 20_000), () => {
      // A refusal (it was transmitted, or is done) is an answer like any other.
      this.#world.gateway?.desk.cancel(commandId).catch(() => {});
    });
  }
}
