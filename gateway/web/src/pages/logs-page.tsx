/** What the gateway says, as it says it: newest first, by level and text, with a pause. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LogLineView } from "../../../src/admin/api-schemas.js";
import { api, problemText } from "../api.js";
import { factsText } from "../parts/log-facts.js";
import { Filter, PageHead, Problem } from "../parts/page-head.js";
import { heals } from "../store/gateway-store.js";

const ASK_MS = 2000;
const LINES_MAX = 2000;
const ROWS_MAX = 500;
const LEVELS = ["debug", "info", "warn", "error"] as const;

/** The tail, with its filters. */
export function LogsPage() {
  const [level, setLevel] = useState<string>("info");
  const [needle, setNeedle] = useState("");
  const [isPaused, setPaused] = useState(false);
  const { lines, problem } = useTail(level, isPaused);
  const found = useMemo(() => lines.filter((line) => matches(line, needle.toLowerCase())), [lines, needle]);
  return (
    <>
      <PageHead title="Logs">
        <label class="filter">
          <span class="unseen">Level</span>
          <select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
            {LEVELS.map((name) => (
              <option key={name} value={name}>
                {name} and worse
              </option>
            ))}
          </select>
        </label>
        <Filter label="Filter lines" value={needle} onValue={setNeedle} />
        <button type="button" class="chip" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          Pause
        </button>
      </PageHead>
      <Problem text={problem} />
      {found.length === 0 ? (
        <p class="empty">
          {lines.length === 0 ? "Nothing was logged at this level yet. " : "No line fits the filter. "}
          More with <code>log: {"{ level: debug }"}</code> in <code>tidegate.yaml</code>; older ones with{" "}
          <code>journalctl -u tidegate</code>.
        </p>
      ) : (
        <Lines lines={found} />
      )}
    </>
  );
}

function matches({ message, facts }: LogLineView, needle: string): boolean {
  return needle === "" || `${message} ${factsText(facts)}`.toLowerCase().includes(needle);
}

function Lines({ lines }: { readonly lines: readonly LogLineView[] }) {
  return (
    <ol class="entries log">
      {lines
        .slice(-ROWS_MAX)
        .reverse()
        .map(({ id, at, level, message, facts }) => (
          <li
            key={id}
            class={`entry entry-${level === "warn" || level === "error" || level === "fatal" ? "bad" : "quiet"}`}
          >
            <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time>
            <b>{level}</b>
            <span>
              {message} <code>{factsText(facts)}</code>
            </span>
          </li>
        ))}
    </ol>
  );
}

interface Tail {
  readonly lines: readonly LogLineView[];
  readonly problem: string;
}

/** Asks for what is new only. A gateway that restarted counts from one again: then everything is asked for anew. */
function useTail(level: string, isPaused: boolean): Tail {
  const [tail, setTail] = useState<Tail>({ lines: [], problem: "" });
  const after = useRef(0);
  // Another level is another tail.
  useEffect(() => {
    after.current = 0;
    setTail({ lines: [], problem: "" });
  }, [level]);
  useEffect(() => {
    if (isPaused) return;
    let isGone = false;
    const ask = async (): Promise<void> => {
      if (document.visibilityState === "hidden") return;
      const from = after.current;
      try {
        const { lines, lastId } = await api.logs({ after: from, level, limit: LINES_MAX });
        if (isGone || from !== after.current) return;
        after.current = lastId < from ? 0 : lastId;
        setTail((was) => ({ lines: lastId < from ? [] : [...was.lines, ...lines].slice(-LINES_MAX), problem: "" }));
      } catch (thrown) {
        if (!isGone) setTail((was) => ({ ...was, problem: problemText(thrown) }));
      }
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_MS);
    const unwatch = heals.watch(() => void ask());
    return () => {
      isGone = true;
      clearInterval(timer);
      unwatch();
    };
  }, [level, isPaused]);
  return tail;
}
