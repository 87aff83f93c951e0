/** Loading the configuration: every mistake with its place, overrides, paths, defaults. */
import { describe, expect, it } from "vitest";
import { GatewayError } from "../core/errors.js";
import { effectiveSettings, effectiveTree } from "./effective.js";
import { type LoadedConfig, loadConfig } from "./load.js";
import type { ConfigIo } from "./locations.js";

const FILE = "/etc/site/tidegate.yaml";

function io(files: Record<string, string>): ConfigIo {
  return {
    cwd: "/site",
    hostname: "Attic.lan",
    repositoryDir: "/repo",
    readFile(path) {
      const text = files[path];
      if (text === "EACCES") throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
      if (text === undefined) throw Object.assign(new Error("ENOENT: no such file"), { code: "ENOENT" });
      return text;
    },
  };
}

function load(text: string, env: Record<string, string> = {}): LoadedConfig {
  return loadConfig(io({ [FILE]: text }), { configPath: FILE, env });
}

/** The three parts of the error, as a person reads them. */
function refusal(text: string, env: Record<string, string> = {}): string {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof GatewayError) return `\n${error.lines.join("\n")}\n`;
    throw error;
  }
  return "accepted";
}

describe("a mistake in the file", () => {
  it("is named with line, column and what was meant, all at once", () => {
    const text = `version: 1
devices:
  keepalve: 3s
  keepalive: 30
  tls: { cert: a }
  listen: 99
sinks:
  - { type: mqtt, name: a/b, url: "http://x" }
  - { type: kafka, name: k }
admin:
colour: blue
storage: { commitInterval: 1x, quota: 1KiB, whenFull: explode }
log: { level: loud }
serial: { path: /dev/ttyUSB0 }
`;
    expect(refusal(text)).toMatchInlineSnapshot(`
      "
      E_CONFIG_INVALID: the configuration does not fit the schema
      tidegate.yaml:3:3: devices.keepalve: unknown key; did you mean "keepalive"?
      tidegate.yaml:4:14: devices.keepalive: expected a duration such as 250ms, 30s or 7d, got 30
      tidegate.yaml:5:8: devices.tls.key: is missing
      tidegate.yaml:6:11: devices.listen: expected host:port, such as 127.0.0.1:8080, got 99
      tidegate.yaml:8:25: sinks[0].name: use letters, digits, - and _, up to 63, starting with a letter or digit, got "a/b"
      tidegate.yaml:8:35: sinks[0].url: expected an address such as mqtt://broker.lan:1883 or mqtts://broker.lan:8883, got "http://x"
      tidegate.yaml:9:13: sinks[1].type: expected a sink with type: mqtt, got "kafka"
      tidegate.yaml:10:7: admin: is empty: write a value, or remove the line
      tidegate.yaml:11:1: colour: unknown key; known here: version, gateway, devices, serial, storage, commands, history, admin, sinks, log
      tidegate.yaml:12:28: storage.commitInterval: expected auto, or a duration such as 250ms, 30s or 7d, got "1x"
      tidegate.yaml:12:39: storage.quota: must lie between 16MiB and 64TiB, got "1KiB"
      tidegate.yaml:12:55: storage.whenFull: expected one of block, drop-oldest, got "explode"
      tidegate.yaml:13:15: log.level: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"
      tidegate.yaml:14:9: serial: expected a list, got a mapping
      correct the lines named above; \`tidegate config check\` tells
      "
    `);
  });

  it("of YAML itself is named with its place", () => {
    expect(refusal("version: 1\nversion: 1\n")).toMatchInlineSnapshot(`
      "
      E_CONFIG_INVALID: the configuration does not fit the schema
      tidegate.yaml:2:1: Map keys must be unique
      correct the lines named above; \`tidegate config check\` tells
      "
    `);
    expect(refusal("sinks: [\n")).toContain("tidegate.yaml:2:1: ");
    expect(refusal("log: { level: !secret info }\n")).toContain("tidegate.yaml:1:15: Unresolved tag: !secret");
    expect(refusal("a: 1\n---\nb: 2\n")).toContain("tidegate.yaml:2:1: ");
  });

  it.each(["", "\n\n", "# nothing yet\n", "---\n"])(
    "such as an empty file (%j) is refused, never the defaults",
    (text) => {
      expect(refusal(text)).toContain("the file is empty; it may be half of a full one");
      expect(refusal(text)).toContain("write `version: 1` to start with the defaults");
    },
  );

  it("such as a list or a word instead of sections is refused", () => {
    expect(refusal("- a\n")).toContain("expected a mapping of sections");
    expect(refusal("hello\n")).toContain("expected a mapping of sections");
  });

  it("such as references that multiply without end is refused quickly", () => {
    const bomb = Array.from({ length: 30 }, (_, i) => `k${i}: &a${i} [${i === 0 ? "1" : `*a${i - 1},`.repeat(20)}]`);
    expect(refusal(bomb.join("\n"))).toContain("E_CONFIG_INVALID");
  });

  it("such as a key named __proto__ is an unknown key", () => {
    expect(refusal("__proto__: { polluted: true }\nversion: 1\n")).toContain("__proto__: unknown key");
    expect(Object.prototype).not.toHaveProperty("polluted");
  });

  it("such as a file past a megabyte is refused", () => {
    expect(refusal(`# ${"x".repeat(1024 * 1024)}`)).toContain("is larger than 1048576 bytes");
  });
});

