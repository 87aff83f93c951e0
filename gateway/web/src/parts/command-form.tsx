/** Send any command with any arguments to one device: for what the controls cannot say. */
import { useState } from "preact/hooks";
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { problemText } from "../api.js";
import { sendCommand } from "../store/gateway-store.js";

/** A name and arguments as JSON. */
export function CommandForm({ device }: { readonly device: DeviceView }) {
  const [name, setName] = useState(device.commands[0]?.name ?? "");
  const [args, setArgs] = useState("");
  const [problem, setProblem] = useState("");
  const [isSending, setSending] = useState(false);
  const hint = device.commands.find((spec) => spec.name === name)?.argsHint ?? "";

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const parsed = parseArgs(args);
    setProblem(parsed.problem);
    if (parsed.problem !== "") return;
    setSending(true);
    try {
      await sendCommand(device.id, { name, args: parsed.value });
    } catch (error) {
      setProblem(problemText(error));
    }
    setSending(false);
  };

  return (
    <form class="command" onSubmit={(event) => void submit(event)}>
      <NameField device={device} name={name} onName={setName} />
      <div class="field">
        <label for={`arguments-of-${device.id}`}>Arguments (JSON, may be empty)</label>
        <input
          id={`arguments-of-${device.id}`}
          type="text"
          value={args}
          placeholder={hint}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setArgs(event.currentTarget.value)}
        />
      </div>
      <button type="submit" disabled={isSending || name === ""}>
        {isSending ? "Sending …" : "Send"}
      </button>
      <p class="problem" role="alert">
        {problem}
      </p>
    </form>
  );
}

interface NameFieldProps {
  readonly device: DeviceView;
  readonly name: string;
  readonly onName: (name: string) => void;
}

/** A list when the device told its commands, a text field when not. */
function NameField({ device, name, onName }: NameFieldProps) {
  const id = `command-of-${device.id}`;
  return (
    <div class="field">
      <label for={id}>Command</label>
      {device.commands.length > 0 ? (
        <select id={id} value={name} onChange={(event) => onName(event.currentTarget.value)}>
          {device.commands.map((spec) => (
            <option key={spec.name} value={spec.name}>
              {spec.name}
            </option>
          ))}
        </select>
      ) : (
        <input
          id={id}
          type="text"
          value={name}
          autocomplete="off"
          onInput={(event) => onName(event.currentTarget.value)}
        />
      )}
    </div>
  );
}

function parseArgs(text: string): { readonly value: unknown; readonly problem: string } {
  if (text.trim() === "") return { value: null, problem: "" };
  try {
    return { value: JSON.parse(text), problem: "" };
  } catch {
    return { value: null, problem: 'The arguments are not JSON. Text needs quotes: "on"' };
  }
}
