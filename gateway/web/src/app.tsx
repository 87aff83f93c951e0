/** Entry point of the dashboard: the frame around the pages. */
import "./styles/theme.css";
import "./styles/app.css";
import "./styles/rail.css";
import "./styles/devices.css";
import "./styles/tables.css";
import "./styles/charts.css";
import { render } from "preact";
import { DevicePage } from "./pages/device-page.js";
import { DevicesPage } from "./pages/devices-page.js";
import { ExplorePage } from "./pages/explore-page.js";
import { GapsPage } from "./pages/gaps-page.js";
import { LogsPage } from "./pages/logs-page.js";
import { OverviewPage } from "./pages/overview-page.js";
import { SerialPage } from "./pages/serial-page.js";
import { SettingsPage } from "./pages/settings-page.js";
import { SinksPage } from "./pages/sinks-page.js";
import { WelcomePage } from "./pages/welcome-page.js";
import { ConnectionBanner } from "./parts/connection-banner.js";
import { NavRail } from "./parts/nav-rail.js";
import { TopBar } from "./parts/top-bar.js";
import type { Route } from "./route.js";
import { start, state } from "./store/gateway-store.js";
import { useSelected } from "./store/observable.js";
import { useRoute } from "./store/router.js";

function App() {
  const route = useRoute();
  if (route.page === "welcome") return <WelcomePage />;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("#main")?.focus()}>
        Skip to content
      </button>
      <TopBar />
      <ConnectionBanner />
      <div class="frame">
        <NavRail />
        <Main route={route} />
      </div>
    </>
  );
}

/** What is shown loses its colours while it is old. */
function Main({ route }: { readonly route: Route }) {
  const isOld = useSelected(state, (s) => s.connection === "lost");
  return (
    <main id="main" class={isOld ? "old" : ""} tabIndex={-1}>
      <Page route={route} />
    </main>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "devices":
      return route.id === "" ? <DevicesPage /> : <DevicePage key={route.id} id={route.id} tab={route.tab} />;
    case "explore":
      return <ExplorePage query={route.query} />;
    case "sinks":
      return <SinksPage />;
    case "gaps":
      return <GapsPage query={route.query} />;
    case "serial":
      return <SerialPage />;
    case "logs":
      return <LogsPage />;
    case "settings":
      return <SettingsPage />;
    default:
      return <OverviewPage />;
  }
}

const root = document.querySelector("#app");
if (root !== null) {
  render(<App />, root);
  start();
}
