/** What every page shares: its heading, its failures, and what stands where nothing is. */
import type { ComponentChildren } from "preact";

interface PageHeadProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** The heading of a page, with its filters and buttons beside it. */
export function PageHead({ title, children }: PageHeadProps) {
  return (
    <div class="bar">
      <h2>{title}</h2>
      {children === undefined ? null : <div class="bar-tools">{children}</div>}
    </div>
  );
}

/** A failed question, in words; nothing when it did not fail. */
export function Problem({ text }: { readonly text: string }) {
  return (
    <p class="problem" role="alert" hidden={text === ""}>
      {text}
    </p>
  );
}

interface FilterProps {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** A search field. */
export function Filter({ label, value, onValue }: FilterProps) {
  return (
    <label class="filter">
      <span class="unseen">{label}</span>
      <input type="search" placeholder="Filter" value={value} onInput={(event) => onValue(event.currentTarget.value)} />
    </label>
  );
}
