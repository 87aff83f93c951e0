/**
 * The login page: a one-use code from the link's fragment, or the password. No framework: it loads before anything is
 * allowed to.
 *
 *   /login#CODE ─▶ fragment removed from the address ─▶ POST /api/v1/login ─▶ the dashboard
 */
import "../styles/theme.css";
import "../styles/login.css";
import { api, problemText } from "../api.js";

const form = document.querySelector<HTMLFormElement>("#form");
const field = document.querySelector<HTMLInputElement>("#password");
const notice = document.querySelector<HTMLElement>("#notice");

function say(text: string, isProblem: boolean): void {
  if (notice === null) return;
  notice.textContent = text;
  notice.classList.toggle("problem", isProblem);
}

async function attempt(proof: { code: string } | { password: string }): Promise<void> {
  say("Logging in …", false);
  try {
    await api.login(proof);
    location.replace("/");
  } catch (error) {
    say(problemText(error), true);
    field?.focus();
    field?.select();
  }
}

/** Take the code out of the address at once: it must not stay in the history. */
function useCode(): void {
  const code = location.hash.slice(1);
  if (code === "") return;
  history.replaceState(null, "", location.pathname);
  void attempt({ code });
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt({ password: field?.value ?? "" });
});
addEventListener("hashchange", useCode);
useCode();
