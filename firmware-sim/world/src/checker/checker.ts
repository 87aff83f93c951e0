/**
 * The judge, put together: hears of everything from outside the product, and judges at once or when all is at rest.
 *
 *   application ─reported, acked, ran─▶ ┐
 *   wire        ─every frame──────────▶ ├─▶ checks ─▶ findings
 *   disk        ─durable transactions─▶ │
 *   broker      ─messages taken───────▶ ┘
 */
import { decodeUplink, Reason } from "@tidegate/proto";
import { type CommandOutcomeBody, type GapBody, RecordKind } from "tidegate/dist/model/record.js";
import type { HitRecord } from "../store/bit-rot.js";
import type { DurableTables } from "../store/world-store.js";
import type { Story } from "../story.js";
import { CommandChecks } from "./command-checks.js";
import { ConsumerChecks } from "./consumer-checks.js";
import { DeliveryChecks } from "./delivery-checks.js";
import { Findings } from "./findings.js";
import { readingOf, WireLog } from "./wire-log.js";
import type { WorldRules } from "./world-rules.js";

/** More turns within this time than a guard that counts returns lets happen, gateways that restart included. */
const TURNS_MAX = 20;
const TURNS_WITHIN_MS = 60_000;

/** Where the judge looks. */
export interface CheckerWorld {
  readonly story: Story;
  readonly tables: () => DurableTables;
  /** World time at which the gateway machine's monotonic clock was 0. */
  readonly machineBootMs: () => number;
  readonly rules: WorldRules;
}

/** One per world. Throws nothing: what is wrong becomes a finding. */
export class Checker {
  readonly findings: Findings;
  readonly wire: WireLog;
  readonly delivery: DeliveryChecks;
  readonly commands: CommandChecks;
  readonly consumer: ConsumerChecks;
  /** Devices that had a clone beside them at any time. */
  readonly #cloned = new Set<string>();
  readonly #clones = { lockedOut: 0 };
  /** When the two of an identity took turns, in ms. */
  readonly #turns = new Map<string, number[]>();
  readonly #lateHellos = new Set<string>();
  /** Devices whose card was put back to an older state: they may say things twice, under two ids [P-7]. */
  readonly #forgiven = new Set<string>();

  constructor({ story, tables, machineBootMs, rules }: CheckerWorld) {
    this.findings = new Findings(story);
    this.wire = new WireLog(this.findings, this.#forgiven);
    const { findings, wire } = this;
    this.delivery = new DeliveryChecks({ findings, wire, tables, forgiven: this.#forgiven, rules });
    this.commands = new CommandChecks({ findings, tables, machineBootMs, rules });
    this.consumer = new ConsumerChecks(findings, rules);
  }

  get counts(): Readonly<Record<string, number>> {
    return { ...this.#clones, ...this.delivery.counts, ...this.commands.counts, ...this.consumer.counts };
  }

  /** The broker took a message. */
  taken(topic: string, payload: string): void {
    this.consumer.taken(topic, payload);
    if (topic.endsWith("/watermark")) return;
    this.delivery.taken(topic, payload);
    if (topic.endsWith("/result")) this.commands.told(payload);
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

  /**
   * Only a link that the device has left may be fenced by a newer one [P-5]; two that share an identity may do so, but
   * not without end, and nobody else is taken for two [P-14].
   */
  closedByGateway(device: string, reason: Reason, nowMs: number): void {
    const isCloned = this.#cloned.has(device);
    if (reason === Reason.CLONED_IDENTITY && !isCloned) this.findings.add("P-14", `${device} is alone, and locked out`);
    if (reason === Reason.CLONED_IDENTITY) this.#clones.lockedOut += 1;
    if (reason !== Reason.TAKEOVER) return;
    if (isCloned) this.#tookTurns(device, nowMs);
    else if (!this.#lateHellos.delete(device))
      this.findings.add("P-5", `${device} was told that another link took over, and it had no other`);
  }

  /** The gateway read a Hello of a process that is dead: it cannot know that, and lets it take over once. */
  lateHello(device: string): void {
    this.#lateHellos.add(device);
  }

  /** @param isCardCopied both will say that they are the one that goes on. */
  cloned(device: string, isCardCopied: boolean): void {
    this.#cloned.add(device);
    this.delivery.cloned(device);
    if (!isCardCopied) return;
    this.wentBack(device);
    this.commands.cloned(device);
  }

  #tookTurns(device: string, nowMs: number): void {
    const recent = (this.#turns.get(device) ?? []).filter((atMs) => nowMs - atMs < TURNS_WITHIN_MS);
    recent.push(nowMs);
    this.#turns.set(device, recent);
    if (recent.length === TURNS_MAX) this.findings.add("P-14", `${device} and its clone take turns without end`);
  }

  /** The store is what it was when it was copied: what was acked since is unproven, and it must say so [P-8]. */
  storeRestored(): void {
    this.delivery.storeRestored();
    this.commands.storeRestored();
  }

  /** A stored record is damaged: it may be lost, and nothing else may. */
  rotted(hit: HitRecord): void {
    this.delivery.rotted(hit);
    if (hit.kind !== RecordKind.gap && hit.kind !== RecordKind.commandOutcome) return;
    // Written by the gateway, and whole when it was read.
    const told = JSON.parse(new TextDecoder().decode(hit.body)) as GapBody & CommandOutcomeBody;
    if (hit.kind === RecordKind.commandOutcome) this.commands.lostOutcome(told.commandId);
    else this.consumer.lostGap(this.delivery.deviceOf(hit.deviceKey), hit.epoch, told);
  }

  wentBack(device: string): void {
    this.#forgiven.add(device);
    this.commands.forgive(device);
  }

  atRest(): void {
    this.delivery.atRest();
    this.commands.atRest();
    this.consumer.atRest(this.delivery.isRestored);
  }
}
