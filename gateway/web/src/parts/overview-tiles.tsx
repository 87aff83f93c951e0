/** The line of numbers on top of the overview: devices, rate, backlog of each sink, disk, outage, writes, gaps. */
import type { StatusView } from "../../../src/admin/api-schemas.js";
import { ageText, bytesText, countText, hoursText } from "../format.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { Sparkline } from "./sparkline.js";
import { Tile } from "./tile.js";

/** Names of the gateway's own cursors begin with it: the history's is nobody's business while it keeps up. */
const INTERNAL = "$";

/** The tiles, once a status came. */
export function OverviewTiles() {
  const status = useSelected(state, (s) => s.status);
  if (status === null) return <p class="empty">Waiting for the first status …</p>;
  const sinks = status.backlog.filter(({ sink }) => !sink.startsWith(INTERNAL));
  return (
    <dl class="tiles">
      <Devices status={status} />
      <Rate acked={status.acked} />
      {sinks.length === 0 ? (
        <Tile name="Sinks" detail="telemetry is kept here; add a sink to tidegate.yaml">
          none
        </Tile>
      ) : (
        sinks.map((sink) => <Backlog key={sink.sink} sink={sink} />)
      )}
      <Spool status={status} />
      <Tile name="Written today" detail="what the card has to bear">
        {bytesText(status.bytesWrittenToday)}
      </Tile>
      <Tile
        name="Gaps"
        detail={status.gaps === 0 ? "nothing is missing" : <a href="#/gaps">what is missing, and why</a>}
      >
        {countText(status.gaps)}
      </Tile>
    </dl>
  );
}

function Devices({ status: { devices } }: { readonly status: StatusView }) {
  const asleep = devices.sleeping > 0 ? `${countText(devices.sleeping)} sleeping` : undefined;
  return (
    <Tile name="Devices online" detail={asleep}>
      {countText(devices.online)} / {countText(devices.total)}
    </Tile>
  );
}

function Rate({ acked }: { readonly acked: number }) {
  const rate = useSelected(state, (s) => s.ackedPerSecond);
  const rates = useSelected(state, (s) => s.rates);
  return (
    <Tile
      name="Acked"
      detail={`${countText(acked)} since start`}
      aside={<Sparkline values={rates} label="Messages a second, the last five minutes" fromZero />}
    >
      {rate === null ? "–" : `${countText(rate)} /s`}
    </Tile>
  );
}

function Spool({ status: { disk, outageHoursLeft } }: { readonly status: StatusView }) {
  const left = outageHoursLeft === null ? "not known yet" : hoursText(outageHoursLeft);
  return (
    <>
      <Tile
        name="Spool"
        detail={disk.full ? "full: devices keep their data" : `of ${bytesText(disk.quotaBytes)}`}
        isProblem={disk.full}
      >
        {bytesText(disk.usedBytes)}
      </Tile>
      <Tile name="Outage left" detail={`${bytesText(disk.freeBytes)} free on the disk`}>
        {left}
      </Tile>
    </>
  );
}

function Backlog({ sink }: { readonly sink: StatusView["backlog"][number] }) {
  const detail = sink.orphaned
    ? "no longer configured; holds nothing"
    : sink.count === 0
      ? "has everything"
      : `oldest ${ageText(sink.ageMs)}`;
  return (
    <Tile name={`Backlog of ${sink.sink}`} detail={detail}>
      {countText(sink.count)}
    </Tile>
  );
}