describe("settings that cannot work together", () => {
  it("are named: sinks", () => {
    const text = `sinks:
  - { type: mqtt, name: a, url: "mqtt://x:1883", ca: ca.pem, passwordFile: p, cert: c.pem }
  - { type: mqtt, name: a, url: "mqtts://u:p@x", minRetry: 2h, maxRetry: 1s }
`;
    expect(refusal(text)).toContain("sinks[1].url: must not hold credentials: use username and passwordFile");
    expect(refusal(text.replace("u:p@", "").replace("2h", "1h"))).toMatchInlineSnapshot(`
      "
      E_CONFIG_INVALID: the configuration does not fit the schema
      tidegate.yaml:2:54: sinks[0].ca: has no meaning without TLS; write mqtts:// in url
      tidegate.yaml:2:76: sinks[0].passwordFile: needs a username
      tidegate.yaml:2:85: sinks[0].cert: cert and key belong together
      tidegate.yaml:2:85: sinks[0].cert: has no meaning without TLS; write mqtts:// in url
      tidegate.yaml:3:25: sinks[1].name: "a" is already sinks[0]
      tidegate.yaml:3:56: sinks[1].minRetry: must not be above maxRetry
      correct the lines named above; \`tidegate config check\` tells
      "
    `);
  });

  it("are named: ports, amounts, lines", () => {
    const text = `devices: { listen: "0.0.0.0:8080" }
commands: { ttl: 2h, maxTtl: 1h }
serial: [{ path: /dev/a }, { path: /dev/a }]
`;
    expect(refusal(text)).toMatchInlineSnapshot(`
      "
      E_CONFIG_INVALID: the configuration does not fit the schema
      admin.listen: 127.0.0.1:8080 collides with devices.listen
      tidegate.yaml:2:18: commands.ttl: must not be above commands.maxTtl
      tidegate.yaml:3:36: serial[1].path: "/dev/a" is already serial[0]
      correct the lines named above; \`tidegate config check\` tells
      "
    `);
  });

  it("are unsafe: no TLS off loopback without a proxy", () => {
    const text = `devices: { tls: off }\nadmin: { listen: "0.0.0.0:8080", tls: off }\n`;
    expect(refusal(text)).toMatchInlineSnapshot(`
      "
      E_CONFIG_UNSAFE: the configuration would expose the gateway
      tidegate.yaml:1:17: devices.tls: without TLS anybody on the network reads the tokens; listen on 127.0.0.1, or name the proxy in trustProxy
      tidegate.yaml:2:39: admin.tls: without TLS anybody on the network reads the password; listen on 127.0.0.1, or name the proxy in trustProxy
      correct the lines named above; \`tidegate config check\` tells
      "
    `);
    const proxied = load(`devices: { tls: off, trustProxy: [10.0.0.0/8] }`);
    expect(proxied.config.devices.tls).toEqual({ mode: "off" });
    const loopback = load(`devices: { tls: off, listen: "[::1]:8443" }`);
    expect(loopback.config.devices.listen).toEqual({ host: "::1", port: 8443 });
  });
});

