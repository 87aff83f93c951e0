/**
 * The tables: codes, limits, operations and error meanings are what the schema and PROTOCOL.md say they are.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import {
  CLOSE_CODE,
  CommandState,
  commandStateName,
  Kind,
  RETRY_ADVICE,
  Reason,
  reasonName,
  reasonOfCloseCode,
  Type,
  toCommandState,
  toKind,
  toReason,
  toType,
} from "./codes.js";
import { DECODE_ERROR_MEANING } from "./decode-error.js";
import * as limits from "./limits.js";
import { FIELDS_PER_MESSAGE, Op, SCHEMA } from "./schema.js";
import { catalogVectors, downlinkVectors, invalidVectors, streamVectors, uplinkVectors } from "./testing/vectors.js";

const folder = fileURLToPath(new URL("..", import.meta.url));
const protocol = readFileSync(`${folder}PROTOCOL.md`, "utf8");
const schema = protobuf.parse(readFileSync(`${folder}tidegate/device/v1/device.proto`, "utf8")).root;
const messages = schema.lookup("tidegate.device.v1") as protobuf.Namespace;

/** The cells of every table row of PROTOCOL.md. */
const rows = protocol
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("`", "")),
  );

describe("codes", () => {
  it.each([
    ["Reason", "REASON", Reason],
    ["Type", "TYPE", Type],
    ["Kind", "KIND", Kind],
    ["CommandState", "COMMAND_STATE", CommandState],
  ] as const)("%s has the names and numbers of the schema", (name, prefix, codes) => {
    const inSchema = schema.lookupEnum(`tidegate.device.v1.${name}`).values;
    const ours = Object.entries(codes).map(([key, value]) => [`${prefix}_${key}`, value]);
    expect(Object.fromEntries(ours)).toEqual(inSchema);
    expect(Object.values(codes)).toEqual(Object.values(codes).map((_, i) => i));
  });

  it("[P-30] [P-31] every reason has the number, advice and close code that PROTOCOL.md lists", () => {
    const listed = rows.filter((row) => row.length === 5 && /^\d+$/.test(row[1] ?? ""));
    const ours = Object.values(Reason).map((reason) => [
      reasonName(reason),
      `${reason}`,
      RETRY_ADVICE[reason],
      `${CLOSE_CODE[reason]}`,
    ]);
    expect(listed.map((row) => row.slice(0, 4))).toEqual(ours);
  });

  it("[P-31] a close code leads back to its reason, and foreign ones to none", () => {
    for (const reason of Object.values(Reason)) expect(reasonOfCloseCode(CLOSE_CODE[reason])).toBe(reason);
    for (const code of [0, 1000, 1006, 3999, 4019, 4999, Number.NaN]) expect(reasonOfCloseCode(code)).toBe(0);
  });

  it("[P-32] a code this version does not know is unspecified", () => {
    for (const code of [-1, 19, 255, 2 ** 31, 1.5, Number.NaN]) {
      expect([toReason(code), toType(code), toKind(code), toCommandState(code)]).toEqual([0, 0, 0, 0]);
    }
    expect([toReason(18), toType(8), toKind(6), toCommandState(7)]).toEqual([18, 8, 6, 7]);
  });

  it("names are lower case with underscores", () => {
    expect(reasonName(Reason.STORAGE_FULL)).toBe("storage_full");
    expect(commandStateName(CommandState.SUCCEEDED)).toBe("succeeded");
  });
});

