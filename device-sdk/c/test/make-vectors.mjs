// make-vectors.mjs -- turns proto/vectors/*.json into vectors.h, so that the C edition runs the same golden vectors.
//
// Usage: node make-vectors.mjs PROTO_VECTORS_DIR > vectors.h
//
// A message becomes a list of writer calls, derived from its *meaning* and the schema below, never from its bytes: the
// test plays the calls on the SDK's writer and compares with the golden hex, and reads the hex with the SDK's reader and
// compares with the calls. What a device never writes (64-bit numbers, doubles) is only read.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Field tables: name, number, kind. `kinds` the SDK cannot write are listed in READ_ONLY. */
const SCHEMA = {
  hello:
    "protocol:1:u deviceId:2:t bootNonce:3:x attempt:4:u epoch:5:x nextSeq:6:u oldest:7:u ackedSeq:8:u uptimeMs:9:u maxRxBytes:10:u catalogHash:11:x firmware:12:t model:13:t sleepMs:14:u lastCommand:15:u outboxFrames:16:u proof:17:b closing:18:u",
  heartbeat: "uptimeMs:1:u unixMs:2:U ping:3:u nextSeq:4:u oldest:5:u",
  telemetry: "base:0:base series:3:*series bootNonce:4:x",
  series: "signal:1:u dtMs:2:packed periodUs:3:u quality:4:u values:0:values",
  commandUpdate: "id:1:u state:2:u result:3:b error:4:t",
  catalog: "hash:1:x part:2:u parts:3:u signals:4:*signal commands:5:*commandSpec",
  signal:
    "id:1:u key:2:t name:3:t type:4:u unit:5:t deviceClass:6:t kind:7:u scale:8:s intervalMs:9:u min:10:d max:11:d options:12:*t",
  commandSpec: "code:1:u name:2:t atMostOnce:3:u argsHint:4:t",
  bye: "reason:1:u retryAfterMs:2:u detail:3:t",
  log: "uptimeMs:1:u level:2:u text:3:t",
  welcome:
    "attempt:1:u bootNonce:2:x epoch:3:x ackedSeq:4:u keepaliveMs:5:u window:6:u unixMs:7:U wantCatalog:8:u maxUplinkBytes:9:u",
  ack: "seq:1:u",
  nack: "expected:1:u reason:2:u retryAfterMs:3:u",
  command: "id:1:u code:2:u name:3:t args:4:b deadlineUptimeMs:5:u atMostOnce:6:u",
  flow: "window:1:u",
  sayHello: "",
};
const UPLINK = { hello: 3, heartbeat: 4, telemetry: 5, commandUpdate: 6, catalog: 7, bye: 8, log: 9 };
const DOWNLINK = { welcome: 1, ack: 2, nack: 3, heartbeat: 4, command: 5, flow: 6, bye: 7, sayHello: 8 };

class ReadOnly extends Error {}

const bytesOf = (value) =>
  typeof value === "string" && value.startsWith("hex:")
    ? Buffer.from(value.slice(4), "hex")
    : Buffer.from(value, "utf8");
const floatOf = (value) => (typeof value === "string" ? Number(value.replace("float:", "")) : value);
const zigzag = (value) => ((value << 1) ^ (value >> 31)) >>> 0;

/** Appends the calls for one scalar field. */
function scalar(ops, kind, number, value) {
  if (kind === "u") ops.push(["U32", number, Number(value)]);
  else if (kind === "s") ops.push(["U32", number, zigzag(value)]);
  else if (kind === "x") ops.push(["FIXED32", number, value]);
  else if (kind === "t" || kind === "b") ops.push(["BYTES", number, bytesOf(value)]);
  else if (kind === "U") {
    if (value !== 0) throw new ReadOnly("64-bit number");
  } else if (kind === "d") {
    if (floatOf(value) !== 0 || Object.is(floatOf(value), -0)) throw new ReadOnly("double");
  } else throw new Error(`kind ${kind}`);
}

function packed(ops, number, values, one) {
  if (values.length === 0) return;
  ops.push(["BEGIN", number, 0]);
  for (const value of values) one(value);
  ops.push(["END", 0, 0]);
}

/** The one column of a series. */
function column(ops, { kind, ...rest }) {
  if (kind === "none") return;
  const values = rest[kind];
  if (kind === "ints") packed(ops, 5, values, (v) => ops.push(["VARINT", 0, zigzag(v)]));
  else if (kind === "floats") {
    packed(ops, 6, values, (v) => {
      const bits = Buffer.alloc(4);
      bits.writeFloatLE(floatOf(v));
      ops.push(["LE32", 0, bits.readUInt32LE()]);
    });
  } else if (kind === "texts" || kind === "blobs") {
    for (const value of values) {
      ops.push(["BEGIN", kind === "texts" ? 9 : 10, 0], ["RAW", 0, bytesOf(value)], ["END", 0, 0]);
    }
  } else throw new ReadOnly(kind);
}

