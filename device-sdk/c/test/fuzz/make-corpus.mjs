// make-corpus.mjs -- the inputs every fuzzer begins with: what a gateway says, from the golden vectors of proto.
//
//   node test/fuzz/make-corpus.mjs VECTORS_FOLDER OUT_FOLDER      writes OUT_FOLDER/<fuzzer>/NNN
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [vectors, out] = process.argv.slice(2);
const read = (file) => JSON.parse(readFileSync(join(vectors, file), "utf8"));
const bytes = (hex) => [...Buffer.from(hex, "hex")];
const messages = [...read("downlink.json"), ...read("invalid.json")]
  .map((vector) => bytes(vector.hex))
  .filter((message) => message.length > 0 && message.length < 120);

const response = (lines) => [...Buffer.from(`${lines.join("\r\n")}\r\n\r\n`)];
/** The proof for the harness's draw, 0x01020304: four bits a character, 21 of them. */
const key = "ABACADAEABACADAEABACAA==";
const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
const upgrade = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: keep-alive, Upgrade",
  `Sec-WebSocket-Accept: ${accept}`,
  "Sec-WebSocket-Protocol: tidegate.v1",
];

const corpora = {
  message: messages.map((message) => [message.length, ...message]),
  serial: [
    ...messages.map((message) => [1, message.length, ...message]),
    ...read("stream.json").map((vector) => [0, ...bytes(vector.wire ?? vector.hex ?? "")]),
  ],
  websocket: [
    ...messages.map((message) => [0x82, message.length, ...message]),
    [0x89, 2, 1, 2], // ping
    [0x88, 2, 0x0f, 0xa3], // close, 4003
    [0x02, 1, 0x12, 0x80, 3, 2, 8, 1], // in two fragments
    [0x82, 126, 0, 4, 0x12, 2, 8, 1],
  ],
  upgrade: [
    response(upgrade),
    response([...upgrade, "Sec-WebSocket-Extensions: permessage-deflate"]),
    response(["HTTP/1.1 401 Unauthorized"]),
    response(["HTTP/1.1 503 Busy", "Retry-After: 40"]),
  ],
};

for (const [fuzzer, inputs] of Object.entries(corpora)) {
  mkdirSync(join(out, fuzzer), { recursive: true });
  inputs.forEach((input, i) => {
    writeFileSync(join(out, fuzzer, String(i).padStart(3, "0")), Uint8Array.from(input.slice(0, 256)));
  });
}