describe("the environment", () => {
  it("overrides the file, in any case, lists by index", () => {
    const { config, sources } = load(
      `admin: { listen: 127.0.0.1:1 }\nsinks:\n  - { type: mqtt, name: a, url: "mqtts://x:8883" }\n`,
      {
        TIDEGATE_ADMIN__LISTEN: "127.0.0.1:9",
        TIDEGATE_STORAGE__WHEN_FULL: "drop-oldest",
        TIDEGATE_DEVICES__TEST_ECHO: "true",
        TIDEGATE_DEVICES__NAMES: "[gate.lan, 10.0.0.1]",
        TIDEGATE_SINKS__0__PASSWORD_FILE: "007",
        TIDEGATE_SINKS__0__USERNAME: "me",
        TIDEGATE_SINKS__1: '{ type: mqtt, name: b, url: "mqtt://y:1883" }',
        TIDEGATE_URL: "not a setting",
      },
    );
    expect(config.admin.listen).toEqual({ host: "127.0.0.1", port: 9 });
    expect(config.storage.whenFull).toBe("drop-oldest");
    expect(config.devices.testEcho).toBe(true);
    expect(config.devices.names).toEqual(["gate.lan", "10.0.0.1"]);
    expect(config.sinks.map((sink) => sink.name)).toEqual(["a", "b"]);
    // Relative to where the command was typed: there is no file to be relative to.
    expect(config.sinks[0]?.passwordFile).toBe("/site/007");
    expect(sources["admin.listen"]).toBe("TIDEGATE_ADMIN__LISTEN");
    expect(sources["sinks[0].name"]).toBe("tidegate.yaml:3:25");
  });

  it("is checked like the file, and never taken when empty", () => {
    const env = {
      TIDEGATE_ADMN__LISTEN: "127.0.0.1:9",
      TIDEGATE_ADMIN__TLS: "",
      TIDEGATE_SINKS__3__NAME: "b",
      TIDEGATE_LOG__LEVEL: "[",
    };
    expect(refusal("version: 1", env)).toMatchInlineSnapshot(`
      "
      E_CONFIG_INVALID: the configuration does not fit the schema
      TIDEGATE_ADMIN__TLS: admin.tls: is set but empty
      TIDEGATE_ADMN__LISTEN: admn: unknown key; did you mean "admin"?
      TIDEGATE_LOG__LEVEL: log.level: Flow sequence must end with a ]
      TIDEGATE_SINKS__3__NAME: sinks[3].name: the list has 0 entries; add entry 0 first
      correct the lines named above; \`tidegate config check\` tells
      "
    `);
    expect(
      refusal("version: 1", { TIDEGATE_DEVICES__KEEPALIVE: "30", TIDEGATE_SINKS__0__NAME: "b" }),
    ).toMatchInlineSnapshot(`
      "
      E_CONFIG_INVALID: the configuration does not fit the schema
      TIDEGATE_DEVICES__KEEPALIVE: devices.keepalive: expected a duration such as 250ms, 30s or 7d, got 30
      TIDEGATE_SINKS__0__NAME: sinks[0].type: is missing
      correct the lines named above; \`tidegate config check\` tells
      "
    `);
  });
});

