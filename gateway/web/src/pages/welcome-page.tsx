/** The first run: a gateway without a password asks for one, so that the next login needs no link. */
import { PasswordForm } from "../parts/password-form.js";
import { hrefTo } from "../route.js";
import { refreshSession, session, state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { go } from "../store/router.js";

/** One card, and a way around it. */
export function WelcomePage() {
  const gateway = useSelected(state, (s) => s.gateway);
  const passwordSet = useSelected(session, (s) => s?.passwordSet === true);
  const finish = async (): Promise<void> => {
    await refreshSession();
    go("overview");
  };
  return (
    <main id="main" class="welcome" tabIndex={-1}>
      <h1>Welcome to {gateway === "" ? "Tidegate" : gateway}</h1>
      {passwordSet ? (
        <p>
          The administrator's password is set. <a href={hrefTo("settings")}>Change it in the settings.</a>
        </p>
      ) : (
        <>
          <p>
            This gateway has no password yet: only a login link from its own command line opens this page. Set one to
            log in from anywhere that reaches it, and to let it listen beyond this machine.
          </p>
          <PasswordForm asksCurrent={false} onSet={() => void finish()} />
        </>
      )}
      <a href={hrefTo("overview")}>{passwordSet ? "To the dashboard" : "Not now"}</a>
    </main>
  );
}
