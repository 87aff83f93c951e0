/** One device: who it is, and tabs for its values, charts, commands, log and settings. */
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { timeText } from "../format.js";
import { deviceLabel, Presence } from "../parts/reading-value.js";
import { hrefTo } from "../route.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { DeviceCharts } from "./device-charts.js";
import { DeviceCommands } from "./device-commands.js";
import { DeviceLive } from "./device-live.js";
import { DeviceLog } from "./device-log.js";
import { DeviceSettings } from "./device-settings.js";

const TABS: readonly (readonly [tab: string, label: string])[] = [
  ["", "Live"],
  ["charts", "Charts"],
  ["signals", "Signals"],
  ["commands", "Commands"],
  ["log", "Log"],
  ["settings", "Settings"],
];

/** Its tabs are links: each has an address. */
export function DevicePage({ id, tab }: { readonly id: string; readonly tab: string }) {
  const device = useSelected(state, (s) => s.devices?.get(id));
  const isKnown = useSelected(state, (s) => s.devices !== null);
  if (!isKnown) return <p class="empty">Loading …</p>;
  if (device === undefined) {
    return (
      <p class="empty">
        No device is called {id}. <a href={hrefTo("devices")}>All devices</a>, or add it with{" "}
        <code>npx tidegate device add {id}</code>.
      </p>
    );
  }
  return (
    <>
      <Head device={device} />
      <nav class="tabs" aria-label={`Pages of ${id}`}>
        {TABS.map(([name, label]) => (
          <a
            key={name}
            href={hrefTo("devices", name === "" ? [id] : [id, name])}
            aria-current={tab === name ? "page" : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      <Tab device={device} tab={tab} />
    </>
  );
}

function Head({ device }: { readonly device: DeviceView }) {
  const facts: readonly (readonly [string, string])[] = [
    ["id", device.id],
    ["model", device.model],
    ["firmware", device.firmware],
    ["address", device.remote ?? ""],
    ["connected", device.connectedSince === null ? "" : timeText(device.connectedSince)],
  ];
  return (
    <div class="device-head">
      <h2>{deviceLabel(device)}</h2>
      <Presence device={device} />
      <p class="facts">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => `${name} ${value}`)
          .join(" · ")}
      </p>
    </div>
  );
}

function Tab({ device, tab }: { readonly device: DeviceView; readonly tab: string }) {
  switch (tab) {
    case "charts":
      return <DeviceCharts device={device} />;
    case "signals":
      return <Signals device={device} />;
    case "commands":
      return <DeviceCommands device={device} />;
    case "log":
      return <DeviceLog device={device} />;
    case "settings":
      return <DeviceSettings device={device} />;
    default:
      return <DeviceLive device={device} />;
  }
}

/** The catalog as the device told it. */
function Signals({ device }: { readonly device: DeviceView }) {
  if (device.signals.length === 0) return <p class="empty">The device has not told what it measures yet.</p>;
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Signal</th>
          <th scope="col">Type</th>
          <th scope="col">Unit</th>
          <th scope="col" class="wide">
            Kind
          </th>
          <th scope="col" class="wide">
            Range
          </th>
        </tr>
      </thead>
      <tbody>
        {device.signals.map((signal) => (
          <tr key={signal.id}>
            <th scope="row">
              {signal.key}
              {signal.name === "" ? null : <small>{signal.name}</small>}
            </th>
            <td>{signal.type}</td>
            <td>{signal.unit}</td>
            <td class="wide">{[signal.kind.replaceAll("_", " "), signal.deviceClass].filter(Boolean).join(", ")}</td>
            <td class="wide">
              {signal.min === null || signal.max === null ? signal.options.join(", ") : `${signal.min} … ${signal.max}`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
