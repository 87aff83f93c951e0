/**
 * The firmware of a virtual device: what it measures, what it obeys. Written against the public API of the SDK only, as
 * a user's application would be.
 *
 *   models (time, seed) ──tick──▶ signal.report        command ──▶ Building ──▶ next tick
 *
 * The Building is the world outside the chip: it outlives a reboot. Only the pump's relay drops, as real ones do.
 */
import type { CommandContext, Device, Signal } from "@tidegate/device-sdk";
import type { LedgerSignal } from "./ledger.js";
import { batteryPercent } from "./models/battery.js";
import { type Climate, type Heating, heat, humidityPercent, unheatedCelsius } from "./models/climate.js";
import { isDoorOpen } from "./models/door.js";
import { flowLitresPerMin } from "./models/pump.js";

/** What the device acts on; survives its reboots. */
export interface Building {
  readonly climate: Climate;
  readonly seed: number;
  setpointCelsius: number;
  pumpOnSinceUnixMs: number | null;
  heating: Heating;
}

/** A command that was carried out, for those who count. */
export type CommandRan = (name: string, id: number) => void;

/** Kinds of buildings. */
export const CLIMATES = {
  warm: { meanCelsius: 23, swingCelsius: 5, humidityPercent: 62 },
  mild: { meanCelsius: 19, swingCelsius: 4, humidityPercent: 70 },
  cellar: { meanCelsius: 13, swingCelsius: 1.5, humidityPercent: 78 },
} as const satisfies Record<string, Climate>;

/** Model name in Hello: by it a simulator recognises its own devices, and leaves others alone. */
export const SIM_MODEL = "tidegate-sim";
export const SIM_FIRMWARE = "sim-0.1.0";

/** The signals in the order of their declaration, for the ledger. */
export const SIGNALS: readonly LedgerSignal[] = [
  { key: "temperature", type: "float", digits: 0 },
  { key: "humidity", type: "scaled", digits: 1 },
  { key: "door", type: "bool", digits: 0 },
  { key: "battery", type: "scaled", digits: 1 },
  { key: "pump", type: "bool", digits: 0 },
  { key: "flow", type: "scaled", digits: 1 },
  { key: "setpoint", type: "float", digits: 0 },
];

const SETPOINT_CELSIUS = { default: 10, min: 5, max: 35 };
/** Slow values are repeated so often, that a gateway which missed one learns it again. */
const REPEAT_MS = 60_000;
const IDENTIFY_BLINKS = 3;

/** @param atUnixMs now; heating begins here */
export function newBuilding(climate: Climate, seed: number, atUnixMs: number): Building {
  return {
    climate,
    seed,
    setpointCelsius: SETPOINT_CELSIUS.default,
    pumpOnSinceUnixMs: null,
    heating: { heatCelsius: 0, atUnixMs },
  };
}

/** The application of one boot. Declares on construction; `tick` takes one set of readings. */
export class Greenhouse {
  readonly #building: Building;
  readonly #ran: CommandRan;
  readonly #unixMs: () => number;
  readonly #temperature: Signal<number>;
  readonly #humidity: Signal<number>;
  readonly #door: SlowSignal<boolean>;
  readonly #battery: SlowSignal<number>;
  readonly #pump: SlowSignal<boolean>;
  readonly #flow: Signal<number>;
  readonly #setpoint: SlowSignal<number>;

