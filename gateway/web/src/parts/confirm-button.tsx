/** A button for what cannot be undone: the first press asks, the second does. */
import { useEffect, useState } from "preact/hooks";

/** Long enough to read, short enough not to lie in wait. */
const ARMED_MS = 8000;

interface ConfirmButtonProps {
  readonly label: string;
  /** What the second press says. */
  readonly sure: string;
  readonly isDisabled?: boolean;
  readonly onConfirm: () => void;
}

/** Forgets that it was pressed after some seconds. */
export function ConfirmButton({ label, sure, isDisabled = false, onConfirm }: ConfirmButtonProps) {
  const [isArmed, setArmed] = useState(false);
  useEffect(() => {
    if (!isArmed) return;
    const timer = setTimeout(() => setArmed(false), ARMED_MS);
    return () => clearTimeout(timer);
  }, [isArmed]);
  const press = (): void => {
    setArmed(!isArmed);
    if (isArmed) onConfirm();
  };
  return (
    <button type="button" class={isArmed ? "danger" : "quiet"} disabled={isDisabled} onClick={press} aria-live="polite">
      {isArmed ? sure : label}
    </button>
  );
}
