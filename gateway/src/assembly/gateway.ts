/**
 * The whole gateway: the order of starting, draining and stopping. Holds no rules.
 *
 *   start  data folder ▸ keys ▸ store ▸ credentials ▸ sessions ▸ sinks ▸ admin ▸ devices' port ▸ ready
 *   stop   no new links ▸ Bye to devices ▸ last commit ▸ sinks' last acks ▸ admin ▸ store ▸ data folder
 */
import { hostname } from "node:os";
import type { AckedRates } from "../admin/admin-host.js";
import type { AdminServer, AdminServerOptions } from "../admin/admin-server.js";
import { fileShelf } from "../admin/session-shelf.js";
import { effectiveTree } from "../config/effective.js";
import type { LoadedConfig } from "../config/load.js";
import { machineAddresses } from "../config/machine.js";
import { loadAdminTls, loadTls, type TlsMaterial } from "../config/tls-files.js";
import { repeat } from "../core/clock.js";
import { asGatewayError } from "../core/errors.js";
import { watchEventLoop } from "../core/event-loop.js";
import { CredentialDirectory } from "../enrollment/credential-directory.js";
import { AdminDesk } from "./admin-desk.js";
import { BackupDesk } from "./backup-desk.js";
import { Closers } from "./closers.js";
import { DataDir } from "./data-dir.js";
import { DeviceSide } from "./device-side.js";
import { OutageEstimate } from "./outage-estimate.js";
import { RATE_STEP_MS, RateSeries } from "./rate-series.js";
import { devicesUrl, type ReadyFacts, readyFacts } from "./ready-facts.js";
import type { PulseSource } from "./service-pulse.js";
import { pulseOf } from "./service-status.js";
import { SinkSet } from "./sink-set.js";
import { makeSink } from "./sinks.js";
import { openStore, type Store } from "./store.js";
import type { GatewayWorld } from "./world.js";

/** How long devices and the broker get to take their leave. */
const LEAVE_GRACE_MS = 1500;

/** One running gateway; made by `start`, ended by `stop`. */
export class Gateway {
  readonly #loaded: LoadedConfig;
  readonly #world: GatewayWorld;
  readonly #closers: Closers;
  #reload: () => Promise<void> = () => Promise.resolve();
  #pulse: PulseSource | null = null;
  #facts: ReadyFacts | null = null;
  #admin: AdminServer | null = null;
  #adminPort: number | null = null;

  private constructor(loaded: LoadedConfig, world: GatewayWorld) {
    this.#loaded = loaded;
    this.#world = world;
    this.#closers = new Closers(world.log);
  }

  /** Start everything; when a step fails, what was started is stopped again and the step's GatewayError thrown. */
  static async start(loaded: LoadedConfig, world: GatewayWorld): Promise<Gateway> {
    const gateway = new Gateway(loaded, world);
    try {
      await gateway.#start();
      return gateway;
    } catch (thrown) {
      await gateway.stop();
      throw asGatewayError(thrown);
    }
  }

