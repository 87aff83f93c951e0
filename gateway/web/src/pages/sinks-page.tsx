/** Where data goes: state, backlog, the last error in plain words, and what could not be delivered. */
import { useState } from "preact/hooks";
import type { SinkView } from "../../../src/admin/api-schemas.js";
import { api, problemText, type QuarantinedView, type SinkTestView } from "../api.js";
import { ageText, countText, timeText, untilText } from "../format.js";
import { ConfirmButton } from "../parts/confirm-button.js";
import { PageHead, Problem } from "../parts/page-head.js";
import { Tile } from "../parts/tile.js";
import { hrefTo } from "../route.js";
import { usePolled } from "../store/polled.js";
import { sinkStateText } from "../words.js";

const ASK_MS = 2000;
const QUARANTINE_MAX = 100;
const QUARANTINE_ASK_MS = 5000;

/** One card for each sink. */
export function SinksPage() {
  const { value, problem, refresh } = usePolled("sinks", ASK_MS, api.sinks);
  return (
    <>
      <PageHead title="Sinks" />
      <Problem text={problem} />
      {value === null ? <p class="empty">Loading …</p> : null}
      {value?.length === 0 ? (
        <p class="empty">
          No sinks: telemetry is kept here. Add one to <code>tidegate.yaml</code> under <code>sinks:</code>, check it
          with <code>npx tidegate config check</code>, and restart the gateway.
        </p>
      ) : null}
      {value?.map((sink) => (
        <SinkCard key={sink.name} sink={sink} onChanged={refresh} />
      ))}
    </>
  );
}

interface SinkCardProps {
  readonly sink: SinkView;
  readonly onChanged: () => void;
}

function SinkCard({ sink, onChanged }: SinkCardProps) {
  const { words, tone } = sinkStateText(sink.state);
  const { orphaned } = sink.backlog;
  return (
    <section class="card" aria-labelledby={`sink-${sink.name}`}>
      <div class="card-head">
        <h3 id={`sink-${sink.name}`}>{sink.name}</h3>
        <span class={`sink-state tone-${tone}`}>
          <i class="dot" aria-hidden="true" />
          {orphaned ? "no longer configured; holds nothing back" : words}
        </span>
        <span class="facts">{[sink.protocol ?? sink.type, sink.target].filter((part) => part !== "").join(" · ")}</span>
      </div>
      <SinkError sink={sink} />
      <SinkNumbers sink={sink} />
      {orphaned ? <Orphan name={sink.name} onChanged={onChanged} /> : null}
      {orphaned ? null : <SinkActions sink={sink} onChanged={onChanged} />}
      {sink.quarantinedCount > 0 ? <Quarantine sink={sink} /> : null}
    </section>
  );
}

function SinkError({ sink: { lastError, retryInMs } }: { readonly sink: SinkView }) {
  if (lastError === null) return null;
  return (
    <div class="sink-error">
      <p>
        <strong>Last error:</strong> {lastError.why} <code>{lastError.code}</code>
      </p>
      <p>
        <strong>Do this:</strong> {lastError.fix}
      </p>
      {retryInMs === null ? null : <p>It tries again {untilText(retryInMs)}.</p>}
    </div>
  );
}

function SinkNumbers({ sink }: { readonly sink: SinkView }) {
  const { backlog } = sink;
  const connected = sink.connectedSince === null ? undefined : `connected since ${timeText(sink.connectedSince)}`;
  return (
    <dl class="tiles">
      <Tile name="Backlog" detail={backlog.count === 0 ? "has everything" : `oldest ${ageText(backlog.ageMs)}`}>
        {countText(backlog.count)}
      </Tile>
      <Tile name="Delivered" detail={connected}>
        {countText(sink.deliveredCount)}
      </Tile>
      <Tile name="In flight">{countText(sink.inFlightCount)}</Tile>
      <Tile name="Quarantined">{countText(sink.quarantinedCount)}</Tile>
      <Tile name="Reconnects">{countText(sink.reconnectCount)}</Tile>
    </dl>
  );
}