describe("which file counts", () => {
  const find = (files: Record<string, string>, configPath: string | null, env: Record<string, string> = {}) =>
    loadConfig(io(files), { configPath, env }).file;

  it("is --config, then TIDEGATE_CONFIG, then ./tidegate.yaml, then /etc, then none", () => {
    const files = Object.fromEntries(
      ["/site/a.yaml", "/site/b.yaml", "/site/tidegate.yaml", "/etc/tidegate/tidegate.yaml"].map((p) => [
        p,
        "version: 1",
      ]),
    );
    expect(find(files, "a.yaml", { TIDEGATE_CONFIG: "b.yaml" })).toBe("/site/a.yaml");
    expect(find(files, null, { TIDEGATE_CONFIG: "b.yaml" })).toBe("/site/b.yaml");
    expect(find(files, null)).toBe("/site/tidegate.yaml");
    expect(find({ "/etc/tidegate/tidegate.yaml": "version: 1" }, null)).toBe("/etc/tidegate/tidegate.yaml");
    expect(find({}, null)).toBeNull();
  });

  it("is never another one when the named one is absent or unreadable", () => {
    expect(() => find({ "/site/tidegate.yaml": "version: 1" }, "gone.yaml")).toThrow(/gone.yaml does not exist/);
    expect(() => find({}, null, { TIDEGATE_CONFIG: "" })).toThrow(/TIDEGATE_CONFIG is empty/);
    expect(() => find({}, "")).toThrow(/--config is empty/);
    const locked = { "/site/tidegate.yaml": "EACCES", "/etc/tidegate/tidegate.yaml": "version: 1" };
    expect(() => find(locked, null)).toThrow(/permission denied/);
  });
});

describe("the configuration", () => {
  it("has a default for everything, and is frozen to the bottom", () => {
    const { config } = loadConfig(io({}), { configPath: null, env: {} });
    expect(config).toMatchSnapshot();
    expect(Object.isFrozen(config.devices.names)).toBe(true);
    expect(() => Object.assign(config.devices.listen, { port: 1 })).toThrow(TypeError);
  });

  it("takes paths relative to the file, and the data folder from where it runs", () => {
    const text = `gateway: { dataDir: ./d }\ndevices: { tls: { cert: c.pem, key: /abs/k.pem } }\n`;
    const { config } = load(text);
    expect(config.gateway.dataDir).toBe("/etc/site/d");
    expect(config.devices.tls).toEqual({ mode: "files", cert: "/etc/site/c.pem", key: "/abs/k.pem", ca: null });

    const dataDir = (files: Record<string, string>, env: Record<string, string> = {}) =>
      loadConfig(io(files), { configPath: null, env }).config.gateway.dataDir;
    expect(dataDir({})).toBe("/repo/data");
    expect(dataDir({}, { STATE_DIRECTORY: "/var/lib/tidegate:/other" })).toBe("/var/lib/tidegate");
    expect(dataDir({ "/site/tidegate.yaml": "version: 1" })).toBe("/site/data");
    expect(dataDir({ "/etc/tidegate/tidegate.yaml": "version: 1" })).toBe("/var/lib/tidegate");
  });

  it("names the gateway after its host when it has no id", () => {
    expect(load("version: 1").config.gateway.id).toBe("Attic");
    expect(load("gateway: { id: gw-1 }").config.gateway.id).toBe("gw-1");
  });

  it("uses the site's certificate for a dashboard off loopback", () => {
    expect(load("version: 1").config.admin.tls).toEqual({ mode: "off" });
    expect(load("admin: { listen: '0.0.0.0:8080' }").config.admin.tls).toEqual({ mode: "site" });
  });

  it("can be shown as it would be written, and read back to the same", () => {
    const text = `gateway: { id: g, dataDir: /d }
devices: { keepalive: 90s, tls: { cert: /c, key: /k } }
storage: { commitInterval: 250ms, quota: 1536MiB }
sinks: [{ type: mqtt, name: a, url: "mqtt://x:1883", hold: { maxAge: 30d } }]
`;
    const loaded = load(text);
    const shown = effectiveTree(loaded);
    expect(shown).toMatchObject({
      devices: { keepalive: "90s" },
      storage: { commitInterval: "250ms", quota: "1536MiB" },
    });
    expect(load(JSON.stringify(shown)).config).toEqual(loaded.config);
    const settings = effectiveSettings(loaded);
    expect(settings.find((s) => s.setting === "devices.keepalive")?.source).toBe("tidegate.yaml:2:23");
    expect(settings.find((s) => s.setting === "devices.window")).toEqual({
      setting: "devices.window",
      value: 64,
      source: "default",
    });
  });
});
