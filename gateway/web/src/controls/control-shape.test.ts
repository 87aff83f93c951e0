/** Which control a command gets. */
import { describe, expect, it } from "vitest";
import type { SignalView } from "../../../src/admin/api-schemas.js";
import { argsFor, type ControlShape, controlsOf, stepFor } from "./control-shape.js";

const signal = (key: string, rest: Partial<SignalView> = {}): SignalView => ({
  id: 1,
  key,
  name: "",
  type: "float",
  unit: "",
  kind: "",
  deviceClass: "",
  intervalMs: 0,
  min: null,
  max: null,
  options: [],
  ...rest,
});

function shape(name: string, argsHint: string, signals: SignalView[] = []): ControlShape | undefined {
  return controlsOf({ commands: [{ code: 1, name, atMostOnce: true, argsHint }], signals })[0]?.shape;
}

describe("the catalog draws", () => {
  it("a button for a command without arguments", () => {
    for (const hint of ["", "  ", "{}", "null"]) expect(shape("identify", hint)).toEqual({ kind: "button" });
  });

  it("a toggle for a boolean, with or without a name", () => {
    expect(shape("pump", '{"on":true}')).toEqual({ kind: "toggle", field: "on" });
    expect(shape("pump", "false")).toEqual({ kind: "toggle", field: null });
  });

  it("a slider where the signal has bounds, else a number field", () => {
    const setpoint = signal("setpoint", { min: 5, max: 35, unit: "°C" });
    expect(shape("setpoint", '{"celsius":21.5}', [setpoint])).toEqual({
      kind: "slider",
      field: "celsius",
      min: 5,
      max: 35,
      step: 0.5,
      unit: "°C",
    });
    expect(shape("setpoint", '{"celsius":21.5}')).toMatchObject({ kind: "number", example: 21.5 });
  });

  it("a select for options of the signal or of the hint", () => {
    const mode = signal("mode", { options: ["eco", "heat"] });
    expect(shape("set-mode", '{"mode":"eco"}', [mode])).toMatchObject({ kind: "select", options: ["eco", "heat"] });
    expect(shape("set-mode", '{"mode":["eco","heat"]}')).toMatchObject({ kind: "select", field: "mode" });
    expect(shape("set-mode", '{"mode":"eco|heat|off"}')).toMatchObject({ options: ["eco", "heat", "off"] });
  });

  it("a field for JSON for everything else, however odd the hint", () => {
    for (const hint of ['{"a":1,"b":2}', '{"text":"hello"}', "not json", "[]", '{"x":null}', '{"__proto__":{}}']) {
      expect(shape("odd", hint)).toEqual({ kind: "json", example: hint });
    }
  });
});

describe("a control", () => {
  it("sends by name when the hint has one", () => {
    expect(argsFor({ kind: "toggle", field: "on" }, true)).toEqual({ on: true });
    expect(argsFor({ kind: "toggle", field: null }, true)).toBe(true);
    expect(argsFor({ kind: "button" }, null)).toEqual({});
  });

  it("slides in steps that people count in", () => {
    expect([stepFor(30, "float"), stepFor(100, "float"), stepFor(1, "float"), stepFor(3600, "int")]).toEqual([
      0.5, 2, 0.02, 100,
    ]);
    expect(stepFor(3, "int")).toBe(1);
  });
});
