/** The credential of a device, shown exactly once: nothing keeps it but the device. */
import type { CredentialView } from "../api.js";

interface CredentialNoteProps {
  readonly credential: CredentialView;
  readonly onDone: () => void;
}

/** Everything a firmware needs, to be copied. */
export function CredentialNote({ credential, onDone }: CredentialNoteProps) {
  const { deviceId, token, url, ca } = credential;
  return (
    <section class="credential" aria-label={`Credential of ${deviceId}`}>
      <p>
        <strong>{deviceId} can connect.</strong> Copy this into its firmware now: the token is not shown again.
      </p>
      <dl class="facts-list">
        <dt>URL</dt>
        <dd>
          <code>{url}</code>
        </dd>
        <dt>Token</dt>
        <dd>
          <code>{token}</code>
        </dd>
        <dt>CA to pin</dt>
        <dd>{ca === null ? "none: the gateway has a certificate of yours" : <pre>{ca}</pre>}</dd>
      </dl>
      <button type="button" onClick={onDone}>
        I have it
      </button>
    </section>
  );
}
