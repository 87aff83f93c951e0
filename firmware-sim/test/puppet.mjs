// A device process for tests of commands: on the real SDK, killable at any moment.
//
//   argv[2]  JSON: { credential, outbox? }
//   stdout   a line for each thing that happens: online, ran NAME
import { Device } from "@tidegate/device-sdk";

const { credential, outbox } = JSON.parse(process.argv[2] ?? "{}");
const { url, deviceId, token, ca } = credential;
const device = new Device({
  url,
  id: deviceId,
  token,
  ca,
  flushIntervalMs: 50,
  ...(outbox === undefined ? {} : { outbox: { path: outbox } }),
});
const say = (text) => process.stdout.write(`${text}\n`);
device.signal("level", { type: "int" });
device.command("add", { idempotent: true }, ({ a, b }) => {
  say("ran add");
  return { sum: a + b };
});
device.command("fail", { idempotent: true }, () => {
  say("ran fail");
  throw new Error("the valve is stuck");
});
const forever = () => new Promise(() => {});
device.command("slow", { idempotent: false }, () => {
  say("ran slow");
  return forever();
});
device.command("slowIdempotent", { idempotent: true }, () => {
  say("ran slowIdempotent");
  return forever();
});
device.on("online", () => say("online"));
device.start();
process.once("SIGTERM", () => device.stop().then(() => process.exit(0)));