  /** What the first screen and gateway.json say. */
  get facts(): ReadyFacts {
    if (this.#facts === null) throw new TypeError("the gateway is not ready");
    return this.#facts;
  }

  /** For the service manager: does the storage work, and what is there to say. */
  get pulse(): PulseSource {
    if (this.#pulse === null) throw new TypeError("the gateway is not ready");
    return this.#pulse;
  }

  /** A link that logs one browser in, once. */
  loginLink(): string {
    return this.#admin?.loginLink() ?? "";
  }

  /** Read the certificates of both listeners again, for later connections. A failure is logged and changes nothing. */
  async reload(): Promise<void> {
    await this.#reload();
  }

  /** Stop in order. Calling it twice is harmless. */
  async stop(): Promise<void> {
    await this.#closers.closeAll();
  }

  async #start(): Promise<void> {
    const { config } = this.#loaded;
    const { clock, random, log } = this.#world;
    const dataDir = DataDir.open(config.gateway.dataDir);
    this.#closers.add("data folder", () => dataDir.release());
    const tlsFacts = { random, clock, hostname: hostname(), addresses: machineAddresses() };
    const devicesTls = await loadTls(config, tlsFacts);
    const adminTls = await loadAdminTls(config, tlsFacts);
    const [store, { AdminServer }] = await this.#openStoreBesideAdmin();
    this.#closers.add("store", () => store.close());
    const credentials = await CredentialDirectory.open(store.identities, random);
    const sinks = new SinkSet(store.spool, store.reader);
    const outage = new OutageEstimate(clock.monoMs());
    const devices = new DeviceSide({
      config,
      tls: devicesTls,
      store,
      credentials,
      world: this.#world,
      bootId: store.bootId,
    });
    const desk = this.#makeDesk({ store, credentials, sinks, outage, devices, devicesTls });
    this.#connect({ devices, desk, sinks, outage });
    credentials.onEnded((device, reason) => {
      if (reason === "forgotten") sinks.forgotten(device);
    });

    const admin = new AdminServer(this.#adminOptions(desk, adminTls, { dataDir, bootId: store.bootId }));
    this.#admin = admin;
    // Registered before it listens: a failed start must free the port as well.
    const adminPort = await admin.listen();
    this.#adminPort = adminPort;
    this.#closers.add("admin", () => admin.stop());
    this.#closers.add("sinks", () => sinks.stop());
    await this.#addSinks(sinks, store, devices);
    this.#closers.add("devices", async () => {
      desk.setHealth("stopping");
      await devices.stop(LEAVE_GRACE_MS);
    });
    await devices.start();
    await admin.follow();
    desk.setHealth("ok");
    this.#facts = readyFacts(config, { admin, adminPort, devicesPort: devices.port, devicesTls });
    const isAnnounced = dataDir.announce({
      url: admin.url,
      pid: process.pid,
      gatewayId: config.gateway.id,
      version: this.#world.version,
      devicesUrl: this.#facts.devicesUrl,
      devicesPort: devices.port,
      adminPort,
      startedAt: new Date(clock.unixMs()).toISOString(),
    });
    if (!isAnnounced) {
      log.warn({ fix: "make space; until then use --url" }, "the disk is full: gateway.json could not be written");
    }
    this.#reload = () => this.#reloadTls({ devices, admin }, tlsFacts);
    this.#pulse = pulseOf(store, desk);
    log.debug({ sinks: sinks.count, devices: credentials.count }, "the gateway is ready");
  }

