/** Every command a device was sent: what, what became of it, and how long that took. */
import { useMemo } from "preact/hooks";
import type { CommandView, DeviceView } from "../../../src/admin/api-schemas.js";
import { api } from "../api.js";
import { CommandForm } from "../parts/command-form.js";
import { describeState } from "../parts/command-words.js";
import { Problem } from "../parts/page-head.js";
import { cancelCommand, state } from "../store/gateway-store.js";
import { withCommands } from "../store/live-state.js";
import { useSelected } from "../store/observable.js";
import { usePolled } from "../store/polled.js";

const SHOWN_MAX = 100;

/** The list keeps itself up to date from the feed; older ones are asked for once. */
export function DeviceCommands({ device }: { readonly device: DeviceView }) {
  const asked = usePolled(`commands ${device.id}`, 0, () => api.commands(SHOWN_MAX, device.id));
  const live = useSelected(state, (s) => s.commands);
  const commands = useMemo(() => {
    const held = new Map((asked.value ?? []).map((command) => [command.commandId, command]));
    const own = [...live.values()].filter((command) => command.device === device.id);
    return [...withCommands(held, own).values()];
  }, [asked.value, live, device.id]);
  return (
    <>
      <CommandForm device={device} />
      <Problem text={asked.problem} />
      {commands.length === 0 ? (
        <p class="empty">
          No commands yet.{" "}
          <code>
            npx tidegate send {device.id} {device.commands[0]?.name ?? "my-command"}
          </code>{" "}
          sends one.
        </p>
      ) : (
        <CommandTable commands={commands} />
      )}
    </>
  );
}

function CommandTable({ commands }: { readonly commands: readonly CommandView[] }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Command</th>
          <th scope="col">State</th>
          <th scope="col">Took</th>
          <th scope="col" class="wide">
            Answer
          </th>
          <th scope="col" class="wide">
            From
          </th>
          <th scope="col" class="wide">
            Sent
          </th>
        </tr>
      </thead>
      <tbody>
        {commands.map((command) => (
          <CommandRow key={command.commandId} command={command} />
        ))}
      </tbody>
    </table>
  );
}

const FINAL = new Set(["succeeded", "failed", "expired", "cancelled"]);

/** From the request to the last news, for commands that ended. */
function latencyText(command: CommandView): string {
  if (!FINAL.has(command.state)) return "";
  const tookMs = Date.parse(command.updatedAt) - Date.parse(command.createdAt);
  return tookMs < 10_000 ? `${Math.max(0, Math.round(tookMs))} ms` : `${Math.round(tookMs / 1000)} s`;
}

function CommandRow({ command }: { readonly command: CommandView }) {
  const { words, tone } = describeState(command, false);
  const outcome = command.error ?? (command.result === null ? "" : JSON.stringify(command.result));
  return (
    <tr class="command-line">
      <th scope="row">
        {command.name}
        <small>
          <code>{command.args === null ? "" : JSON.stringify(command.args)}</code>
        </small>
      </th>
      <td class={`tone-${tone}`}>
        <span class="state" data-state={command.state}>
          {words}
        </span>
        {command.state === "queued" ? (
          <button type="button" class="quiet" onClick={() => void cancelCommand(command.commandId).catch(() => {})}>
            Cancel
          </button>
        ) : null}
      </td>
      <td class="number">{latencyText(command)}</td>
      <td class="wide">
        <code>{outcome}</code>
      </td>
      <td class="wide">{command.source}</td>
      <td class="wide">{new Date(command.createdAt).toLocaleString()}</td>
    </tr>
  );
}
