/** One serial line: is it there, and may this user open it? Edge room `cli`, pure. */
import { type Check, fail, ok, skipped, warn } from "./check.js";
import type { SerialFacts } from "./facts.js";

/** Numbers given in the order of plugging in; another one after a reboot. */
const NUMBERED = /^\/dev\/tty(USB|ACM)\d+$/;

/** When no line is configured: adapters that are plugged in are worth a word. */
export function noSerialCheck(byId: readonly string[]): Check {
  if (byId.length === 0) return skipped("serial", "no line is configured");
  return skipped("serial", `no line is configured, and ${byId.join(", ")} is plugged in`);
}

/** A configured line: there, allowed, and named so that it stays the same. */
export function serialCheck(facts: SerialFacts): Check {
  const { path, errno, group, user, byId } = facts;
  const name = `serial ${path}`;
  if (errno === "ENOENT") {
    const known = byId.length === 0 ? "no adapter is under /dev/serial/by-id" : `there is ${byId.join(", ")}`;
    const fix = byId.length === 0 ? "plug the adapter in, then see `dmesg`" : "plug it in, or correct its path";
    return fail(name, `it is not there; ${known}`, fix);
  }
  if (errno === "EACCES" || errno === "EPERM") return fail(name, ...denied(facts));
  if (errno !== null) return fail(name, `it cannot be opened (${errno})`, "check the cable and the path");
  const stable = byId[0];
  if (NUMBERED.test(path) && stable !== undefined) {
    const detail = "the number in its name changes with the order of plugging in";
    return warn(name, detail, `use the name that stays: ${byId.join(" or ")}`);
  }
  const by = group === null ? "" : `, group ${group.name}`;
  return ok(name, `${user?.name ?? "this user"} may open it${by}`);
}

function denied({ group, user, isListedInGroup }: SerialFacts): [detail: string, fix: string] {
  const who = user === null ? "this user" : `${user.name} (uid ${user.id})`;
  const of = group === null ? "another group" : `group ${group.name}`;
  const service = "a service needs SupplementaryGroups, a container --device and --group-add";
  if (isListedInGroup) return [`${who} was added to ${of}, but this login is older`, "log out and in again, or reboot"];
  const add = `sudo usermod -aG ${group?.name ?? "dialout"} ${user?.name ?? "$USER"}`;
  const fix = `run \`${add}\` and log in again; ${service}`;
  return [`${who} may not open it; it belongs to ${of}`, fix];
}
