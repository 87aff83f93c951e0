/** One newest value with name, unit, age and quality; and a device's presence, in the same ages. */
import type { DeviceView, ReadingView } from "../../../src/admin/api-schemas.js";
import { ageText, timeText, valueText } from "../format.js";
import { nowUnixMs, state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { booleanWords } from "../words.js";

interface ReadingValueProps {
  readonly reading: ReadingView;
  readonly label: string;
  /** As people read it. */
  readonly words: string;
}

/** Stands in a `dl.values`. */
export function ReadingValue({ reading, label, words }: ReadingValueProps) {
  const age = useAge(reading.t);
  const isGood = reading.q === "good";
  return (
    <div class={`value value-${reading.q}`}>
      <dt>{label}</dt>
      <dd>
        <b>{words}</b>
        {reading.unit === undefined || reading.unit === "" ? null : <span class="unit">{reading.unit}</span>}
        <small title={new Date(reading.t).toLocaleString()}>
          {age === "now" ? age : `${age} ago`}
          {isGood ? "" : ` · ${reading.q}`}
        </small>
      </dd>
    </div>
  );
}

/** All newest values of a device. */
export function ReadingValues({ device }: { readonly device: DeviceView }) {
  if (device.latest.length === 0) return <p class="values empty">No values since the gateway started.</p>;
  return (
    <dl class="values">
      {device.latest.map((reading) => (
        <ReadingValue
          key={reading.signal}
          reading={reading}
          label={signalLabel(device, reading.signal)}
          words={readingWords(device, reading)}
        />
      ))}
    </dl>
  );
}

/** A value in words: a door is open or closed, not on or off. */
export function readingWords(device: DeviceView, { signal, v }: ReadingView): string {
  if (typeof v !== "boolean") return valueText(v);
  return booleanWords(device.signals.find(({ key }) => key === signal)?.deviceClass ?? "")[Number(v)] ?? "";
}

/** The signal's name from the catalog, else its key. */
export function signalLabel(device: DeviceView, signal: string): string {
  const known = device.signals.find(({ key }) => key === signal);
  return known === undefined || known.name === "" ? signal : known.name;
}

/** The display name of a device, else its id. */
export function deviceLabel(device: Pick<DeviceView, "id" | "name">): string {
  return device.name === "" ? device.id : device.name;
}

/** Online, offline, sleeping or revoked, and when it was seen last. */
export function Presence({ device }: { readonly device: DeviceView }) {
  const age = useAge(device.lastSeen === null ? null : Date.parse(device.lastSeen));
  const word = device.revoked ? "revoked" : device.presence;
  const seen = device.online || age === null ? "" : `, seen ${age === "now" ? "just now" : `${age} ago`}`;
  return (
    <span class={`presence presence-${word}`} title={`last seen ${timeText(device.lastSeen)}`}>
      <i class="dot" aria-hidden="true" />
      {word}
      {seen}
    </span>
  );
}

/** Age of an instant on the gateway's clock, as text; renders again only when the text changes. */
export function useAge(unixMs: number | null): string | null {
  const offsetMs = useSelected(state, (s) => s.clockOffsetMs);
  return useSelected(nowUnixMs, (now) => (unixMs === null ? null : ageText(now + offsetMs - unixMs)));
}
