/** The first page: numbers, what needs a person, and the first devices live. */
import { useMemo } from "preact/hooks";
import { api } from "../api.js";
import { needsAttention } from "../attention.js";
import { DeviceCard } from "../parts/device-card.js";
import { NoDevices } from "../parts/no-devices.js";
import { OverviewTiles } from "../parts/overview-tiles.js";
import { PageHead } from "../parts/page-head.js";
import { hrefTo } from "../route.js";
import { useDeviceBeat } from "../store/device-beat.js";
import { session, state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { usePolled } from "../store/polled.js";

const CARDS_MAX = 12;
const SINKS_MS = 5000;

/** What is seen first. */
export function OverviewPage() {
  return (
    <>
      <h2 class="unseen">Overview</h2>
      <OverviewTiles />
      <AttentionStrip />
      <LiveDevices />
    </>
  );
}

function AttentionStrip() {
  const status = useSelected(state, (s) => s.status);
  const beat = useDeviceBeat();
  const passwordSet = useSelected(session, (s) => s?.passwordSet !== false);
  const { value: sinks } = usePolled("sinks", SINKS_MS, api.sinks);
  const { value: serial } = usePolled("serial", SINKS_MS, api.serial);
  // Devices are looked at with the beat.
  const items = useMemo(() => {
    const { devices } = state.value;
    if (status === null || devices === null) return [];
    const lines = serial === null ? {} : { serial };
    return needsAttention({ status, devices: [...devices.values()], sinks: sinks ?? [], ...lines, passwordSet });
  }, [status, beat, sinks, serial, passwordSet]);
  if (status === null || beat < 0) return null;
  return (
    <section class="attention" aria-labelledby="attention">
      <h3 id="attention">Needs attention</h3>
      {items.length === 0 ? <p class="all-well">Nothing. Everything is as it should be.</p> : null}
      <ul hidden={items.length === 0}>
        {items.map(({ tone, text, href, action }) => (
          <li key={text} class={`attention-${tone}`}>
            <span>{text}</span> <a href={href}>{action}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The first devices by name: those that are online before those that are not. */
function LiveDevices() {
  const beat = useDeviceBeat();
  const names = useMemo(() => firstNames(), [beat]);
  const count = useSelected(state, (s) => s.devices?.size ?? null);
  return (
    <section>
      <PageHead title="Devices">
        {count !== null && count > CARDS_MAX ? <a href={hrefTo("devices")}>All {count} devices</a> : null}
      </PageHead>
      {count === null ? <p class="empty">Loading …</p> : count === 0 ? <NoDevices /> : <Cards names={names} />}
    </section>
  );
}

/** Ids with a space between them: an id has none. */
function firstNames(): string {
  return [...(state.value.devices?.values() ?? [])]
    .sort((a, b) => Number(b.online) - Number(a.online) || (a.id < b.id ? -1 : 1))
    .slice(0, CARDS_MAX)
    .map(({ id }) => id)
    .join(" ");
}

/** The cards watch their own device: the list is made anew only when other devices are in it, not with every value. */
function Cards({ names }: { readonly names: string }) {
  return useMemo(
    () => (
      <ul class="devices">
        {names.split(" ").map((id) => (
          <DeviceCard key={id} id={id} />
        ))}
      </ul>
    ),
    [names],
  );
}
