/** Name and credential of a device. What cannot be undone asks twice. */
import { useState } from "preact/hooks";
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { api, type CredentialView, problemText } from "../api.js";
import { ConfirmButton } from "../parts/confirm-button.js";
import { CredentialNote } from "../parts/credential-note.js";
import { Problem } from "../parts/page-head.js";
import { refreshDevices } from "../store/gateway-store.js";
import { go } from "../store/router.js";

/** Rename, new token, revoke, forget. */
export function DeviceSettings({ device }: { readonly device: DeviceView }) {
  const [problem, setProblem] = useState("");
  const [issued, setIssued] = useState<CredentialView | null>(null);
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    setProblem("");
    try {
      await work();
      await refreshDevices();
    } catch (thrown) {
      setProblem(problemText(thrown));
    }
  };
  const forget = async (): Promise<void> => {
    await api.forget(device.id);
    go("devices");
  };
  return (
    <div class="settings">
      <Problem text={problem} />
      <Rename device={device} onRename={(name) => void attempt(() => api.rename(device.id, name))} />
      {issued === null ? null : <CredentialNote credential={issued} onDone={() => setIssued(null)} />}
      <h3>Credential</h3>
      <div class="setting">
        <p>A new token ends the old one, and with it the session.</p>
        <ConfirmButton
          label="New token"
          sure="Yes, end the old token"
          onConfirm={() => void attempt(async () => setIssued(await api.replace(device.id)))}
        />
      </div>
      <div class="setting">
        <p>Revoked, the device is refused and its queued commands are void. Its data stays.</p>
        <ConfirmButton
          label="Revoke"
          sure="Yes, revoke it"
          isDisabled={device.revoked}
          onConfirm={() => void attempt(() => api.revoke(device.id))}
        />
      </div>
      <div class="setting">
        <p>Forgotten, the device leaves the list. Records and gaps stay.</p>
        <ConfirmButton label="Forget" sure="Yes, forget it" onConfirm={() => void attempt(forget)} />
      </div>
    </div>
  );
}

interface RenameProps {
  readonly device: DeviceView;
  readonly onRename: (name: string) => void;
}

function Rename({ device, onRename }: RenameProps) {
  const [name, setName] = useState(device.name);
  const submit = (event: Event): void => {
    event.preventDefault();
    onRename(name);
  };
  return (
    <form class="inline-form" onSubmit={submit}>
      <label>
        Name
        <input
          type="text"
          maxLength={128}
          value={name}
          placeholder={device.id}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={name === device.name}>
        Save
      </button>
    </form>
  );
}
