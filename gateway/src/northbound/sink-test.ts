/**
 * `sink test`: one connection of its own that tries each thing the sink needs, in order, and says where it ends.
 *
 *   connect ──▶ login ──▶ publish ──▶ subscribe        a step that fails ends the test
 */
import type { Clock } from "../core/clock.js";
import { reasonText } from "./connack-failure.js";
import type { ConnectionOptions } from "./connect-handshake.js";
import type { Dial } from "./dial.js";
import { MqttConnection } from "./mqtt-connection.js";

export interface SinkTestStep {
  readonly step: "connect" | "login" | "publish" | "subscribe";
  readonly ok: boolean;
  /** One sentence: what was seen, or what failed and what to do. */
  readonly detail: string;
}

/**
 * @param options of the connection; a client id of its own, so that the sink's session is not taken over.
 * @param topicHead `tidegate/<gw>/`; the probe goes to `test` below it, not retained.
 * @param filter what the sink would subscribe to.
 * @returns the steps that were tried. Never rejects.
 */
export async function testSink(
  options: ConnectionOptions,
  topicHead: string,
  filter: string,
  deps: { readonly clock: Clock; readonly dial: Dial },
): Promise<readonly SinkTestStep[]> {
  const first = await attempt(options, topicHead, filter, deps);
  if (!first.shouldFallBack || options.version === 4) return first.steps;
  return (await attempt({ ...options, version: 4 }, topicHead, filter, deps)).steps;
}

interface Attempt {
  readonly steps: readonly SinkTestStep[];
  /** The broker knows no MQTT 5. */
  readonly shouldFallBack: boolean;
}

function attempt(
  options: ConnectionOptions,
  topicHead: string,
  filter: string,
  deps: { readonly clock: Clock; readonly dial: Dial },
): Promise<Attempt> {
  return new Promise((resolve) => {
    const steps: SinkTestStep[] = [];
    let next: SinkTestStep["step"] = "connect";
    const passed = (then: SinkTestStep["step"], detail: string) => {
      steps.push({ step: next, ok: true, detail });
      next = then;
    };
    const end = (ok: boolean, detail: string, shouldFallBack = false) => {
      cancel();
      steps.push({ step: next, ok, detail });
      resolve({ steps, shouldFallBack });
      connection.close();
    };
    const { host, port, tls } = options.target;
    const connection = new MqttConnection(options, deps, {
      up(session) {
        passed("login", `${host}:${port} is open${tls === null ? "" : ", TLS agreed"}`);
        passed("publish", `MQTT ${session.version === 5 ? "5" : "3.1.1"}, ${session.window} messages in flight`);
        const probe = { topic: `${topicHead}test`, payload: "{}", retain: false };
        connection.publish(probe, { acked: (_token, code) => published(code) }, 0);
        connection.flush();
      },
      down(failure) {
        const isVersion = failure.kind === "version" || failure.kind === "silentClose";
        if (next === "connect" && connection.wasReady) passed("login", `${host}:${port} is open`);
        end(false, `${failure.why}: ${failure.fix}`, isVersion);
      },
      room() {},
      message() {},
      subscribed(granted) {
        const code = granted[0] ?? 0x80;
        end(code < 0x80, code < 0x80 ? filter : `the broker refused ${filter}: ${reasonText(code)}`);
      },
    });
    function published(code: number): void {
      if (code >= 0x80) {
        end(false, `the broker refused ${topicHead}test: ${reasonText(code)}`);
        return;
      }
      passed("subscribe", `${topicHead}test was taken`);
      connection.subscribe(filter);
      connection.flush();
    }
    const cancel = deps.clock.after(2 * options.connectTimeoutMs, () =>
      end(false, "the broker did not answer in time"),
    );
  });
}
