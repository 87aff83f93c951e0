/** Entry point of the dashboard: the frame around the pages. Further pages hang into `main` beside the live page. */
import "./styles/theme.css";
import "./styles/app.css";
import "./styles/devices.css";
import { render } from "preact";
import { LivePage } from "./pages/live-page.js";
import { ConnectionBanner } from "./parts/connection-banner.js";
import { TopBar } from "./parts/top-bar.js";
import { start, state } from "./store/gateway-store.js";
import { useSelected } from "./store/observable.js";

function App() {
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <TopBar />
      <ConnectionBanner />
      <Main />
    </>
  );
}

/** What is shown loses its colours while it is old. */
function Main() {
  const isOld = useSelected(state, (s) => s.connection === "lost");
  return (
    <main id="main" class={isOld ? "old" : ""}>
      <LivePage />
    </main>
  );
}

const root = document.querySelector("#app");
if (root !== null) {
  render(<App />, root);
  start();
}
