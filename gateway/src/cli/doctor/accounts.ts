/** Users and groups by name, from the system's own files. Edge room `cli`. */
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import type { Account } from "./facts.js";

/** Who runs this process; null where there are no users (Windows). */
export async function currentUser(): Promise<Account | null> {
  const uid = process.geteuid?.();
  return uid === undefined
    ? null
    : { id: uid, name: (await nameIn("/etc/passwd", uid)) ?? loginName() ?? `uid ${uid}` };
}

/** A user by number; without a name the number stands for it. */
export async function userOf(uid: number): Promise<Account> {
  return { id: uid, name: (await nameIn("/etc/passwd", uid)) ?? `uid ${uid}` };
}

/** A group by number; without a name the number stands for it. */
export async function groupOf(gid: number): Promise<Account> {
  return { id: gid, name: (await nameIn("/etc/group", gid)) ?? `gid ${gid}` };
}

/** Does /etc/group list the user in the group, and this process not have it? Then the login is older than the entry. */
export async function isListedOnly(user: Account, group: Account): Promise<boolean> {
  if (process.getgroups?.().includes(group.id) === true) return false;
  const entry = (await entriesOf("/etc/group")).find(([, , gid]) => Number(gid) === group.id);
  return entry?.[3]?.split(",").includes(user.name) ?? false;
}

async function nameIn(file: string, id: number): Promise<string | null> {
  return (await entriesOf(file)).find(([, , number]) => Number(number) === id)?.[0] ?? null;
}

async function entriesOf(file: string): Promise<string[][]> {
  try {
    return (await readFile(file, "utf8")).split("\n").map((line) => line.split(":"));
  } catch {
    return []; // accounts of a directory service have numbers only here
  }
}

function loginName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null; // a user without an entry, as in many containers
  }
}
