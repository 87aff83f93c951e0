/** `tidegate admin password | token | login`: the administrator's ways in. Secrets never stand in argv. */
import { join } from "node:path";
import type { Command } from "commander";
import * as z from "zod";
import { GatewayError } from "../../core/errors.js";
import { UsageError } from "../cli-error.js";
import type { ApiClient } from "../client.js";
import { dataDirOf, findGateway, type GatewayOptions } from "../find-gateway.js";
import { gatewayVerb, jsonOption, type ReadOptions, type Shell } from "../shell.js";

/** Longest password read, in characters. */
const PASSWORD_CHARS_MAX = 1024;

const loginCode = z.looseObject({ code: z.string(), path: z.string(), expiresInMs: z.number() });

/** Adds `admin password | token | login` to the program. */
export function addAdmin(program: Command, shell: Shell): void {
  const group = program.command("admin").description("password, token and login link of the dashboard");
  gatewayVerb(group, "password", "set the password; asks for it, or reads one line from stdin").action(
    (options: GatewayOptions) => setPassword(shell, options),
  );
  gatewayVerb(group, "token", "print the admin token of the gateway on this machine")
    .option("--path", "print where it is kept instead")
    .action((options: GatewayOptions & { path?: boolean }) => {
      if (options.path === true)
        shell.print(options.tokenFile ?? join(dataDirOf(shell.context, options), "admin.token"));
      else shell.print(findGateway(shell.context, options).token);
    });
  gatewayVerb(group, "login", "print a one-use link that logs a browser in")
    .addOption(jsonOption())
    .action(async (options: ReadOptions) => {
      const client = shell.client(options);
      const issued = await client.call("POST", "/api/v1/login-codes", loginCode);
      const url = new URL(issued.path, client.url).href;
      if (options.json === true) shell.json({ ...issued, url });
      else shell.print(url);
    });
}

async function setPassword(shell: Shell, options: GatewayOptions): Promise<void> {
  const client = runningGateway(shell, options);
  const password = await readPassword(shell);
  if (client !== null) {
    await client.call("PUT", "/api/v1/password", z.unknown(), { body: { password } });
    shell.print("the password is set; log in with it on the dashboard");
    return;
  }
  const daemon = await shell.context.daemon();
  await daemon.withIdentity(dataDirOf(shell.context, options), async (identity, hashPassword) => {
    await identity.setPasswordHash(await hashPassword(password));
    identity.audit("cli", "password.set", "");
  });
  shell.print("the password is set; it counts from the next start of the gateway");
}

/** A client, or null when no gateway runs on this machine: then the password is set in its store. */
function runningGateway(shell: Shell, options: GatewayOptions): ApiClient | null {
  try {
    return shell.client(options);
  } catch (error) {
    if (error instanceof GatewayError && error.code === "E_UNREACHABLE") return null;
    throw error;
  }
}

async function readPassword(shell: Shell): Promise<string> {
  const { stdin } = shell.context;
  if (!stdin.isTty) {
    const text = await stdin.readAll(PASSWORD_CHARS_MAX + 2);
    return nonEmpty(text.replace(/\r?\n$/, ""));
  }
  const password = nonEmpty(await stdin.promptHidden("New password: "));
  if ((await stdin.promptHidden("Once more: ")) === password) return password;
  throw new UsageError("the two passwords differ", "run the command again");
}

function nonEmpty(password: string): string {
  if (password !== "") return password;
  throw new UsageError("no password was given", "type one, or pass it on stdin: `… | tidegate admin password`");
}
