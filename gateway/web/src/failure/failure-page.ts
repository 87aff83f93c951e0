/**
 * The failure page keeps looking: when the file changes what is wrong, or the gateway runs again, it loads anew. A port
 * that is closed for a moment, between the page and the gateway, is no reason to give up.
 *
 *   every second   GET /healthz ─ 200 ─▶ the dashboard      GET / ─ other words ─▶ loaded anew
 */
import "../styles/theme.css";
import "../styles/login.css";

const LOOK_MS = 1000;
const ANSWER_MS_MAX = 5000;

/** What the page says, as text, to see whether it says something else now. */
const shown = document.querySelector("main")?.textContent ?? "";

async function look(): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX);
  try {
    const health = await fetch("/healthz", { cache: "no-store", signal });
    if (health.ok) {
      location.replace("/");
      return;
    }
    const page = await fetch("/", { cache: "no-store", headers: { Accept: "application/json" }, signal });
    const text = await page.text();
    if (said !== "" && said !== text) location.reload();
    said = text;
  } catch {
    // The port is free for a moment, or nobody tries any more: keep looking.
  }
  setTimeout(() => void look(), LOOK_MS);
}

let said = "";
if (shown !== "") void look();
