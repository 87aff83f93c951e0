/** `tidegate device …`: who may connect. */
import type { Command } from "commander";
import * as z from "zod";
import { inline, plain } from "../plain.js";
import { ago } from "../quantities.js";
import { gatewayVerb, jsonOption, type ReadOptions, readVerb, type Shell } from "../shell.js";
import type { Cell } from "../table.js";
import { addHistory } from "./history.js";

const reading = z.looseObject({
  signal: z.string(),
  t: z.number(),
  v: z.unknown(),
  q: z.string(),
  unit: z.string().default(""),
});
const device = z.looseObject({
  id: z.string(),
  name: z.string().default(""),
  presence: z.string(),
  lastSeen: z.string().nullish(),
  connectedSince: z.string().nullish(),
  remote: z.string().nullish(),
  revoked: z.boolean().default(false),
  firmware: z.string().default(""),
  model: z.string().default(""),
  epoch: z.number().default(0),
  ackedSeq: z.number().default(0),
  latest: z.array(reading).default([]),
  commands: z.array(z.looseObject({ name: z.string(), argsHint: z.string().default("") })).default([]),
});
type Device = z.infer<typeof device>;

const devices = z.looseObject({ devices: z.array(device) });
const credential = z.looseObject({
  deviceId: z.string(),
  token: z.string(),
  url: z.string(),
  ca: z.string().nullable(),
});

const pathOf = (id: string): string => `/api/v1/devices/${encodeURIComponent(id)}`;

/** Adds `device add | replace | ls | show | history | rename | revoke | forget` to the program. */
export function addDevice(program: Command, shell: Shell): void {
  const group = program.command("device").description("add devices, see them, take their credentials away");
  addAdd(group, shell);
  addReads(group, shell);
  addHistory(group, shell);
  addChanges(group, shell);
}

function addAdd(group: Command, shell: Shell): void {
  gatewayVerb(group, "add", "let a new device in; its token is shown once")
    .argument("<id>", "letters, digits, - and _, up to 63")
    .option("--name <text>", "name to show")
    .addOption(jsonOption())
    .action(async (id: string, options: ReadOptions & { name?: string }) => {
      const body = { deviceId: id, ...(options.name === undefined ? {} : { name: options.name }) };
      const issued = await shell.client(options).call("POST", "/api/v1/devices", credential, { body });
      showCredential(shell, issued, options);
    });
  gatewayVerb(group, "replace", "give a device a new token; the old one ends at once")
    .argument("<id>")
    .addOption(jsonOption())
    .action(async (id: string, options: ReadOptions) => {
      const issued = await shell.client(options).call("POST", `${pathOf(id)}/credential`, credential);
      showCredential(shell, issued, options);
    });
}

function showCredential(shell: Shell, issued: z.infer<typeof credential>, options: ReadOptions): void {
  const { deviceId, token, url, ca } = issued;
  if (options.json === true) {
    shell.json({ deviceId, token, url, ca });
    return;
  }
  shell.pairs([
    ["device", deviceId],
    ["token", token],
    ["url", url],
  ]);
  if (ca !== null) shell.print(ca.trimEnd());
  shell.remark("the token is shown this once; put token, url and certificate into the device");
}

function addReads(group: Command, shell: Shell): void {
  readVerb(group, "ls", "list all devices").action(async (options: ReadOptions) => {
    const answer = await shell.client(options).call("GET", "/api/v1/devices", devices);
    if (options.json === true) shell.json(answer);
    else if (answer.devices.length === 0) shell.print("no devices yet; add one with `tidegate device add my-device`");
    else
      shell.table(
        DEVICE_COLUMNS,
        answer.devices.map((found) => deviceRow(shell, found)),
      );
  });
  readVerb(group, "show", "show one device and its latest values")
    .argument("<id>")
    .action(async (id: string, options: ReadOptions) => {
      const found = await shell.client(options).call("GET", pathOf(id), device);
      if (options.json === true) shell.json(found);
      else showDevice(shell, found);
    });
}

const DEVICE_COLUMNS = ["device", "presence", "seen", "model", "firmware", "name"].map((title) => ({ title }));

function deviceRow(shell: Shell, found: Device): Cell[] {
  const state = presenceOf(found);
  const paint = state === "online" ? shell.paint.good : state === "revoked" ? shell.paint.bad : shell.paint.dim;
  return [found.id, { text: state, paint }, ago(found.lastSeen, shell.now()), found.model, found.firmware, found.name];
}

const presenceOf = (found: Device): string => (found.revoked ? "revoked" : found.presence);

function showDevice(shell: Shell, found: Device): void {
  const from = found.remote === null || found.remote === undefined ? "" : ` from ${found.remote}`;
  shell.pairs([
    ["device", found.name === "" ? found.id : `${found.id} (${found.name})`],
    ["presence", `${presenceOf(found)}${from}`],
    ["seen", ago(found.lastSeen, shell.now())],
    ["model", [found.model, found.firmware].filter((text) => text !== "").join(" · ") || "not told yet"],
    ["stream", `epoch ${found.epoch} · acked up to ${found.ackedSeq}`],
    ["commands", found.commands.map((spec) => `${spec.name} ${spec.argsHint}`.trim()).join(", ") || "none told"],
  ]);
  if (found.latest.length === 0) return;
  const rows = found.latest.map((r) => [
    r.signal,
    inline(r.v),
    r.unit,
    r.q,
    Number.isFinite(r.t) ? ago(new Date(r.t).toISOString(), shell.now()) : "",
  ]);
  shell.print("");
  shell.table(
    [
      { title: "signal" },
      { title: "value", right: true },
      { title: "unit" },
      { title: "quality" },
      { title: "measured" },
    ],
    rows,
  );
}

function addChanges(group: Command, shell: Shell): void {
  const nothing = z.unknown();
  gatewayVerb(group, "rename", "give a device another name to show; its id stays")
    .argument("<id>")
    .argument("<name>")
    .action(async (id: string, name: string, options: ReadOptions) => {
      await shell.client(options).call("PATCH", pathOf(id), nothing, { body: { name } });
      shell.print(`${plain(id)} is now shown as ${plain(name)}`);
    });
  gatewayVerb(group, "revoke", "end a device's credential and its live session")
    .argument("<id>")
    .action(async (id: string, options: ReadOptions) => {
      await shell.client(options).call("DELETE", `${pathOf(id)}/credential`, nothing);
      shell.print(`${plain(id)} is revoked; \`tidegate device replace ${plain(id)}\` brings it back`);
    });
  gatewayVerb(group, "forget", "remove a device; its records stay")
    .argument("<id>")
    .action(async (id: string, options: ReadOptions) => {
      await shell.client(options).call("DELETE", pathOf(id), nothing);
      shell.print(`${plain(id)} is forgotten; its records, gaps and commands stay`);
    });
}
