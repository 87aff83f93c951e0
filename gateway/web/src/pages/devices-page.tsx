/** All devices in one dense table: sorted, filtered, each row watching its own device. */
import { useMemo, useState } from "preact/hooks";
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { type DeviceColumn, sortDevices } from "../device-order.js";
import { AddDevice } from "../parts/add-device.js";
import { DeviceRow } from "../parts/device-row.js";
import { NoDevices } from "../parts/no-devices.js";
import { Filter, PageHead } from "../parts/page-head.js";
import { useDeviceBeat } from "../store/device-beat.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { refine, useRoute } from "../store/router.js";

/** Drawing more rows than anybody reads makes the page slow. */
const ROWS_STEP = 100;

const COLUMNS: readonly (readonly [column: DeviceColumn, label: string, isWideOnly: boolean])[] = [
  ["presence", "Presence", false],
  ["name", "Device", false],
  ["value", "Value", false],
  ["lastSeen", "Last seen", true],
  ["model", "Model", true],
  ["firmware", "Firmware", true],
];

interface Order {
  readonly column: DeviceColumn;
  readonly isDown: boolean;
}

/** The table with its filter. */
export function DevicesPage() {
  const { query } = useRoute();
  const needle = query.get("filter") ?? "";
  const [order, setOrder] = useState<Order>({ column: "name", isDown: false });
  const [shown, setShown] = useState(ROWS_STEP);
  const ids = useOrderedIds(needle, order);
  return (
    <>
      <PageHead title="Devices">
        <Filter label="Filter devices" value={needle} onValue={(filter) => refine({ filter })} />
      </PageHead>
      <AddDevice />
      <Body ids={ids} shown={shown} order={order} onOrder={setOrder} />
      {ids !== null && ids.length > shown ? (
        <button type="button" class="quiet" onClick={() => setShown(shown + ROWS_STEP)}>
          Show {Math.min(ROWS_STEP, ids.length - shown)} more of {ids.length - shown}
        </button>
      ) : null}
    </>
  );
}

/** Null until the list is known. */
function useOrderedIds(needle: string, { column, isDown }: Order): readonly string[] | null {
  const beat = useDeviceBeat();
  // Ordered anew with the beat, not with every value.
  return useMemo(() => {
    const { devices } = state.value;
    if (devices === null) return null;
    const found = [...devices.values()].filter((device) => matches(device, needle.toLowerCase()));
    return sortDevices(found, column, isDown).map(({ id }) => id);
  }, [beat, needle, column, isDown]);
}

function matches(device: DeviceView, needle: string): boolean {
  const { id, name, model, presence, firmware, remote, revoked } = device;
  const text = `${id} ${name} ${model} ${firmware} ${remote ?? ""} ${revoked ? "revoked" : presence}`;
  return text.toLowerCase().includes(needle);
}

interface BodyProps {
  readonly ids: readonly string[] | null;
  readonly shown: number;
  readonly order: Order;
  readonly onOrder: (order: Order) => void;
}

function Body({ ids, shown, order, onOrder }: BodyProps) {
  const isEmpty = useSelected(state, (s) => s.devices?.size === 0);
  if (ids === null) return <p class="empty">Loading …</p>;
  if (isEmpty) return <NoDevices />;
  if (ids.length === 0) return <p class="empty">No device fits the filter.</p>;
  return (
    <table class="table">
      <thead>
        <tr>
          {COLUMNS.map(([column, label, isWideOnly]) => (
            <th
              key={column}
              scope="col"
              class={isWideOnly ? "wide" : ""}
              aria-sort={order.column === column ? (order.isDown ? "descending" : "ascending") : "none"}
            >
              <button
                type="button"
                class="sort"
                onClick={() => onOrder({ column, isDown: order.column === column && !order.isDown })}
              >
                {label}
                <span aria-hidden="true">{order.column === column ? (order.isDown ? " ▾" : " ▴") : ""}</span>
              </button>
            </th>
          ))}
          <th scope="col" class="wide">
            Last hour
          </th>
        </tr>
      </thead>
      <tbody>
        {ids.slice(0, shown).map((id) => (
          <DeviceRow key={id} id={id} />
        ))}
      </tbody>
    </table>
  );
}
