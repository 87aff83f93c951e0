/** Two lists: a device, and one of its signals. */
import { useMemo, useState } from "preact/hooks";
import { signalKeys } from "../pages/device-charts.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { deviceLabel, signalLabel } from "./reading-value.js";
import type { SignalRef } from "./series-data.js";

/** Hands over what was picked. */
export function SignalPicker({ onPick }: { readonly onPick: (ref: SignalRef) => void }) {
  const count = useSelected(state, (s) => s.devices?.size ?? 0);
  // Another number of devices is another list.
  const names = useMemo(() => [...(state.value.devices?.keys() ?? [])], [count]);
  const [picked, setPicked] = useState("");
  const [signal, setSignal] = useState("");
  const id = names.includes(picked) ? picked : (names[0] ?? "");
  const device = state.value.devices?.get(id);
  const keys = device === undefined ? [] : signalKeys(device);
  const key = keys.includes(signal) ? signal : (keys[0] ?? "");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (id !== "" && key !== "") onPick({ device: id, signal: key });
  };
  return (
    <form class="inline-form" onSubmit={submit}>
      <label>
        Device
        <select value={id} onChange={(event) => setPicked(event.currentTarget.value)}>
          {names.map((name) => (
            <option key={name} value={name}>
              {deviceLabel(state.value.devices?.get(name) ?? { id: name, name: "" })}
            </option>
          ))}
        </select>
      </label>
      <label>
        Signal
        <select value={key} onChange={(event) => setSignal(event.currentTarget.value)}>
          {keys.map((name) => (
            <option key={name} value={name}>
              {device === undefined ? name : signalLabel(device, name)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" disabled={key === ""}>
        Add
      </button>
    </form>
  );
}
