/** One command as something to press, slide or pick, with what became of it: pending → applied, or why not. */
import { useState } from "preact/hooks";
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { problemText } from "../api.js";
import { valueText } from "../format.js";
import { describeState } from "../parts/command-words.js";
import { sendCommand, state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { ControlInput } from "./control-input.js";
import { argsFor, type Control } from "./control-shape.js";

interface CommandControlProps {
  readonly device: DeviceView;
  readonly control: Control;
}

/** Remembers the command it sent last, and shows its state until the next one. */
export function CommandControl({ device, control }: CommandControlProps) {
  const [sentId, setSentId] = useState("");
  const [problem, setProblem] = useState("");
  const [isSending, setSending] = useState(false);
  const send = async (value: unknown): Promise<void> => {
    setSending(true);
    setProblem("");
    try {
      setSentId(await sendCommand(device.id, { name: control.command, args: argsFor(control.shape, value) }));
    } catch (thrown) {
      setProblem(problemText(thrown));
    }
    setSending(false);
  };
  const { signal } = control;
  const reported = signal === null ? undefined : device.latest.find((reading) => reading.signal === signal.key);
  return (
    <fieldset class="control" aria-label={control.command}>
      <div class="control-head">
        <b>{control.command}</b>
        {reported === undefined ? null : (
          <span class="reported">
            reported {valueText(reported.v)} {reported.unit ?? ""}
          </span>
        )}
      </div>
      <ControlInput control={control} reported={reported?.v ?? null} isBusy={isSending} onSend={(v) => void send(v)} />
      <Outcome commandId={sentId} problem={problem} />
    </fieldset>
  );
}

function Outcome({ commandId, problem }: { readonly commandId: string; readonly problem: string }) {
  const command = useSelected(state, (s) => s.commands.get(commandId));
  const { words, tone } = command === undefined ? { words: "", tone: "pending" } : describeState(command);
  const detail = command?.error ?? "";
  const args = command === undefined ? "" : JSON.stringify(command.args);
  return (
    <p class={`outcome tone-${problem === "" ? tone : "bad"}`} role="status" aria-live="polite">
      <span class="state" data-state={command?.state}>
        {problem === "" ? words : problem}
      </span>
      {args === "" || args === "{}" ? null : <code> {args}</code>}
      {detail === "" ? null : ` ${detail}`}
    </p>
  );
}
