/** Says that what is shown is old, and since when; goes away by itself. */
import { nowUnixMs, retryAtUnixMs, state, tryNow } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";

/** Empty while all is well. */
export function ConnectionBanner() {
  const isLost = useSelected(state, (s) => s.connection === "lost");
  const isConflated = useSelected(state, (s) => s.conflated && s.connection === "live");
  return (
    <div role="status" aria-live="polite">
      {isLost ? <Lost /> : null}
      {isConflated ? (
        <p class="banner note">More arrives than can be shown: values are current, some in between were left out.</p>
      ) : null}
    </div>
  );
}

function Lost() {
  const heard = useSelected(state, (s) => s.heardUnixMs);
  const retryAt = useSelected(retryAtUnixMs, (at) => at);
  const now = useSelected(nowUnixMs, (ms) => ms);
  const since = heard === 0 ? "" : ` Values are from ${new Date(heard).toLocaleTimeString()}.`;
  const seconds = Math.ceil((retryAt - now) / 1000);
  return (
    <p class="banner problem">
      <span>
        <strong>Connection lost.</strong>
        {since} This page comes back by itself.
        <span aria-hidden="true">{retryAt > 0 && seconds > 0 ? ` Next try in ${seconds} s.` : " Trying …"}</span>
      </span>
      <button type="button" onClick={tryNow}>
        Try now
      </button>
    </p>
  );
}
