/** All devices, filtered by text, as many as are worth drawing. */
import { useMemo, useState } from "preact/hooks";
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { DeviceCard } from "./device-card.js";

/** Drawing more rows than anybody reads makes the page slow; the filter finds the others. */
const SHOWN_MAX = 200;

function matches(device: DeviceView, needle: string): boolean {
  const text = `${device.id} ${device.name} ${device.model} ${device.presence}`;
  return text.toLowerCase().includes(needle.toLowerCase());
}

/** The list with its filter, and what to do when it is empty. */
export function DeviceList() {
  const devices = useSelected(state, (s) => s.devices);
  const [needle, setNeedle] = useState("");
  const found = useMemo(() => [...(devices?.values() ?? [])].filter((d) => matches(d, needle)), [devices, needle]);
  return (
    <section aria-labelledby="devices">
      <div class="bar">
        <h2 id="devices">Devices</h2>
        <label class="filter">
          <span class="unseen">Filter devices</span>
          <input
            type="search"
            placeholder="Filter"
            value={needle}
            onInput={(event) => setNeedle(event.currentTarget.value)}
          />
        </label>
      </div>
      {devices === null ? <p class="empty">Loading …</p> : <Rows found={found} hasAny={devices.size > 0} />}
    </section>
  );
}

function Rows({ found, hasAny }: { readonly found: readonly DeviceView[]; readonly hasAny: boolean }) {
  if (!hasAny) {
    return (
      <p class="empty">
        No devices yet. Add one with <code>npx tidegate device add my-device</code>, or start simulated ones with{" "}
        <code>npx tidegate sim --devices 3</code>.
      </p>
    );
  }
  const more = found.length - SHOWN_MAX;
  return (
    <>
      <Cards ids={found.slice(0, SHOWN_MAX).map((device) => device.id)} />
      {found.length === 0 ? <p class="empty">No device fits the filter.</p> : null}
      {more > 0 ? <p class="empty">{more} more; filter to see them.</p> : null}
    </>
  );
}

/** The cards watch their own device: the list is made anew only when other devices are in it, not with every value. */
function Cards({ ids }: { readonly ids: readonly string[] }) {
  const names = ids.join(" "); // an id has no spaces
  return useMemo(
    () => (
      <ul class="devices" hidden={names === ""}>
        {names.split(" ").map((id) => (
          <DeviceCard key={id} id={id} />
        ))}
      </ul>
    ),
    [names],
  );
}
