/** Sets the administrator's password. */
import { useState } from "preact/hooks";
import { api, problemText } from "../api.js";
import { Problem } from "./page-head.js";

interface PasswordFormProps {
  /** One is set: whoever changes it must know it. */
  readonly asksCurrent: boolean;
  readonly onSet: () => void;
}

/** Twice the new one; the gateway decides what is long enough. */
export function PasswordForm({ asksCurrent, onSet }: PasswordFormProps) {
  const [current, setCurrent] = useState("");
  const [first, setFirst] = useState("");
  const [second, setSecond] = useState("");
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (first !== second) {
      setProblem("The two passwords differ.");
      return;
    }
    setBusy(true);
    setProblem("");
    try {
      await api.setPassword(first, asksCurrent ? current : "");
      for (const clear of [setCurrent, setFirst, setSecond]) clear("");
      onSet();
    } catch (thrown) {
      setProblem(problemText(thrown));
    }
    setBusy(false);
  };
  return (
    <form class="password-form" onSubmit={(event) => void submit(event)}>
      <input type="text" name="username" value="admin" autocomplete="username" hidden readOnly />
      {asksCurrent ? (
        <SecretField label="Current password" value={current} kind="current-password" onValue={setCurrent} />
      ) : null}
      <SecretField label="New password" value={first} kind="new-password" onValue={setFirst} />
      <SecretField label="The new password again" value={second} kind="new-password" onValue={setSecond} />
      <button type="submit" disabled={isBusy}>
        Set password
      </button>
      <Problem text={problem} />
    </form>
  );
}

interface SecretFieldProps {
  readonly label: string;
  readonly value: string;
  readonly kind: "current-password" | "new-password";
  readonly onValue: (value: string) => void;
}

function SecretField({ label, value, kind, onValue }: SecretFieldProps) {
  return (
    <label>
      {label}
      <input
        type="password"
        required
        maxLength={1024}
        autocomplete={kind}
        value={value}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </label>
  );
}
