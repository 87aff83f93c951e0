/** One row of the table of devices. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ReadingView } from "../../../src/admin/api-schemas.js";
import { toColumns } from "../charts/columns.js";
import { primaryReading } from "../device-order.js";
import { timeText } from "../format.js";
import { hrefTo } from "../route.js";
import { state } from "../store/gateway-store.js";
import { recentHistory } from "../store/history-store.js";
import { useSelected } from "../store/observable.js";
import { deviceLabel, Presence, readingWords, useAge } from "./reading-value.js";
import { Sparkline } from "./sparkline.js";

const HOUR_MS = 3_600_000;
const SPARK_POINTS = 60;
const SPARK_FRESH_MS = 60_000;

/** Drawn again only when its own device changed. */
export function DeviceRow({ id }: { readonly id: string }) {
  const device = useSelected(state, (s) => s.devices?.get(id));
  const age = useAge(device?.lastSeen == null ? null : Date.parse(device.lastSeen));
  if (device === undefined) return null;
  const primary = primaryReading(device);
  const seen = device.online ? "now" : age === null ? "never" : age === "now" ? age : `${age} ago`;
  return (
    <tr class={`device-${device.presence}`}>
      <td>
        <Presence device={device} />
      </td>
      <th scope="row">
        <a href={hrefTo("devices", [id])}>{deviceLabel(device)}</a>
        {device.name === "" ? null : <small>{id}</small>}
      </th>
      <td class="number">
        {primary === null ? "–" : readingWords(device, primary)} <small>{primary?.unit ?? ""}</small>
      </td>
      <td class="wide" title={timeText(device.lastSeen)}>
        {seen}
      </td>
      <td class="wide">{device.model}</td>
      <td class="wide">{device.firmware}</td>
      <td class="wide">{primary === null ? null : <HourSpark device={id} reading={primary} />}</td>
    </tr>
  );
}

/** Asks for its hour only once it is seen, so that a long table costs what is looked at. */
function HourSpark({ device, reading }: { readonly device: string; readonly reading: ReadingView }) {
  const place = useRef<HTMLSpanElement>(null);
  const [values, setValues] = useState<readonly (number | null)[]>([]);
  const { signal } = reading;
  useEffect(() => {
    let isGone = false;
    const load = (): void => {
      recentHistory(device, signal, { spanMs: HOUR_MS, pointsMax: SPARK_POINTS, freshMs: SPARK_FRESH_MS })
        .then((history) => {
          if (!isGone) setValues(toColumns(history).mid);
        })
        .catch(() => {});
    };
    let timer: ReturnType<typeof setInterval> | undefined;
    const watcher = new IntersectionObserver(([entry]) => {
      clearInterval(timer);
      if (entry?.isIntersecting !== true) return;
      load();
      timer = setInterval(load, SPARK_FRESH_MS);
    });
    if (place.current !== null) watcher.observe(place.current);
    return () => {
      isGone = true;
      clearInterval(timer);
      watcher.disconnect();
    };
  }, [device, signal]);
  return (
    <span ref={place} class="spark-place">
      <Sparkline values={values} label={`${signal} in the last hour`} />
    </span>
  );
}