function SinkActions({ sink, onChanged }: SinkCardProps) {
  const [said, setSaid] = useState<{ readonly text: string; readonly tone: string }>({ text: "", tone: "" });
  const isPaused = sink.state === "paused";
  const attempt = async (work: () => Promise<SinkTestView | null>): Promise<void> => {
    setSaid({ text: "Working …", tone: "" });
    try {
      const result = await work();
      setSaid(result === null ? { text: "", tone: "" } : testText(result));
      onChanged();
    } catch (thrown) {
      setSaid({ text: problemText(thrown), tone: "bad" });
    }
  };
  const turn = async (): Promise<null> => {
    await (isPaused ? api.resumeSink(sink.name) : api.pauseSink(sink.name));
    return null;
  };
  const tryNow = async (): Promise<null> => {
    await api.resumeSink(sink.name);
    return null;
  };
  return (
    <div class="actions">
      {sink.retryInMs === null ? null : (
        <button type="button" class="quiet" onClick={() => void attempt(tryNow)}>
          Try now<span class="unseen"> {sink.name}</span>
        </button>
      )}
      <button type="button" class="quiet" onClick={() => void attempt(() => api.testSink(sink.name))}>
        Test<span class="unseen"> {sink.name}</span>
      </button>
      <button type="button" class="quiet" onClick={() => void attempt(turn)}>
        {isPaused ? "Resume" : "Pause"}
        <span class="unseen"> {sink.name}</span>
      </button>
      <p class={`said tone-${said.tone}`} role="status" aria-live="polite">
        {said.text}
      </p>
    </div>
  );
}

/** What is left of a sink that is not in the configuration any more. */
function Orphan({ name, onChanged }: { readonly name: string; readonly onChanged: () => void }) {
  const [problem, setProblem] = useState("");
  const forget = async (): Promise<void> => {
    try {
      await api.forgetSink(name);
      onChanged();
    } catch (thrown) {
      setProblem(problemText(thrown));
    }
  };
  return (
    <div class="actions">
      <ConfirmButton label={`Forget ${name}`} sure="Yes, forget its place" onConfirm={() => void forget()} />
      <span class="facts">Should it come back under this name, it begins as a new sink does.</span>
      <Problem text={problem} />
    </div>
  );
}

function testText({ ok, elapsedMs, protocol, error }: SinkTestView): { text: string; tone: string } {
  if (ok) return { text: `Works: ${protocol ?? "connected"} in ${Math.round(elapsedMs)} ms.`, tone: "good" };
  return { text: error === null ? "It did not work." : `${error.why} → ${error.fix}`, tone: "bad" };
}

function Quarantine({ sink }: { readonly sink: SinkView }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="quarantine" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Records this sink could not take</summary>
      {isOpen ? <QuarantineTable name={sink.name} /> : null}
    </details>
  );
}

function QuarantineTable({ name }: { readonly name: string }) {
  const { value, problem, refresh } = usePolled(`quarantine ${name}`, QUARANTINE_ASK_MS, () =>
    api.quarantined(name, QUARANTINE_MAX),
  );
  if (value === null) return <p class="empty">{problem === "" ? "Loading …" : problem}</p>;
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Record</th>
          <th scope="col">Device</th>
          <th scope="col">Why</th>
          <th scope="col">State</th>
          <th scope="col" class="wide">
            When
          </th>
        </tr>
      </thead>
      <tbody>
        {value.map((record) => (
          <tr key={record.recordId}>
            <th scope="row">
              {record.recordId}
              <small>
                {record.epoch}/{record.seq}
              </small>
            </th>
            <td>
              <a href={hrefTo("devices", [record.device])}>{record.device}</a>
            </td>
            <td>{record.reason}</td>
            <td>
              <RecordState record={record} onChanged={refresh} />
            </td>
            <td class="wide">{timeText(record.at)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const RECORD_STATES: Readonly<Record<QuarantinedView["state"], string>> = {
  aside: "set aside",
  requeued: "is sent again",
  delivered: "delivered later",
};

interface RecordStateProps {
  readonly record: QuarantinedView;
  readonly onChanged: () => void;
}

/** What became of a record, and the way to have it sent again while its message is still kept. */
function RecordState({ record, onChanged }: RecordStateProps) {
  const [problem, setProblem] = useState("");
  const { sink, recordId, state, canRequeue } = record;
  const send = async (): Promise<void> => {
    try {
      await api.requeue(sink, recordId);
      onChanged();
    } catch (thrown) {
      setProblem(problemText(thrown));
    }
  };
  return (
    <>
      <span class={state === "delivered" ? "tone-good" : ""}>{RECORD_STATES[state]}</span>{" "}
      {state === "aside" && canRequeue ? (
        <button type="button" class="quiet" onClick={() => void send()}>
          Send again<span class="unseen"> record {recordId}</span>
        </button>
      ) : null}
      {state === "aside" && !canRequeue ? <small>its message is not kept any more</small> : null}
      <Problem text={problem} />
    </>
  );
}
