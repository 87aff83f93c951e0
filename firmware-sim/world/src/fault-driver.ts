/** Lets faults strike: each kind of the seed's swarm at its own random instants, counted when it hit something. */
import { COMMAND_STEPS } from "./command-traps.js";
import { WALL_START_UNIX_MS } from "./process-clock.js";
import { FAULTS, type Fault } from "./profile.js";
import type { Seeded } from "./seeded.js";
import type { Stage } from "./stage.js";

/** Days, either way: for stamps only. */
const WALL_JUMP_MS = 10 * 86_400_000;
/** A repeated key is told by the wall clock once the machine has rebooted: it must not be off by a day then. */
const WALL_JUMP_MS_WITH_REBOOTS = 20 * 3_600_000;
const CARD_FAILS_MS_MAX = 30_000;
const CLONE_MS_MAX = 600_000;

/** One per world; strikes from `start` until `stop`. */
export class FaultDriver {
  readonly counts = new Map<Fault, number>();
  readonly #world: Stage;
  readonly #random: Seeded;
  #isOver = false;

  constructor(world: Stage, random: Seeded) {
    this.#world = world;
    this.#random = random;
  }

  start(): void {
    for (const fault of FAULTS) {
      const everyMs = this.#world.profile.faultEveryMs.get(fault);
      if (everyMs !== undefined) this.#later(fault, everyMs);
    }
  }

  stop(): void {
    this.#isOver = true;
  }

  #later(fault: Fault, everyMs: number): void {
    this.#world.timeline.after(this.#random.waitMs(everyMs), () => {
      if (this.#isOver) return;
      if (this.#strike(fault)) {
        this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1);
        this.#world.story.tell("fault", fault);
      }
      this.#later(fault, everyMs);
    });
  }

  #strike(fault: Fault): boolean {
    const { network, disk, broker, wall } = this.#world;
    const random = this.#random;
    const index = random.between(0, this.#world.fleet.count - 1);
    const device = `dev-${index + 1}`;
    switch (fault) {
      case "cut":
        return network.cut(device);
      case "half-open":
        return network.halfOpen(device);
      case "stall":
        return network.stall(device);
      case "partition":
        network.partition(random.spread(1_000, 120_000));
        return true;
      case "device-power-cut":
        return this.#world.fleet.kill(index, null);
      case "device-stale-card":
        return this.#world.fleet.kill(index, random.unit());
      case "device-card-fails":
        return this.#failCard(index);
      case "gateway-kill":
        return this.#world.killGateway(false);
      case "gateway-reboot":
        return this.#world.killGateway(true);
      case "disk-slow":
        disk.slow(random.spread(1_000, 60_000), random.spread(100, 5_000));
        return true;
      case "disk-full":
        disk.fill(random.spread(500, 120_000));
        return true;
      case "broker-down":
        broker.goDown(random.spread(100, 300_000));
        return true;
      case "broker-silent":
        broker.fallSilent(random.spread(1_000, 60_000));
        return true;
      case "store-backup":
        return this.#world.backUp();
      case "store-restored":
        return this.#world.restore();
      case "line-noise":
        return this.#disturb(index);
      case "line-unplugged":
        return this.#unplug(index);
      case "device-cloned":
        return this.#world.fleet.clone(index, random.chance(0.5), random.spread(2_000, CLONE_MS_MAX));
      case "device-dies-in-command":
        this.#world.fleet.traps.set(device, random.pick(COMMAND_STEPS));
        return true;
      case "block-damaged":
        return this.#world.rot();
      case "record-requeued":
        return this.#requeue();
      case "wall-jump":
        wall.offsetMs = WALL_START_UNIX_MS + (random.unit() - 0.5) * this.#wallJumpMs();
        return true;
    }
  }

  /** Somebody has what is aside tried again, although the broker is as it was. */
  #requeue(): boolean {
    const { gateway, broker } = this.#world;
    if (gateway === null || broker.poison.refused.size === 0) return false;
    void gateway.requeue();
    return true;
  }

  #wallJumpMs(): number {
    return this.#world.profile.faultEveryMs.has("gateway-reboot") ? WALL_JUMP_MS_WITH_REBOOTS : WALL_JUMP_MS;
  }

  #disturb(index: number): boolean {
    const wire = this.#world.fleet.wireOf(index);
    wire?.disturb(this.#random.spread(100, 30_000), this.#random.spread(0.001, 0.2));
    return wire !== null;
  }

  #unplug(index: number): boolean {
    const wire = this.#world.fleet.wireOf(index);
    wire?.unplug(this.#random.spread(10, 60_000));
    return wire !== null;
  }

  #failCard(index: number): boolean {
    const card = this.#world.fleet.cardOf(index);
    if (card === null) return false;
    const { timeline } = this.#world;
    const untilMs = timeline.nowMs + this.#random.spread(100, CARD_FAILS_MS_MAX);
    card.isFailing = () => timeline.nowMs < untilMs;
    return true;
  }
}
