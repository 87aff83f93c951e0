/** Name of the gateway, what is wrong at a glance, state of the connection, log out. */
import { logOut, state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";

const WORDS = { connecting: "connecting", live: "live", lost: "not connected" } as const;

/** The bar on top of every page. */
export function TopBar() {
  const gateway = useSelected(state, (s) => s.gateway);
  const version = useSelected(state, (s) => s.version);
  const connection = useSelected(state, (s) => s.connection);
  const isFull = useSelected(state, (s) => s.status?.disk.full === true);
  return (
    <header class="top">
      <h1>
        {gateway === "" ? "Tidegate" : gateway}
        {version === "" ? null : <small>Tidegate {version}</small>}
      </h1>
      {isFull ? <span class="problem">disk full</span> : null}
      <span class={`link link-${connection}`}>
        <i class="dot" aria-hidden="true" />
        {WORDS[connection]}
      </span>
      <button type="button" class="quiet" onClick={() => void logOut()}>
        Log out
      </button>
    </header>
  );
}
