/**
 * Rules over more than one setting: what fits the schema and still cannot work, or would expose the gateway.
 * Edge room `config`, pure.
 */
import { formatListen, isLoopback, type Listen } from "./addresses.js";
import type { FlatIssue, SettingPath } from "./problems.js";
import type { ConfigTree, MqttSinkTree } from "./schema.js";

/** An issue that may be one of safety rather than of form. */
export interface CrossIssue extends FlatIssue {
  readonly unsafe: boolean;
}

const wrong = (path: SettingPath, message: string): CrossIssue => ({ path, atKey: false, message, unsafe: false });
const unsafe = (path: SettingPath, message: string): CrossIssue => ({ path, atKey: false, message, unsafe: true });

/** Everything wrong with a tree that fits the schema. */
export function crossProblems(tree: ConfigTree): CrossIssue[] {
  return [
    ...exposure(tree),
    ...ports(tree),
    ...duplicates(
      tree.sinks.map((sink) => sink.name),
      "sinks",
      "name",
    ),
    ...duplicates(
      tree.serial.map((line) => line.path),
      "serial",
      "path",
    ),
    ...tree.sinks.flatMap((sink, index) => sinkProblems(sink, ["sinks", index])),
    ...amounts(tree),
  ];
}

function exposure({ devices, admin }: ConfigTree): CrossIssue[] {
  const open = (listen: Listen, proxies: readonly string[]) => !isLoopback(listen.host) && proxies.length === 0;
  const issues: CrossIssue[] = [];
  if (devices.tls === "off" && open(devices.listen, devices.trustProxy)) {
    const message =
      "without TLS anybody on the network reads the tokens; listen on 127.0.0.1, or name the proxy in trustProxy";
    issues.push(unsafe(["devices", "tls"], message));
  }
  if (admin.tls === "off" && open(admin.listen, admin.trustProxy)) {
    const message =
      "without TLS anybody on the network reads the password; listen on 127.0.0.1, or name the proxy in trustProxy";
    issues.push(unsafe(["admin", "tls"], message));
  }
  return issues;
}

function ports({ devices, admin }: ConfigTree): CrossIssue[] {
  const { listen } = admin;
  const same = listen.port !== 0 && listen.port === devices.listen.port;
  const overlap = listen.host === devices.listen.host || isAny(listen.host) || isAny(devices.listen.host);
  return same && overlap ? [wrong(["admin", "listen"], `${formatListen(listen)} collides with devices.listen`)] : [];
}

const isAny = (host: string): boolean => host === "0.0.0.0" || host === "::";

function duplicates(values: readonly string[], list: string, key: string): CrossIssue[] {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return first === index ? [] : [wrong([list, index, key], `"${value}" is already ${list}[${first}]`)];
  });
}

function sinkProblems(sink: MqttSinkTree, path: SettingPath): CrossIssue[] {
  const issues: CrossIssue[] = [];
  if ((sink.cert === undefined) !== (sink.key === undefined)) {
    issues.push(wrong([...path, sink.cert === undefined ? "key" : "cert"], "cert and key belong together"));
  }
  for (const key of ["ca", "cert"] as const) {
    if (sink[key] !== undefined && sink.url.startsWith("mqtt:")) {
      issues.push(wrong([...path, key], "has no meaning without TLS; write mqtts:// in url"));
    }
  }
  if (sink.passwordFile !== undefined && sink.username === undefined) {
    issues.push(wrong([...path, "passwordFile"], "needs a username"));
  }
  if (sink.minRetry > sink.maxRetry) issues.push(wrong([...path, "minRetry"], "must not be above maxRetry"));
  return issues;
}

function amounts({ commands }: ConfigTree): CrossIssue[] {
  const issues: CrossIssue[] = [];
  if (commands.ttl > commands.maxTtl) issues.push(wrong(["commands", "ttl"], "must not be above commands.maxTtl"));
  return issues;
}