function base(ops, value) {
  if (value.kind === "unix") throw new ReadOnly("unix base");
  if (value.kind === "uptime") ops.push(["BYTE", 0, 8], ["VARINT", 0, value.uptimeMs]);
}

function message(ops, type, value) {
  for (const field of SCHEMA[type].split(" ").filter(Boolean)) {
    const [name, number, kind] = field.split(":");
    const v = value[name];
    if (kind === "base") base(ops, v);
    else if (kind === "values") column(ops, v);
    else if (kind === "packed") packed(ops, +number, v, (x) => ops.push(["VARINT", 0, x]));
    else if (kind.startsWith("*")) for (const item of v) nested(ops, kind.slice(1), +number, item);
    else scalar(ops, kind, +number, v);
  }
}

function nested(ops, type, number, value) {
  ops.push(["BEGIN", number, 0]);
  if (type === "t") ops.push(["RAW", 0, bytesOf(value)]);
  else message(ops, type, value);
  ops.push(["END", 0, 0]);
}

/** The writer calls of a vector, or null when a device never writes such a message. */
function calls(vector, uplink) {
  const { meaning } = vector;
  const body = uplink ? meaning.body : meaning;
  if (vector.decodeOnly || body === null) return null;
  const ops = [];
  try {
    if (uplink) ops.push(["U32", 1, meaning.seq], ["U32", 2, meaning.gap]);
    nested(ops, body.kind, (uplink ? UPLINK : DOWNLINK)[body.kind], body[body.kind] ?? {});
  } catch (error) {
    if (error instanceof ReadOnly) return null;
    throw error;
  }
  return ops;
}

const cString = (text) => JSON.stringify(text.replace(/[^\x20-\x7e]/g, "?")).replaceAll("??", "? ?");
const cBytes = (bytes) => (bytes.length === 0 ? "{0}" : `{${[...bytes].join(",")}}`);

let counter = 0;
const out = [];
/** Declares bytes and returns `name, length`. */
function declare(bytes) {
  const name = `v${counter++}`;
  out.push(`static const uint8_t ${name}[] = ${cBytes(bytes)};`);
  return `${name}, ${bytes.length}`;
}

function declareCalls(ops) {
  const list = ops.map(([op, number, value]) =>
    typeof value === "number"
      ? `{OP_${op}, ${number}, ${value}u, NULL, 0}`
      : `{OP_${op}, ${number}, 0, ${declare(value)}}`,
  );
  const name = `c${counter++}`;
  out.push(`static const vector_call ${name}[] = {${list.join(", ")}};`);
  return `${name}, ${list.length}`;
}

const dir = process.argv[2];
const load = (file) => JSON.parse(readFileSync(join(dir, file), "utf8"));
const table = (type, name, rows) =>
  out.push(`static const ${type} ${name}[] = {`, ...rows.map((r) => `    {${r}},`), "};");

for (const [file, uplink] of [
  ["uplink", true],
  ["downlink", false],
]) {
  const rows = load(`${file}.json`).map((vector) => {
    const ops = calls(vector, uplink);
    return `${cString(vector.name)}, ${declare(Buffer.from(vector.hex, "hex"))}, ${ops ? declareCalls(ops) : "NULL, 0"}`;
  });
  table("vector_message", `vectors_${file}`, rows);
}
table(
  "vector_invalid",
  "vectors_invalid",
  load("invalid.json").map(
    (v) => `${cString(v.name)}, ${declare(Buffer.from(v.hex, "hex"))}, ${cString(v.error)}, ${v.link === "downlink"}`,
  ),
);
table(
  "vector_stream",
  "vectors_stream",
  load("stream.json").map((v) => {
    const messages = v.messages.map((hex) => Buffer.from(hex, "hex"));
    const flat = Buffer.concat(messages.flatMap((m) => [Buffer.from([m.length >> 8, m.length & 255]), m]));
    const bad = v.stats.crcErrors + v.stats.oversized + v.stats.noise;
    const limit = v.messageBytesMax ?? 1024;
    return `${cString(v.name)}, ${declare(Buffer.from(v.wire, "hex"))}, ${declare(flat)}, ${bad}, ${limit}, ${v.decodeOnly === true}`;
  }),
);
table(
  "vector_catalog",
  "vectors_catalog",
  load("catalog.json").map(
    (v) => `${cString(v.name)}, ${declare(Buffer.from(v.parts[0], "hex"))}, ${v.hash}u, ${v.parts.length}`,
  ),
);
process.stdout.write(`/* Made by make-vectors.mjs from proto/vectors. */\n${out.join("\n")}\n`);
