/** Entry point of the dashboard: the frame around the pages. Further pages hang into `main` beside the live page. */
import "./styles/theme.css";
import "./styles/app.css";
import "./styles/devices.css";
import { render } from "preact";
import { LivePage } from "./pages/live-page.js";
import { ConnectionBanner } from "./parts/connection-banner.js";
import { TopBar } from "./parts/top-bar.js";
import { start } from "./store/gateway-store.js";

function App() {
  return (
    <>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <TopBar />
      <ConnectionBanner />
      <main id="main">
        <LivePage />
      </main>
    </>
  );
}

const root = document.querySelector("#app");
if (root !== null) {
  render(<App />, root);
  start();
}
