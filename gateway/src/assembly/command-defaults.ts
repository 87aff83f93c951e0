/**
 * What the sender of a command left open, filled in: one rule for every door, HTTP and brokers alike.
 *
 *   asked (delivery?, ttl?) ──▶ catalog of the device, `commands.ttl`, `commands.maxTtl` ──▶ command desk
 */
import type { AskedCommand, CreateOutcome, Delivery, NewCommand } from "../model/command.js";
import type { SpoolReader } from "../model/spool.js";

/** What it works with. */
export interface CommandDefaultsParts {
  readonly reader: Pick<SpoolReader, "devices">;
  /** Accepts a command: durable when it resolves. */
  readonly submit: (command: NewCommand) => Promise<CreateOutcome>;
  /** `commands.ttl`, in ms. */
  readonly ttlMs: number;
  /** `commands.maxTtl`, in ms; whoever asks for more gets this. */
  readonly ttlMsMax: number;
}

/** Stands before the command desk. Commands reach it in the order in which they were asked for. */
export class CommandDefaults {
  readonly #parts: CommandDefaultsParts;
  /** Commands whose declaration is being looked up. */
  #askingCount = 0;

  constructor(parts: CommandDefaultsParts) {
    this.#parts = parts;
  }

  /** Accept a command: durable when this resolves. Errors: those of `CommandDesk.submit`. */
  readonly submit = async (asked: AskedCommand): Promise<CreateOutcome> => {
    const { submit, ttlMs, ttlMsMax } = this.#parts;
    // Behind one that has to look, also one that knows looks: it would overtake it.
    const isAlone = asked.delivery !== null && this.#askingCount === 0;
    const declared = isAlone ? null : await this.#declared(asked);
    const delivery = asked.delivery ?? declared ?? "atMostOnce";
    return submit({ ...asked, delivery, ttlMs: Math.min(asked.ttlMs ?? ttlMs, ttlMsMax) });
  };

  async #declared({ device, name }: AskedCommand): Promise<Delivery> {
    this.#askingCount += 1;
    try {
      return await declaredDelivery(this.#parts.reader, device, name);
    } finally {
      this.#askingCount -= 1;
    }
  }
}

/** How the device's catalog declares the command; at most once when it says nothing: never twice is the safe way. */
async function declaredDelivery(reader: CommandDefaultsParts["reader"], device: string, name: string) {
  const [facts] = await reader.devices([device]);
  const spec = facts?.catalog?.commands.find((known) => isSpec(known) && known.name === name);
  const declared: Delivery = isSpec(spec) && !spec.atMostOnce ? "atLeastOnce" : "atMostOnce";
  return declared;
}

function isSpec(value: unknown): value is { name: string; atMostOnce: boolean } {
  return typeof value === "object" && value !== null && "name" in value && "atMostOnce" in value;
}
