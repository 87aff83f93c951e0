/** A sink on a fake broker, a fake spool and a manual clock, ready to be started. */
import { SILENT } from "../../core/log.js";
import { Metrics } from "../../core/metrics.js";
import { ManualClock } from "../../core/testing/manual-clock.js";
import { SeededRandom } from "../../core/testing/seeded-random.js";
import type { AskedCommand } from "../../model/command.js";
import type { MqttSinkOptions } from "../mqtt-options.js";
import { MqttSink, type MqttSinkDeps } from "../mqtt-sink.js";
import { FakeBroker, type FakeBrokerOptions } from "./fake-broker.js";
import { FakeSpool } from "./fake-spool.js";

export interface SinkBench {
  readonly sink: MqttSink;
  readonly broker: FakeBroker;
  readonly spool: FakeSpool;
  readonly clock: ManualClock;
  readonly metrics: Metrics;
  readonly submitted: AskedCommand[];
}

export function sinkBench(
  broker: Partial<FakeBrokerOptions> = {},
  options: Partial<MqttSinkOptions> = {},
  deps: Partial<MqttSinkDeps> = {},
): SinkBench {
  const fake = new FakeBroker(broker);
  const spool = new FakeSpool();
  const clock = new ManualClock();
  const metrics = new Metrics();
  const submitted: AskedCommand[] = [];
  const submit = async (command: AskedCommand): Promise<void> => {
    submitted.push(command);
  };
  const sink = new MqttSink(
    { name: "broker", gatewayId: "gw", url: "mqtt://broker.lan", ...options },
    {
      ...{ reader: spool, spool, cursor: 0, submit, clock, metrics, log: SILENT },
      ...{ random: new SeededRandom(7), dial: fake.dial },
      ...deps,
    },
  );
  return { sink, broker: fake, spool, clock, metrics, submitted };
}
