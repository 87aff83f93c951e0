/**
 * Which control a command gets, drawn from the catalog: the command's hint of its arguments, and the signal of the
 * same name that reports its effect. Pure. docs/dashboard.md says the same for firmware authors.
 *
 *   hint {} or none                    ─▶ button
 *   hint {"on":true} or true           ─▶ toggle
 *   hint {"celsius":21.5}              ─▶ slider when the signal declares min and max, else a number field
 *   hint {"mode":"eco"} + options      ─▶ select          also {"mode":["eco","heat"]} and {"mode":"eco|heat"}
 *   anything else                      ─▶ a field for JSON
 */
import type { CommandSpecView, DeviceView, SignalView } from "../../../src/admin/api-schemas.js";

export type ControlShape =
  | { readonly kind: "button" }
  | { readonly kind: "toggle"; readonly field: string | null }
  | {
      readonly kind: "slider";
      readonly field: string | null;
      readonly min: number;
      readonly max: number;
      readonly step: number;
      readonly unit: string;
    }
  | { readonly kind: "number"; readonly field: string | null; readonly unit: string; readonly example: number }
  | { readonly kind: "select"; readonly field: string | null; readonly options: readonly string[] }
  | { readonly kind: "json"; readonly example: string };

export interface Control {
  readonly command: string;
  readonly shape: ControlShape;
  /** The signal that reports what the command sets; null: none does. */
  readonly signal: SignalView | null;
}

const OPTIONS_MAX = 50;
/** A slider has about so many positions, on a step that people count in. */
const POSITIONS = 60;

/** The controls of a device, in the order of its catalog. */
export function controlsOf(device: Pick<DeviceView, "commands" | "signals">): Control[] {
  return device.commands.map((spec) => controlOf(spec, device.signals));
}

function controlOf(spec: CommandSpecView, signals: readonly SignalView[]): Control {
  const hint = parsedHint(spec.argsHint);
  const fields = isRecord(hint) ? Object.entries(hint) : [];
  const named = (key: string): SignalView | undefined => signals.find((signal) => signal.key === key);
  const [first] = fields;
  const signal = named(spec.name) ?? (fields.length === 1 && first !== undefined ? named(first[0]) : undefined) ?? null;
  return { command: spec.name, signal, shape: shapeOf(hint, spec.argsHint, signal) };
}

function shapeOf(hint: unknown, text: string, signal: SignalView | null): ControlShape {
  if (hint === null || hint === undefined) return { kind: "button" };
  if (!isRecord(hint)) return ofValue(null, hint, signal) ?? { kind: "json", example: text };
  const fields = Object.entries(hint);
  const [first] = fields;
  if (first === undefined) return { kind: "button" };
  return (fields.length === 1 ? ofValue(first[0], first[1], signal) : null) ?? { kind: "json", example: text };
}

function ofValue(field: string | null, value: unknown, signal: SignalView | null): ControlShape | null {
  if (typeof value === "boolean") return { kind: "toggle", field };
  if (typeof value === "number") return ofNumber(field, value, signal);
  const options = optionsOf(value, signal);
  return options.length > 1 ? { kind: "select", field, options } : null;
}

function ofNumber(field: string | null, example: number, signal: SignalView | null): ControlShape {
  const unit = signal?.unit ?? "";
  if (signal === null || signal.min === null || signal.max === null) return { kind: "number", field, unit, example };
  const { min, max } = signal;
  return { kind: "slider", field, min, max, step: stepFor(max - min, signal.type), unit };
}

/** 1, 2 or 5 times a power of ten, near a sixtieth of the range; whole for integers. */
export function stepFor(span: number, type: string): number {
  const rough = span / POSITIONS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((factor) => factor * power >= rough * 0.99) ?? 10) * power;
  const isWhole = type === "int" || type === "long";
  return isWhole ? Math.max(1, Math.round(step)) : Number(step.toPrecision(1));
}

function optionsOf(value: unknown, signal: SignalView | null): readonly string[] {
  if (signal !== null && signal.options.length > 1) return signal.options;
  if (Array.isArray(value))
    return value.filter((item): item is string => typeof item === "string").slice(0, OPTIONS_MAX);
  return typeof value === "string" && value.includes("|") ? value.split("|").slice(0, OPTIONS_MAX) : [];
}

/** The arguments to send for a value: by name when the hint names the field. */
export function argsFor(shape: ControlShape, value: unknown): unknown {
  if (shape.kind === "button") return {};
  if (shape.kind === "json") return value;
  return shape.field === null ? value : { [shape.field]: value };
}

function parsedHint(text: string): unknown {
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
