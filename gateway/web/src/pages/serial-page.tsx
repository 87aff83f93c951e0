/** Boards on a wire: each configured line with who is on it, how clean it is, and what to do when it is not open. */
import type { SerialView } from "../../../src/admin/api-schemas.js";
import { api } from "../api.js";
import { countText, timeText } from "../format.js";
import { PageHead, Problem } from "../parts/page-head.js";
import { Tile } from "../parts/tile.js";
import { hrefTo } from "../route.js";
import { usePolled } from "../store/polled.js";
import { plural, serialStateText } from "../words.js";

const ASK_MS = 2000;

type Line = SerialView["lines"][number];
type Port = SerialView["ports"][number];

/** One card for each line, then what else is plugged in. */
export function SerialPage() {
  const { value, problem } = usePolled("serial", ASK_MS, api.serial);
  const others = value?.ports.filter(({ configured }) => !configured) ?? [];
  return (
    <>
      <PageHead title="Serial" />
      <Problem text={problem} />
      {value === null ? <p class="empty">Loading …</p> : null}
      {value?.lines.length === 0 ? (
        <p class="empty">
          No serial lines: devices come over the network only. <code>npx tidegate serial ls</code> lists the ports of
          this machine; write one into <code>tidegate.yaml</code> under <code>serial:</code> and restart the gateway.
        </p>
      ) : null}
      {value?.lines.map((line) => (
        <LineCard key={line.path} line={line} />
      ))}
      {others.length === 0 ? null : <OtherPorts ports={others} />}
    </>
  );
}

function LineCard({ line }: { readonly line: Line }) {
  const { words, tone } = serialStateText(line);
  const speed = line.path.startsWith("unix:") ? "socket" : `${line.baud} baud`;
  return (
    <section class="card" aria-label={line.path}>
      <div class="card-head">
        <h3 class="path">{line.path}</h3>
        <span class={`sink-state tone-${tone}`}>
          <i class="dot" aria-hidden="true" />
          {words}
        </span>
        <span class="facts">
          {speed}
          {line.trusted ? " · trusted: devices need no token on it" : ""}
        </span>
      </div>
      <LineProblem line={line} />
      <LineNumbers line={line} />
      {line.chatter.length === 0 ? null : <Chatter lines={line.chatter} />}
    </section>
  );
}

function LineProblem({ line: { problem } }: { readonly line: Line }) {
  if (problem === null) return null;
  return (
    <div class="sink-error">
      <p>
        <strong>Not open:</strong> {problem.why} <code>{problem.code}</code>
      </p>
      <p>
        <strong>Do this:</strong> {problem.fix}
      </p>
    </div>
  );
}

function LineNumbers({ line }: { readonly line: Line }) {
  const { device, messageCount, crcErrorCount, noiseCount, droppedCount, openCount } = line;
  return (
    <dl class="tiles">
      <Tile name="Device" detail={device === null ? "nobody has a session" : "has a session"}>
        {device === null ? "–" : <a href={hrefTo("devices", [device])}>{device}</a>}
      </Tile>
      <Tile name="Frames" detail="with a right CRC">
        {countText(messageCount)}
      </Tile>
      <Tile name="CRC errors" detail="frames that were damaged on the way">
        {countText(crcErrorCount)}
      </Tile>
      <Tile name="Resyncs" detail="boot chatter and noise, skipped">
        {countText(noiseCount - crcErrorCount)}
      </Tile>
      <Tile name="Dropped" detail="frames down that found no room" isProblem={droppedCount > 0}>
        {countText(droppedCount)}
      </Tile>
      <Tile name="Opened" detail="since the gateway started">
        {plural(openCount, "time")}
      </Tile>
    </dl>
  );
}

function Chatter({ lines }: { readonly lines: Line["chatter"] }) {
  return (
    <details class="quarantine">
      <summary>What the board printed between its frames: {plural(lines.length, "line")}</summary>
      <ol class="entries">
        {lines.map(({ at, text }, i) => (
          <li key={`${at} ${i}`} class="entry entry-quiet">
            <time dateTime={at}>{timeText(at)}</time>
            <b>text</b>
            <span>
              <code>{text}</code>
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}

function OtherPorts({ ports }: { readonly ports: readonly Port[] }) {
  return (
    <section aria-labelledby="other-ports">
      <h3 id="other-ports">Also plugged in</h3>
      <p class="facts">
        Not in the configuration. <code>npx tidegate serial identify {ports[0]?.path}</code> asks who is there.
      </p>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Path for the configuration</th>
            <th scope="col">Device</th>
            <th scope="col" class="wide">
              Made by
            </th>
            <th scope="col" class="wide">
              USB
            </th>
          </tr>
        </thead>
        <tbody>
          {ports.map((port) => (
            <tr key={port.path}>
              <th scope="row">
                <code>{port.path}</code>
              </th>
              <td>
                <code>{port.device}</code>
              </td>
              <td class="wide">{port.manufacturer ?? ""}</td>
              <td class="wide">{[port.usbId, port.serialNumber].filter(Boolean).join(" ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
