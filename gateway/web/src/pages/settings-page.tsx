/** The configuration in force and where each value came from; the password; about. */
import { useMemo, useState } from "preact/hooks";
import type { StatusView } from "../../../src/admin/api-schemas.js";
import { api } from "../api.js";
import { ageText, timeText } from "../format.js";
import { Filter, PageHead, Problem } from "../parts/page-head.js";
import { PasswordForm } from "../parts/password-form.js";
import { type SettingLine, settingLines } from "../settings-lines.js";
import { refreshSession, session, state } from "../store/gateway-store.js";
import { useSelected } from "../store/observable.js";
import { usePolled } from "../store/polled.js";

/** The configuration is only shown: the file is the operator's. */
export function SettingsPage() {
  const { value, problem } = usePolled("config", 0, api.config);
  const status = useSelected(state, (s) => s.status);
  const [needle, setNeedle] = useState("");
  const lines = useMemo(() => (value === null ? [] : settingLines(value.effective, value.sources)), [value]);
  const found = lines.filter(({ name, source }) => `${name} ${source}`.toLowerCase().includes(needle.toLowerCase()));
  return (
    <>
      <PageHead title="Settings">
        <Filter label="Filter settings" value={needle} onValue={setNeedle} />
      </PageHead>
      <Problem text={problem} />
      {value === null ? null : (
        <p class="facts">
          {value.file === null ? (
            <>
              No configuration file: everything is default. <code>npx tidegate init</code> writes one.
            </>
          ) : (
            <>
              From <code>{value.file}</code>; change it there, try it with <code>npx tidegate config check</code>, and
              restart the gateway.
            </>
          )}
        </p>
      )}
      {found.length === 0 ? <p class="empty">{value === null ? "Loading …" : "No setting fits the filter."}</p> : null}
      {found.length === 0 ? null : <SettingTable lines={found} />}
      <Backup />
      <Password />
      {status === null ? null : <About status={status} />}
    </>
  );
}

function SettingTable({ lines }: { readonly lines: readonly SettingLine[] }) {
  return (
    <table class="table stacking">
      <thead>
        <tr>
          <th scope="col">Setting</th>
          <th scope="col">Value</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {lines.map(({ name, value, source }) => (
          <tr key={name} class={source === "default" ? "is-default" : ""}>
            <th scope="row">
              <code>{name}</code>
            </th>
            <td>
              <code>{value}</code>
            </td>
            <td>{source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A form and not a fetch: the browser writes the file as it comes, however large it is. */
function Backup() {
  return (
    <section aria-labelledby="backup">
      <h3 id="backup">Backup</h3>
      <p class="facts">
        One file with everything this gateway cannot make again: keys, credentials, marks, records. Keep it like a
        password. <code>npx tidegate backup restore FILE</code> brings it back.
      </p>
      <form method="post" action="/api/v1/backup">
        <button type="submit" class="quiet">
          Download a backup
        </button>
      </form>
    </section>
  );
}

function Password() {
  const passwordSet = useSelected(session, (s) => s?.passwordSet ?? null);
  const [isDone, setDone] = useState(false);
  if (passwordSet === null) return null;
  return (
    <section aria-labelledby="password-heading">
      <h3 id="password-heading">Password</h3>
      {isDone ? <p role="status">The password is set. All other sessions have ended.</p> : null}
      <PasswordForm
        asksCurrent={passwordSet}
        onSet={() => {
          setDone(true);
          void refreshSession();
        }}
      />
    </section>
  );
}

function About({ status }: { readonly status: StatusView }) {
  const facts: readonly (readonly [string, string])[] = [
    ["Version", status.version],
    ["Node", status.node],
    ["Running for", `${ageText(status.uptimeMs)}, since ${timeText(status.startedAt)}`],
    ["Ports", `devices ${status.ports.devices ?? "off"}, dashboard ${status.ports.admin ?? "off"}`],
    ["Store", `${status.storeId}, newest record ${status.lastRecordId}`],
    ["Event loop", `p50 ${status.eventLoopDelayMs.p50} ms, p99 ${status.eventLoopDelayMs.p99} ms`],
  ];
  return (
    <section aria-labelledby="about">
      <h3 id="about">About</h3>
      <dl class="facts-list">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