  async #addSinks(sinks: SinkSet, store: Store, devices: DeviceSide): Promise<void> {
    const { config } = this.#loaded;
    const world = this.#world;
    const cursors = await store.spool.openSinks(config.sinks);
    const { lastRecordId, sinks: places } = await store.spool.status();
    for (const { sink, orphaned, backlogCount } of places) {
      if (!orphaned || backlogCount === 0) continue;
      const fix = `configure it again to go on, or \`tidegate sink forget ${sink}\``;
      world.log.warn(
        { sink, backlogCount, fix },
        "a sink left the configuration; what it had not taken is kept no longer",
      );
    }
    for (const sink of config.sinks) {
      const from = cursors.get(sink.name) ?? 0;
      sinks.add(sink.name, makeSink(sink, { config, store, world, submit: devices.submit, from, lastRecordId }));
    }
  }

  #makeDesk(parts: {
    store: Store;
    credentials: CredentialDirectory;
    sinks: SinkSet;
    outage: OutageEstimate;
    devices: DeviceSide;
    devicesTls: TlsMaterial | null;
  }): AdminDesk {
    const { config } = this.#loaded;
    const { store, devices } = parts;
    const eventLoop = watchEventLoop();
    this.#closers.add("event loop watch", () => eventLoop.stop());
    return new AdminDesk({
      gatewayId: config.gateway.id,
      version: this.#world.version,
      clock: this.#world.clock,
      metrics: this.#world.metrics,
      spool: store.spool,
      reader: store.reader,
      identities: store.identities,
      credentials: parts.credentials,
      sessions: devices.registry,
      commands: devices.commands,
      submit: devices.submit,
      sinks: parts.sinks,
      history: store.history,
      backup: new BackupDesk({
        dataDir: config.gateway.dataDir,
        configFile: this.#loaded.file,
        gatewayId: config.gateway.id,
        version: this.#world.version,
        clock: this.#world.clock,
        copyStores: (folder) => store.backup(folder),
      }),
      outage: parts.outage,
      eventLoop,
      ackedRates: this.#watchAcked(),
      config: {
        file: this.#loaded.file,
        effective: effectiveTree(this.#loaded),
        sources: this.#loaded.sources,
      },
      logRing: this.#world.logRing,
      invitation: () => ({ url: devicesUrl(config, devices.port, parts.devicesTls), ca: parts.devicesTls?.ca ?? null }),
      serial: async () => ({ lines: devices.serialStatus(), ports: await devices.serialPorts() }),
      ports: () => ({ devices: devices.port, admin: this.#adminPort }),
    });
  }

  /** What was acknowledged lately, counted from now on whether somebody looks or not. */
  #watchAcked(): () => AckedRates {
    const { clock, metrics } = this.#world;
    const rates = new RateSeries(() => metrics.read("records_stored"), clock.monoMs());
    this.#closers.add(
      "rates",
      repeat(clock, RATE_STEP_MS, () => rates.sample(clock.monoMs())),
    );
    return () => ({ stepMs: RATE_STEP_MS, perSecond: rates.values() });
  }

  /** News from the device side to those who want it. */
  #connect(parts: { devices: DeviceSide; desk: AdminDesk; sinks: SinkSet; outage: OutageEstimate }): void {
    const { devices, desk, sinks, outage } = parts;
    devices.onCommitted(({ lastRecordId, bytes }) => {
      outage.stored(bytes, this.#world.clock.monoMs());
      sinks.committed(lastRecordId);
      desk.committed(lastRecordId);
    });
    devices.onPresence(({ device, presence }) => {
      sinks.presenceChanged(device, presence);
      desk.presenceChanged(device);
    });
    devices.onCommand((record) => desk.commandChanged(record));
    desk.onEvent((event) => sinks.observe(event));
  }

  /** The packages of the admin are a third of what a start has to read: they load while the store opens its files. */
  #openStoreBesideAdmin() {
    return Promise.all([openStore(this.#loaded.config, this.#world), import("../admin/admin-server.js")]);
  }

  #adminOptions(
    desk: AdminDesk,
    tls: TlsMaterial | null,
    kept: { dataDir: DataDir; bootId: string },
  ): AdminServerOptions {
    const { config } = this.#loaded;
    const { clock, random, metrics, log, webDir } = this.#world;
    const { listen } = config.admin;
    return {
      host: desk,
      listenHost: listen.host,
      port: listen.port,
      names: [...config.admin.names, hostname(), `${hostname()}.local`, ...machineAddresses()],
      tls: tls === null ? (this.#loaded.tree.admin.tls === "off" ? "off" : null) : { key: tls.key, cert: tls.cert },
      adminToken: kept.dataDir.adminToken(this.#world.isService === true ? "group" : "owner"),
      sessions: { bootId: kept.bootId, shelf: fileShelf(kept.dataDir.file("admin.sessions")) },
      loginLimits: {
        sessionMs: config.admin.sessionMs,
        sessionsMax: config.admin.sessionsMax,
        loginCodeMs: config.admin.loginCodeMs,
        failuresPerMinute: config.admin.loginsPerMinute,
      },
      liveLimits: { viewersMax: config.admin.viewersMax },
      webDir,
      clock,
      random,
      metrics,
      log,
    };
  }

  async #reloadTls(
    { devices, admin }: { devices: DeviceSide; admin: AdminServer },
    facts: Parameters<typeof loadTls>[1],
  ): Promise<void> {
    try {
      const { config } = this.#loaded;
      const now = { ...facts, addresses: machineAddresses() };
      const [devicesTls, adminTls] = [await loadTls(config, now), await loadAdminTls(config, now)];
      if (devicesTls !== null) devices.reload(devicesTls);
      if (adminTls !== null) admin.reload(adminTls);
      this.#world.log.info({}, "certificates read again");
    } catch (thrown) {
      const error = asGatewayError(thrown);
      this.#world.log.error({ code: error.code, why: error.why, fix: error.fix }, "certificates not read again");
    }
  }
}
