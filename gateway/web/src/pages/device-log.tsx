/** What happened to a device, newest first: sessions, gaps, and what the gateway logged about it. */
import { useMemo } from "preact/hooks";
import type { DeviceView, GapView, LogLineView, PresenceLogView } from "../../../src/admin/api-schemas.js";
import { api } from "../api.js";
import { factsText } from "../parts/log-facts.js";
import { Problem } from "../parts/page-head.js";
import { GapTail } from "../store/gap-tail.js";
import { state } from "../store/gateway-store.js";
import type { DeviceNote } from "../store/live-state.js";
import { useSelected } from "../store/observable.js";
import { usePolled } from "../store/polled.js";
import { gapCount, gapReasonText, plural } from "../words.js";

const ASK_MS = 5000;
const LINES_MAX = 300;

interface Entry {
  readonly atUnixMs: number;
  readonly kind: "session" | "gap" | "log" | "device";
  readonly tone: "good" | "bad" | "quiet";
  readonly text: string;
}

/** One list out of four sources; what the device itself wrote, since this page was opened. */
export function DeviceLog({ device }: { readonly device: DeviceView }) {
  const gaps = useMemo(() => new GapTail(device.id), [device.id]);
  const { value: asked, problem } = usePolled(`log ${device.id}`, ASK_MS, () => fetchEntries(device.id, gaps));
  const notes = useSelected(state, (s) => s.notes);
  const value = asked === null ? null : sorted([...asked, ...notes.filter((n) => n.device === device.id).map(ofNote)]);
  return (
    <>
      <Problem text={problem} />
      {value === null ? (
        <p class="empty">Loading …</p>
      ) : value.length === 0 ? (
        <p class="empty">
          Nothing happened since the gateway started. <code>npx tidegate watch {device.id}</code> shows what it sends.
        </p>
      ) : (
        <ol class="entries">
          {value.map((entry) => (
            <li key={`${entry.kind} ${entry.atUnixMs} ${entry.text}`} class={`entry entry-${entry.tone}`}>
              <time dateTime={new Date(entry.atUnixMs).toISOString()}>{new Date(entry.atUnixMs).toLocaleString()}</time>
              <b>{entry.kind}</b>
              <span>{entry.text}</span>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

async function fetchEntries(device: string, tail: GapTail): Promise<readonly Entry[]> {
  const [presence, gaps, logs] = await Promise.all([
    api.presence(device),
    tail.read(),
    api.logs({ device, limit: LINES_MAX }),
  ]);
  return [...presence.changes.map(ofPresence), ...gaps.slice(0, LINES_MAX).map(ofGap), ...logs.lines.map(ofLine)];
}

/** Newest first. */
function sorted(entries: readonly Entry[]): readonly Entry[] {
  return [...entries].sort((a, b) => b.atUnixMs - a.atUnixMs).slice(0, LINES_MAX);
}

/** Severities up to this one are problems (RFC 5424: warning). */
const WARNING = 4;

function ofNote({ receivedUnixMs, level, text }: DeviceNote): Entry {
  return { atUnixMs: receivedUnixMs, kind: "device", tone: level <= WARNING ? "bad" : "quiet", text };
}

function ofPresence({ at, presence, remote }: PresenceLogView["changes"][number]): Entry {
  const from = remote === null ? "" : ` from ${remote}`;
  const tone = presence === "online" ? "good" : presence === "offline" ? "bad" : "quiet";
  return { atUnixMs: Date.parse(at), kind: "session", tone, text: `${presence}${from}` };
}

function ofGap(gap: GapView): Entry {
  const count = gapCount(gap);
  const range = `${gap.fromSeq} – ${gap.toSeq ?? "?"} of epoch ${gap.epoch}`;
  const many = count === null ? "an unknown number of records" : plural(count, "record");
  const sink = gap.sink === null ? "" : ` (sink ${gap.sink} only)`;
  const text = `${many} missing: ${range}; ${gapReasonText(gap.reason)}${sink}`;
  return { atUnixMs: Date.parse(gap.at), kind: "gap", tone: "bad", text };
}

function ofLine({ at, level, message, facts }: LogLineView): Entry {
  const { device: _device, ...rest } = facts;
  const tone = level === "warn" || level === "error" || level === "fatal" ? "bad" : "quiet";
  return { atUnixMs: Date.parse(at), kind: "log", tone, text: `${message} ${factsText(rest)}` };
}
