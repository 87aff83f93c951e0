/** One device: who it is, what it says, and a drawer with its commands. */
import { useState } from "preact/hooks";
import type { DeviceView, ReadingView } from "../../../src/admin/api-schemas.js";
import { ageText, timeText, valueText } from "../format.js";
import { nowUnixMs, state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { CommandDrawer } from "./command-drawer.js";

/** One entry of the list; drawn again only when its own device changed. */
export function DeviceCard({ id }: { readonly id: string }) {
  const device = useSelected(state, (s) => s.devices?.get(id));
  const [isOpen, setOpen] = useState(false);
  if (device === undefined) return null;
  const drawer = `drawer-${id}`;
  return (
    <li class={`device device-${device.presence}`}>
      <div class="who">
        <h3>{device.name === "" ? device.id : device.name}</h3>
        <Presence device={device} />
        <p class="facts">{factsText(device)}</p>
      </div>
      <Values device={device} />
      <button
        type="button"
        class="quiet"
        aria-expanded={isOpen}
        aria-controls={drawer}
        onClick={() => setOpen(!isOpen)}
      >
        Command<span class="unseen"> {device.id}</span>
      </button>
      <div id={drawer} class="drawer" hidden={!isOpen}>
        {isOpen ? <CommandDrawer device={device} /> : null}
      </div>
    </li>
  );
}

function factsText(device: DeviceView): string {
  const id = device.name === "" ? "" : device.id;
  const firmware = device.firmware === "" ? "" : `firmware ${device.firmware}`;
  return [id, device.model, firmware].filter((part) => part !== "").join(" · ");
}

function Presence({ device }: { readonly device: DeviceView }) {
  const age = useAge(device.lastSeen === null ? null : Date.parse(device.lastSeen));
  const state = device.revoked ? "revoked" : device.presence;
  const seen = device.online || age === null ? "" : `, seen ${age} ago`;
  return (
    <p class={`presence presence-${state}`} title={`last seen ${timeText(device.lastSeen)}`}>
      <i class="dot" aria-hidden="true" />
      {state}
      {seen}
    </p>
  );
}

function Values({ device }: { readonly device: DeviceView }) {
  if (device.latest.length === 0) return <p class="values empty">No values since the gateway started.</p>;
  return (
    <dl class="values">
      {device.latest.map((reading) => (
        <Value key={reading.signal} reading={reading} label={labelOf(device, reading.signal)} />
      ))}
    </dl>
  );
}

/** The signal's name from the catalog, else its key. */
function labelOf(device: DeviceView, signal: string): string {
  const known = device.signals.find(({ key }) => key === signal);
  return known === undefined || known.name === "" ? signal : known.name;
}

function Value({ reading, label }: { readonly reading: ReadingView; readonly label: string }) {
  const age = useAge(reading.t);
  const isGood = reading.q === "good";
  return (
    <div class={`value value-${reading.q}`}>
      <dt>{label}</dt>
      <dd>
        <b>{valueText(reading.v)}</b>
        {reading.unit === undefined || reading.unit === "" ? null : <span class="unit">{reading.unit}</span>}
        <small title={new Date(reading.t).toLocaleString()}>
          {age === "now" ? age : `${age} ago`}
          {isGood ? "" : ` · ${reading.q}`}
        </small>
      </dd>
    </div>
  );
}

/** Age of an instant on the gateway's clock, as text; renders again only when the text changes. */
function useAge(unixMs: number | null): string | null {
  const offsetMs = useSelected(state, (s) => s.clockOffsetMs);
  return useSelected(nowUnixMs, (now) => (unixMs === null ? null : ageText(now + offsetMs - unixMs)));
}
