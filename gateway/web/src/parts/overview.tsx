/** The line of numbers on top: devices, rate, backlog of each sink, disk, gaps. */
import type { ComponentChildren } from "preact";
import type { StatusView } from "../../../src/admin/api-schemas.js";
import { ageText, bytesText, countText, hoursText } from "../format.js";
import { state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";

interface TileProps {
  readonly name: string;
  readonly detail?: ComponentChildren;
  readonly isProblem?: boolean;
  readonly children: ComponentChildren;
}

function Tile({ name, detail, isProblem = false, children }: TileProps) {
  return (
    <div class={isProblem ? "tile problem" : "tile"}>
      <dt>{name}</dt>
      <dd>
        <b>{children}</b>
        {detail === undefined ? null : <small>{detail}</small>}
      </dd>
    </div>
  );
}

/** The tiles, once a status came. */
export function Overview() {
  const status = useSelected(state, (s) => s.status);
  const rate = useSelected(state, (s) => s.ackedPerSecond);
  return (
    <section aria-labelledby="overview">
      <h2 id="overview" class="unseen">
        Overview
      </h2>
      {status === null ? <p class="empty">Waiting for the first status …</p> : <Tiles status={status} rate={rate} />}
    </section>
  );
}

function Tiles({ status, rate }: { readonly status: StatusView; readonly rate: number | null }) {
  const { devices, disk, outageHoursLeft } = status;
  const asleep = devices.sleeping > 0 ? `${countText(devices.sleeping)} sleeping` : undefined;
  const hours = outageHoursLeft === null ? "" : ` · ${hoursText(outageHoursLeft)} of outage left`;
  const quota = `of ${bytesText(disk.quotaBytes)}${hours}`;
  return (
    <dl class="tiles">
      <Tile name="Devices online" detail={asleep}>
        {countText(devices.online)} / {countText(devices.total)}
      </Tile>
      <Tile name="Acked" detail={`${countText(status.acked)} since start`}>
        {rate === null ? "–" : `${countText(rate)} /s`}
      </Tile>
      {status.backlog.length === 0 ? (
        <Tile name="Sinks" detail="add one to tidegate.yaml">
          none
        </Tile>
      ) : (
        status.backlog.map((sink) => <Backlog key={sink.sink} sink={sink} />)
      )}
      <Tile name="Spool" detail={disk.full ? "full: devices keep their data" : quota} isProblem={disk.full}>
        {bytesText(disk.usedBytes)}
      </Tile>
      <Tile name="Gaps" detail={status.gaps === 0 ? "nothing is missing" : "see tidegate gaps ls"}>
        {countText(status.gaps)}
      </Tile>
    </dl>
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
