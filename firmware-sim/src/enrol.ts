/**
 * Gives every device of a fleet its credential.
 *
 *   gateway knows it?   kept here?
 *   no                  –            add
 *   yes                 yes          use what is kept
 *   yes, revoked        –            replace
 *   yes                 no           replace — but only when it is a simulator's own: a real device would be locked out
 */
import type { AdminClient, KnownDevice } from "./admin-client.js";
import type { Credential, CredentialStore } from "./credential.js";
import { SIM_MODEL } from "./greenhouse.js";
import { SimError } from "./sim-error.js";

/** A device that is wanted. */
export interface WantedDevice {
  readonly id: string;
  /** Display name for a new one. */
  readonly name: string;
  /** What its firmware says it is; the simulator's own when absent. */
  readonly model?: string;
}

/** What the rule above says. Pure. @param model what a simulated one calls itself */
export function judge(
  known: KnownDevice | undefined,
  isKept: boolean,
  model = SIM_MODEL,
): "add" | "use" | "replace" | "foreign" {
  if (known === undefined) return "add";
  // A board's model says nothing about who owns it: only a token that is kept here does.
  if (known.model !== "" && (known.model !== model || (model !== SIM_MODEL && !isKept))) return "foreign";
  return isKept && !known.revoked ? "use" : "replace";
}

/** Calls that wait at the gateway at once. */
const CALLS_AT_ONCE = 8;

/**
 * The credentials, in the order of `wanted`.
 *
 * @param store where they are kept between runs; null: nowhere
 * @throws SimError
 */
export async function enrol(
  admin: AdminClient,
  wanted: readonly WantedDevice[],
  { store, gatewayId }: { store: CredentialStore | null; gatewayId: string },
): Promise<Credential[]> {
  const known = new Map((await admin.devices()).map((device) => [device.id, device]));
  const results: Credential[] = new Array(wanted.length);
  const queue = wanted.map((device, index) => ({ device, index }));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { device, index } = next;
      const kept = store?.read(device.id, gatewayId) ?? null;
      const credential = await obtain(admin, device, known.get(device.id), kept);
      if (credential !== kept) store?.write(credential, gatewayId);
      results[index] = credential;
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
  return results;
}

async function obtain(
  admin: AdminClient,
  { id, name, model }: WantedDevice,
  known: KnownDevice | undefined,
  kept: Credential | null,
): Promise<Credential> {
  const verdict = judge(known, kept !== null, model);
  if (verdict === "use" && kept !== null) return kept;
  if (verdict === "add") return admin.add(id, name);
  if (verdict === "replace") return admin.replace(id);
  const why = `the gateway knows ${id} as "${known?.model ?? ""}", and its credential would have to be replaced`;
  throw new SimError("a real device has the name of a simulated one", why, "choose other names with --prefix");
}
