/** The part of a control that is touched. Each sends one value; what was reported shows where it stands. */
import { useEffect, useState } from "preact/hooks";
import { valueText } from "../format.js";
import type { Control, ControlShape } from "./control-shape.js";

interface ControlInputProps {
  readonly control: Control;
  /** The newest reported value; null: none. */
  readonly reported: number | string | boolean | null;
  readonly isBusy: boolean;
  readonly onSend: (value: unknown) => void;
}

type Of<K extends ControlShape["kind"]> = Omit<ControlInputProps, "control"> & {
  readonly name: string;
  readonly shape: Extract<ControlShape, { kind: K }>;
};

/** By the control's shape. */
export function ControlInput({ control, ...rest }: ControlInputProps) {
  const { shape, command: name } = control;
  switch (shape.kind) {
    case "button":
      return (
        <button type="button" disabled={rest.isBusy} onClick={() => rest.onSend(null)}>
          Run <span class="unseen">{name}</span>
        </button>
      );
    case "toggle":
      return <Toggle {...rest} name={name} shape={shape} />;
    case "slider":
      return <Slider {...rest} name={name} shape={shape} />;
    case "number":
      return <NumberField {...rest} name={name} shape={shape} />;
    case "select":
      return <Select {...rest} name={name} shape={shape} />;
    case "json":
      return <JsonField {...rest} name={name} shape={shape} />;
  }
}

/** Two buttons, not a switch: a switch would show a state that the device has not reached. */
function Toggle({ name, reported, isBusy, onSend }: Of<"toggle">) {
  return (
    <div class="toggle">
      {[false, true].map((value) => (
        <button
          key={String(value)}
          type="button"
          class="chip"
          aria-pressed={reported === value}
          disabled={isBusy}
          onClick={() => onSend(value)}
        >
          <span class="unseen">{name} </span>
          {value ? "on" : "off"}
        </button>
      ))}
    </div>
  );
}

/** Sends when let go, not while it moves. */
function Slider({ name, shape, reported, isBusy, onSend }: Of<"slider">) {
  const { min, max, step, unit } = shape;
  const [moved, setMoved] = useState<number | null>(null);
  // What the device reports wins over where it was dragged to.
  useEffect(() => setMoved(null), [reported]);
  const value = moved ?? (typeof reported === "number" ? reported : min);
  return (
    <label class="slider">
      <span class="unseen">{name}</span>
      <input
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        disabled={isBusy}
        aria-valuetext={`${valueText(value)} ${unit}`}
        onInput={(event) => setMoved(event.currentTarget.valueAsNumber)}
        onChange={(event) => onSend(event.currentTarget.valueAsNumber)}
      />
      <output>
        {valueText(value)} {unit}
      </output>
    </label>
  );
}

function NumberField({ name, shape, reported, isBusy, onSend }: Of<"number">) {
  const [text, setText] = useState("");
  return (
    <form
      class="inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        onSend(Number(text));
      }}
    >
      <label>
        <span class="unseen">{name}</span>
        <input
          type="number"
          step="any"
          required
          value={text}
          placeholder={String(typeof reported === "number" ? reported : shape.example)}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <span class="unit">{shape.unit}</span>
      <button type="submit" disabled={isBusy}>
        Set<span class="unseen"> {name}</span>
      </button>
    </form>
  );
}

function Select({ name, shape, reported, isBusy, onSend }: Of<"select">) {
  const current = typeof reported === "string" ? reported : "";
  return (
    <label>
      <span class="unseen">{name}</span>
      <select value={current} disabled={isBusy} onChange={(event) => onSend(event.currentTarget.value)}>
        {shape.options.includes(current) ? null : <option value={current}>choose …</option>}
        {shape.options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

function JsonField({ name, shape, isBusy, onSend }: Of<"json">) {
  const [text, setText] = useState(shape.example);
  const [problem, setProblem] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    try {
      const value: unknown = text.trim() === "" ? null : JSON.parse(text);
      setProblem("");
      onSend(value);
    } catch {
      setProblem('Not JSON. Text needs quotes: "on"');
    }
  };
  return (
    <form class="inline-form" onSubmit={submit}>
      <label>
        <span class="unseen">{name}: </span>Arguments (JSON)
        <input
          type="text"
          spellcheck={false}
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={isBusy}>
        Send<span class="unseen"> {name}</span>
      </button>
      <p class="problem" role="alert" hidden={problem === ""}>
        {problem}
      </p>
    </form>
  );
}
