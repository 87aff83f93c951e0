/** Add a device: a form behind a button, and then its credential, shown once. */
import { useState } from "preact/hooks";
import { api, type CredentialView, problemText } from "../api.js";
import { refreshDevices } from "../store/gateway-store.js";
import { CredentialNote } from "./credential-note.js";
import { Problem } from "./page-head.js";

const ID_PATTERN = "[A-Za-z0-9][A-Za-z0-9_\\-]{0,62}";

/** Closed until asked for. */
export function AddDevice() {
  const [isOpen, setOpen] = useState(false);
  const [issued, setIssued] = useState<CredentialView | null>(null);
  const done = (): void => {
    setIssued(null);
    setOpen(false);
  };
  if (issued !== null) return <CredentialNote credential={issued} onDone={done} />;
  return (
    <div class="add-device">
      <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        Add device
      </button>
      {isOpen ? <AddForm onIssued={setIssued} /> : null}
    </div>
  );
}

function AddForm({ onIssued }: { readonly onIssued: (credential: CredentialView) => void }) {
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [problem, setProblem] = useState("");
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      onIssued(await api.addDevice(id, name));
      await refreshDevices();
    } catch (thrown) {
      setProblem(problemText(thrown));
    }
  };
  return (
    <form class="inline-form" onSubmit={(event) => void submit(event)}>
      <label>
        Id
        <input
          type="text"
          required
          pattern={ID_PATTERN}
          title="Letters, digits, - and _, up to 63, starting with a letter or digit"
          value={id}
          autocomplete="off"
          onInput={(event) => setId(event.currentTarget.value)}
        />
      </label>
      <label>
        Name (may be empty)
        <input
          type="text"
          maxLength={128}
          value={name}
          autocomplete="off"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Add</button>
      <Problem text={problem} />
    </form>
  );
}