  /**
   * @param device not started yet
   * @param unixMs true time; the world outside does not go by the device's clock
   */
  constructor(
    device: Device,
    building: Building,
    { unixMs, ran, intervalMs }: { unixMs: () => number; ran: CommandRan; intervalMs: number },
  ) {
    this.#building = building;
    this.#ran = ran;
    this.#unixMs = unixMs;
    this.#temperature = device.signal("temperature", {
      kind: "measurement",
      unit: "°C",
      deviceClass: "temperature",
      name: "Temperature",
      intervalMs,
    });
    this.#humidity = device.signal("humidity", {
      kind: "measurement",
      scale: -1,
      unit: "%",
      deviceClass: "humidity",
      name: "Humidity",
      intervalMs,
    });
    const door = device.signal("door", { type: "bool", kind: "event", deviceClass: "door", name: "Door" });
    const battery = device.signal("battery", {
      kind: "measurement",
      scale: -1,
      unit: "%",
      deviceClass: "battery",
      name: "Battery",
    });
    const pump = device.signal("pump", { type: "bool", kind: "state", deviceClass: "running", name: "Pump" });
    this.#flow = device.signal("flow", {
      kind: "measurement",
      scale: -1,
      unit: "L/min",
      deviceClass: "volume_flow_rate",
      name: "Flow",
    });
    const setpoint = device.signal("setpoint", {
      kind: "setpoint",
      unit: "°C",
      deviceClass: "temperature",
      name: "Setpoint",
      min: SETPOINT_CELSIUS.min,
      max: SETPOINT_CELSIUS.max,
    });
    this.#door = new SlowSignal(door);
    this.#battery = new SlowSignal(battery);
    this.#pump = new SlowSignal(pump);
    this.#setpoint = new SlowSignal(setpoint);
    this.#declareCommands(device);
  }

  /** Take one set of readings of this instant. */
  tick(): void {
    const { climate, seed, pumpOnSinceUnixMs, setpointCelsius } = this.#building;
    const nowMs = this.#unixMs();
    const unheated = unheatedCelsius(climate, seed, nowMs);
    this.#building.heating = heat(this.#building.heating, setpointCelsius - unheated, nowMs);
    const celsius = unheated + this.#building.heating.heatCelsius;
    this.#temperature.report(Math.round(celsius * 100) / 100);
    this.#humidity.report(humidityPercent(climate, seed, nowMs, celsius));
    const wasOn = this.#pump.last;
    this.#door.report(isDoorOpen(seed, nowMs), nowMs);
    this.#battery.report(Math.round(batteryPercent(seed, nowMs) * 10) / 10, nowMs);
    this.#pump.report(pumpOnSinceUnixMs !== null, nowMs);
    this.#setpoint.report(setpointCelsius, nowMs);
    // While it runs, and once more when it stopped: a line that ends at the last flow would be a lie.
    if (pumpOnSinceUnixMs !== null || wasOn !== false) {
      this.#flow.report(flowLitresPerMin(seed, nowMs, pumpOnSinceUnixMs));
    }
  }

  #declareCommands(device: Device): void {
    device.command<unknown>("pump", { idempotent: true, argsHint: '{"on":true}' }, (args, context) =>
      this.#onPump(args, context),
    );
    device.command("identify", { idempotent: false, argsHint: "{}" }, (_args, context) => {
      this.#ran("identify", context.id);
      device.log("notice", `identify: blinked ${IDENTIFY_BLINKS} times`);
      return { blinked: IDENTIFY_BLINKS };
    });
    device.command<unknown>("setpoint", { idempotent: true, argsHint: '{"celsius":21.5}' }, (args, context) =>
      this.#onSetpoint(args, context),
    );
  }

  #onPump(args: unknown, { id }: CommandContext): { on: boolean } {
    const on = fieldOf(args, "on");
    if (typeof on !== "boolean") throw new Error('"on" is neither true nor false; send {"on":true}');
    this.#ran("pump", id);
    if (!on) this.#building.pumpOnSinceUnixMs = null;
    else this.#building.pumpOnSinceUnixMs ??= this.#unixMs();
    return { on };
  }

  #onSetpoint(args: unknown, { id }: CommandContext): { celsius: number } {
    const celsius = fieldOf(args, "celsius");
    const { min, max } = SETPOINT_CELSIUS;
    if (typeof celsius !== "number" || !(celsius >= min && celsius <= max)) {
      throw new Error(`"celsius" is no number from ${min} to ${max}; send {"celsius":21.5}`);
    }
    this.#ran("setpoint", id);
    this.#building.setpointCelsius = celsius;
    return { celsius };
  }
}

/** A field of arguments that came from outside and may be any JSON. */
function fieldOf(args: unknown, name: string): unknown {
  return typeof args === "object" && args !== null ? Object.getOwnPropertyDescriptor(args, name)?.value : undefined;
}

/** A signal that is reported when it changes, and now and then without a change. */
class SlowSignal<V> {
  readonly #signal: Signal<V>;
  #reportedAtMs = Number.NEGATIVE_INFINITY;
  last: V | null = null;

  constructor(signal: Signal<V>) {
    this.#signal = signal;
  }

  report(value: V, nowMs: number): void {
    if (value === this.last && Math.abs(nowMs - this.#reportedAtMs) < REPEAT_MS) return;
    this.#signal.report(value);
    this.last = value;
    this.#reportedAtMs = nowMs;
  }
}