describe("the schema table", () => {
  const ops = new Map<string, number[]>([
    ["uint32", [Op.U32, Op.SEQ, Op.GAP, Op.BASE_UPTIME, Op.LOG_UPTIME, Op.DT]],
    ["uint64", [Op.U53, Op.BASE_UNIX]],
    ["sint32", [Op.S32, Op.INTS]],
    ["sint64", [Op.LONGS]],
    ["fixed32", [Op.FIXED32, Op.NONCE]],
    ["bool", [Op.BOOL]],
    ["float", [Op.FLOATS]],
    ["double", [Op.DOUBLE, Op.DOUBLES]],
    ["string", [Op.TEXT, Op.OPTION, Op.TEXTS]],
    ["bytes", [Op.BYTES, Op.BLOBS]],
    ["Reason", [Op.ENUM]],
    ["Type", [Op.ENUM]],
    ["Kind", [Op.ENUM]],
    ["CommandState", [Op.ENUM]],
    ["Series", [Op.SERIES]],
    ["Signal", [Op.SIGNAL]],
    ["CommandSpec", [Op.COMMAND_SPEC]],
  ]);

  it("has every message and every field of the schema, with an operation that fits the type", () => {
    const inSchema = messages.nestedArray.filter((item) => item instanceof protobuf.Type);
    expect(SCHEMA.map((message) => message.name).sort()).toEqual(inSchema.map((type) => type.name).sort());
    for (const { name, fields } of SCHEMA) {
      const type = messages.lookupType(name);
      expect(fields.map(([number, field]) => [number, field])).toEqual(type.fieldsArray.map((f) => [f.id, f.name]));
      for (const [, field, op, argument] of fields) {
        const wanted = ops.get(type.fields[field]?.type ?? "") ?? [Op.BODY];
        expect(wanted, `${name}.${field}`).toContain(op);
        if (op === Op.BODY) expect(SCHEMA[argument ?? -1]?.name).toBe(type.fields[field]?.type);
      }
    }
  });

  it("fits its flat form: field numbers below 32", () => {
    for (const { fields } of SCHEMA) for (const [number] of fields) expect(number).toBeLessThan(FIELDS_PER_MESSAGE);
  });

  it("[P-33] nests no deeper than DEPTH_MAX", () => {
    const depthOf = (name: string): number => {
      const children = messages.lookupType(name).fieldsArray.map((field) => field.type);
      const nested = children.filter((child) => SCHEMA.some((message) => message.name === child));
      return 1 + Math.max(0, ...nested.map(depthOf));
    };
    expect(depthOf("Uplink")).toBe(limits.DEPTH_MAX);
    expect(depthOf("Downlink")).toBeLessThanOrEqual(limits.DEPTH_MAX);
  });
});

describe("PROTOCOL.md", () => {
  it("has every rule from [P-1] on, once, and every vector cites one of them", () => {
    const defined = [...protocol.matchAll(/^\*\*\[P-(\d+)\]/gm)].map((match) => Number(match[1]));
    const sorted = [...defined].sort((a, b) => a - b);
    expect(sorted).toEqual(sorted.map((_, i) => i + 1));
    const vectors = [...uplinkVectors, ...downlinkVectors, ...invalidVectors, ...catalogVectors, ...streamVectors];
    for (const { rule } of vectors) if (rule !== undefined) expect(protocol).toContain(`**[${rule}]`);
  });

  it("[P-29] lists every decode error with its meaning", () => {
    for (const [code, meaning] of Object.entries(DECODE_ERROR_MEANING)) expect(rows).toContainEqual([code, meaning]);
  });

  it("[P-33] lists the limits that the code has", () => {
    const listed = rows.map((row) => row.join(" ").replaceAll(",", "")).join("\n");
    const numbers = [
      limits.MESSAGE_BYTES_MAX,
      limits.SERIAL_MESSAGE_BYTES_MAX,
      limits.MAX_RX_BYTES_MIN,
      limits.SERIES_PER_TELEMETRY_MAX,
      limits.SAMPLES_PER_MESSAGE_MAX,
      limits.SIGNALS_PER_CATALOG_MAX,
      limits.COMMANDS_PER_CATALOG_MAX,
      limits.CATALOG_PARTS_MAX,
      limits.CATALOG_BYTES_MAX,
      limits.OPTIONS_PER_SIGNAL_MAX,
      limits.NAME_BYTES_MAX,
      limits.LABEL_BYTES_MAX,
      limits.DETAIL_BYTES_MAX,
      limits.LOG_TEXT_BYTES_MAX,
      limits.TEXT_VALUE_BYTES_MAX,
      limits.PROOF_BYTES_MAX,
      limits.PAYLOAD_BYTES_MAX,
    ];
    for (const number of numbers) expect(listed).toMatch(new RegExp(`\\b${number}\\b`));
    expect(protocol).toContain(limits.NAME_PATTERN.source);
    expect(protocol).toContain(`0x${limits.SEQ_DRAIN_AT.toString(16).toUpperCase()}`);
  });
});

describe("[P-34] names", () => {
  it.each(["a", "A9", "green-house_1", "0", "x".repeat(63)])("%s is a name", (text) => {
    expect(limits.isName(text)).toBe(true);
  });
  it.each(["", "-a", "_a", "a b", "a/b", "a#", "a+", "ä", "a\n", "a.b", "x".repeat(64)])("%j is none", (text) => {
    expect(limits.isName(text)).toBe(false);
  });
});
