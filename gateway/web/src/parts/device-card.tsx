/** One device on the overview: who it is and what it says. */
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { hrefTo } from "../route.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { deviceLabel, Presence, ReadingValues } from "./reading-value.js";

/** One entry of the list; drawn again only when its own device changed. */
export function DeviceCard({ id }: { readonly id: string }) {
  const device = useSelected(state, (s) => s.devices?.get(id));
  if (device === undefined) return null;
  return (
    <li class={`device device-${device.presence}`}>
      <div class="who">
        <h3>
          <a href={hrefTo("devices", [id])}>{deviceLabel(device)}</a>
        </h3>
        <Presence device={device} />
        <p class="facts">{factsText(device)}</p>
      </div>
      <ReadingValues device={device} />
    </li>
  );
}

function factsText(device: DeviceView): string {
  const id = device.name === "" ? "" : device.id;
  const firmware = device.firmware === "" ? "" : `firmware ${device.firmware}`;
  return [id, device.model, firmware].filter((part) => part !== "").join(" · ");
}
