/**
 * The judge, put together: hears of everything from outside the product, and judges at once or when all is at rest.
 *
 *   application ─reported, acked, ran─▶ ┐
 *   wire        ─every frame──────────▶ ├─▶ checks ─▶ findings
 *   disk        ─durable transactions─▶ │
 *   broker      ─messages taken───────▶ ┘
 */
import { decodeUplink, Reason } from "@tidegate/proto";
import type { DurableTables } from "../store/world-store.js";
import type { Story } from "../story.js";
import { CommandChecks } from "./command-checks.js";
import { DeliveryChecks } from "./delivery-checks.js";
import { Findings } from "./findings.js";
import { readingOf, WireLog } from "./wire-log.js";

/** One per world. Throws nothing: what is wrong becomes a finding. */
export class Checker {
  readonly findings: Findings;
  readonly wire: WireLog;
  readonly delivery: DeliveryChecks;
  readonly commands: CommandChecks;
  /** Devices whose card was put back to an older state: they may say things twice, under two ids [P-7]. */
  readonly #forgiven = new Set<string>();

  /** @param machineBootMs world time at which the gateway machine's monotonic clock was 0. */
  constructor(story: Story, tables: () => DurableTables, machineBootMs: () => number) {
    this.findings = new Findings(story);
    this.wire = new WireLog(this.findings, this.#forgiven);
    const { findings, wire } = this;
    this.delivery = new DeliveryChecks({ findings, wire, tables, forgiven: this.#forgiven });
    this.commands = new CommandChecks(findings, tables, machineBootMs);
  }

  durable(): void {
    this.delivery.durable();
    this.commands.durable();
  }

  /** The device's process died and its card holds these bodies. */
  died(device: string, bodies: readonly Uint8Array[]): void {
    const kept = new Set<number>();
    for (const body of bodies) {
      const decoded = decodeUplink(body);
      if (!decoded.ok || decoded.value.body?.kind !== "telemetry") continue;
      const reading = readingOf(decoded.value.body.telemetry);
      if (reading !== null) kept.add(reading);
    }
    this.delivery.died(device, kept);
  }

  /** Only a link that the device has left may be fenced by a newer one [P-5]. */
  closedByGateway(device: string, reason: Reason): void {
    if (reason !== Reason.TAKEOVER || this.#forgiven.has(device)) return;
    this.findings.add("P-5", `${device} was told that another link took over, and it had no other`);
  }

  /** The store is what it was when it was copied: what was acked since is unproven, and it must say so [P-8]. */
  storeRestored(): void {
    this.delivery.storeRestored();
    this.commands.storeRestored();
  }

  wentBack(device: string): void {
    this.#forgiven.add(device);
    this.commands.forgive(device);
  }

  atRest(): void {
    this.delivery.atRest();
    this.commands.atRest();
  }
}
