/** /api/v1/devices: who there is, live or not, and the credentials they speak with. */
import { createRoute, z } from "@hono/zod-openapi";
import { GatewayError } from "../../core/errors.js";
import type { DeviceIdentity } from "../../model/identity.js";
import type { DeviceFacts } from "../../model/spool.js";
import { type AdminApp, actor, answer, body, FAILURE, type RouteParts, SECURITY } from "../admin-context.js";
import type { IssuedCredential } from "../admin-host.js";
import {
  CredentialSchema,
  DeviceParams,
  DeviceQuerySchema,
  DeviceSchema,
  type DeviceView,
  NewDeviceSchema,
  RenameSchema,
} from "../api-schemas.js";
import { deviceView } from "../views.js";

const base = { tags: ["devices"], security: SECURITY };
const one = { ...base, path: "/api/v1/devices/{id}", request: { params: DeviceParams } } as const;
const credential = { ...one, path: "/api/v1/devices/{id}/credential" } as const;
const GONE = { description: "Done" };

const list = createRoute({
  ...base,
  method: "get",
  path: "/api/v1/devices",
  summary: "Devices by id, with presence, facts, catalog and newest values",
  request: { query: DeviceQuerySchema },
  responses: {
    200: answer(z.object({ devices: z.array(DeviceSchema), next: z.string().nullable() }), "`next`: pass as `after`"),
    ...FAILURE,
  },
});
const show = createRoute({
  ...one,
  method: "get",
  summary: "One device",
  responses: { 200: answer(DeviceSchema, "The device"), ...FAILURE },
});
const add = createRoute({
  ...base,
  method: "post",
  path: "/api/v1/devices",
  summary: "Add a device; its token is shown once",
  request: { body: body(NewDeviceSchema) },
  responses: { 201: answer(CredentialSchema, "Everything a firmware needs"), ...FAILURE },
});
const rename = createRoute({
  ...one,
  method: "patch",
  summary: "Change the display name",
  request: { params: DeviceParams, body: body(RenameSchema) },
  responses: { 200: answer(DeviceSchema, "The device"), ...FAILURE },
});
const forget = createRoute({
  ...one,
  method: "delete",
  summary: "Remove the device's identity; its records and gaps stay",
  responses: { 204: GONE, ...FAILURE },
});
const replace = createRoute({
  ...credential,
  method: "post",
  summary: "A new token; the old one ends at once",
  responses: { 201: answer(CredentialSchema, "Everything a firmware needs"), ...FAILURE },
});
const revoke = createRoute({
  ...credential,
  method: "delete",
  summary: "End the credential and its session; queued commands become void",
  responses: { 204: GONE, ...FAILURE },
});

/** Add the routes of devices and their credentials. */
export function deviceRoutes(app: AdminApp, parts: RouteParts): void {
  const { host, feed } = parts;
  app.openapi(list, async (c) => c.json(await pageOfDevices(parts, c.req.valid("query")), 200));
  app.openapi(show, async (c) => c.json(await oneDevice(parts, c.req.valid("param").id), 200));
  app.openapi(add, async (c) => {
    const wanted = c.req.valid("json");
    const issued = await host.devices.add(wanted.deviceId, wanted.name);
    host.audit(actor(c), "device.add", wanted.deviceId);
    return c.json(credentialView(wanted.deviceId, issued), 201);
  });
  app.openapi(rename, async (c) => {
    const { id } = c.req.valid("param");
    await host.devices.rename(id, c.req.valid("json").name);
    host.audit(actor(c), "device.rename", id);
    return c.json(await oneDevice(parts, id), 200);
  });
  app.openapi(forget, async (c) => {
    const { id } = c.req.valid("param");
    await host.devices.forget(id);
    feed.forgetDevice(id);
    host.audit(actor(c), "device.forget", id);
    return c.body(null, 204);
  });
  app.openapi(replace, async (c) => {
    const { id } = c.req.valid("param");
    const issued = await host.devices.replace(id);
    host.audit(actor(c), "device.replace", id);
    return c.json(credentialView(id, issued), 201);
  });
  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid("param");
    await host.devices.revoke(id);
    host.audit(actor(c), "device.revoke", id);
    return c.body(null, 204);
  });
}

const credentialView = (deviceId: string, issued: IssuedCredential) => ({ deviceId, ...issued });

/** Devices that have a credential, by id; those behind `after`, at most `limit`. */
async function pageOfDevices(parts: RouteParts, { after, limit }: z.infer<typeof DeviceQuerySchema>) {
  const { devices } = parts.host;
  const behind = (await devices.identities())
    .filter(({ device }) => after === undefined || device > after)
    .sort((a, b) => (a.device < b.device ? -1 : 1));
  const page = behind.slice(0, limit);
  const [facts] = await Promise.all([devices.facts(page.map(({ device }) => device)), parts.feed.freshen()]);
  const known = new Map(facts.map((fact) => [fact.device, fact]));
  const views = page.map((identity) => compose(parts, identity, known.get(identity.device) ?? null));
  return { devices: views, next: behind.length > limit ? (page.at(-1)?.device ?? null) : null };
}

/** Errors: E_DEVICE_UNKNOWN. */
async function oneDevice(parts: RouteParts, id: string): Promise<DeviceView> {
  const { devices } = parts.host;
  const identity = devices.identity(id);
  if (identity === null) throw new GatewayError("E_DEVICE_UNKNOWN", `no device is called ${id}`);
  const [[facts = null]] = await Promise.all([devices.facts([id]), parts.feed.freshen()]);
  return compose(parts, identity, facts);
}

function compose({ host, feed }: RouteParts, identity: DeviceIdentity, facts: DeviceFacts | null): DeviceView {
  const id = identity.device;
  return deviceView(id, { identity, facts, presence: host.devices.presence(id), latest: feed.latestOf(id) });
}
