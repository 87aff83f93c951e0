/**
 * Temperature and humidity of a greenhouse: a daily curve, weather, and what the heater adds. Pure; the time is given.
 *
 *   °C   swing ╱▔▔╲          warmest at 15 h UTC
 *        mean ╱    ╲    ╱     ± weather (20 min) ± sensor noise (15 s)
 *                   ╲__╱     + heat
 */
import { smoothNoise } from "./noise.js";

/** What kind of building it is. */
export interface Climate {
  readonly meanCelsius: number;
  /** Half of the difference between afternoon and night. */
  readonly swingCelsius: number;
  /** Relative humidity at the mean temperature. */
  readonly humidityPercent: number;
}

/** What the heater adds to the temperature that the building would have by itself. */
export interface Heating {
  readonly heatCelsius: number;
  readonly atUnixMs: number;
}

const HOUR_MS = 3_600_000;
const WARMEST_HOUR = 15;
const WEATHER = { lane: 1, periodMs: 20 * 60_000, celsius: 1.2 };
const SENSOR = { lane: 2, periodMs: 15_000, celsius: 0.12 };
const DAMP = { lane: 3, periodMs: 5 * 60_000, percent: 4 };
/** Warm air holds more water: the relative humidity falls by so much per degree. */
const HUMIDITY_PERCENT_PER_CELSIUS = 2.1;
/** How fast the building follows its heater: 63 % of the way in this time. Short, so that a person sees it happen. */
const HEATING_TIME_MS = 45_000;
const HEAT_CELSIUS_MAX = 18;

/** The temperature without heating, in °C. */
export function unheatedCelsius(climate: Climate, seed: number, unixMs: number): number {
  const hours = unixMs / HOUR_MS - WARMEST_HOUR;
  const daily = Math.cos((hours / 24) * 2 * Math.PI) * climate.swingCelsius;
  const weather = smoothNoise(seed, WEATHER.lane, unixMs, WEATHER.periodMs) * WEATHER.celsius;
  const sensor = smoothNoise(seed, SENSOR.lane, unixMs, SENSOR.periodMs) * SENSOR.celsius;
  return climate.meanCelsius + daily + weather + sensor;
}

/** Relative humidity in %, for the temperature there is. */
export function humidityPercent(climate: Climate, seed: number, unixMs: number, celsius: number): number {
  const damp = smoothNoise(seed, DAMP.lane, unixMs, DAMP.periodMs) * DAMP.percent;
  const warmer = celsius - climate.meanCelsius;
  const percent = climate.humidityPercent + damp - warmer * HUMIDITY_PERCENT_PER_CELSIUS;
  return Math.min(100, Math.max(5, percent));
}

/**
 * The heater, one step on: it can warm and cannot cool. A clock that went backwards changes nothing.
 *
 * @param lackingCelsius setpoint minus the temperature without heating
 */
export function heat(heating: Heating, lackingCelsius: number, unixMs: number): Heating {
  const elapsedMs = Math.max(0, unixMs - heating.atUnixMs);
  const wanted = Math.min(HEAT_CELSIUS_MAX, Math.max(0, lackingCelsius));
  const followed = 1 - Math.exp(-elapsedMs / HEATING_TIME_MS);
  return { heatCelsius: heating.heatCelsius + (wanted - heating.heatCelsius) * followed, atUnixMs: unixMs };
}
