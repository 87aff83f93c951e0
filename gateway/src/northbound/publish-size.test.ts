/** The size that is compared with the broker's limit is the size that is sent; the id is the one that was rendered. */
import fc from "fast-check";
import { generate } from "mqtt-packet";
import { expect, test } from "vitest";
import { RecordKind, type StoredRecord } from "../model/record.js";
import { Renderer } from "../telemetry/render.js";
import { messageIdOf, publishBytes } from "./publish-size.js";

test("it is the size of the packet that mqtt-packet writes", () => {
  const text = (maxLength: number) => fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength });
  fc.assert(
    fc.property(text(150), fc.nat(20_000), text(150), (topic, payloadBytes, id) => {
      const payload = Buffer.alloc(payloadBytes);
      const properties = { userProperties: { id } };
      const packet = {
        cmd: "publish" as const,
        topic,
        payload,
        qos: 1 as const,
        messageId: 1,
        dup: false,
        retain: false,
      };
      const written = generate({ ...packet, properties }, { protocolVersion: 5 });
      expect(publishBytes(topic.length, payloadBytes, id)).toBe(written.length);
    }),
    { numRuns: 200 },
  );
});

test.each<[string, Partial<StoredRecord>, unknown]>([
  ["gw/attic-7/9/4", { kind: RecordKind.telemetry }, null],
  ["gw/attic-7/9/gap/4-6-evicted", { kind: RecordKind.gap }, { fromSeq: 4, toSeq: 6, reason: "evicted", sink: null }],
  [
    "gw/attic-7/cmd/cmd_1/failed",
    { kind: RecordKind.commandOutcome },
    { commandId: "cmd_1", name: "fan", state: "failed" },
  ],
])("the id of a rendered payload is %s", (id, more, body) => {
  const bytes = body === null ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body));
  const base = {
    id: 1,
    device: "attic-7",
    epoch: 9,
    seq: 4,
    kind: RecordKind.telemetry,
    catalog: 0,
    accuracy: 0 as const,
  };
  const rendered = new Renderer("gw").render({ ...base, receivedUnixMs: 1, baseUnixMs: 1, body: bytes, ...more }, null);
  expect(messageIdOf(Buffer.from(rendered?.payload ?? ""))).toBe(id);
});
