// A stand-in for the gateway and for the simulator in the tests of `npm start`: it keeps their side of the contract.
//
//   argv: "run" …  → reports ready over IPC        argv: "demo" --data-dir DIR  → the simulator
//   both: write what happens to $FAKE_LOG; end on SIGTERM with $FAKE_EXIT (default 0), or when the channel closes
//   $FAKE_STUBBORN=1: SIGTERM is ignored

import { appendFileSync } from "node:fs";

const role = process.argv[2] === "demo" ? "sim" : "gateway";
const note = (text) => appendFileSync(process.env.FAKE_LOG, `${role} ${text}\n`);

note(`started ${process.pid} ${process.argv.slice(3).join(" ")}`.trimEnd());
process.on("disconnect", () => {
  note("channel closed");
  process.exit(0);
});
process.on("SIGTERM", () => {
  note("SIGTERM");
  if (process.env.FAKE_STUBBORN === "1") return;
  process.exit(Number(process.env.FAKE_EXIT ?? 0));
});
if (role === "gateway") process.send({ type: "ready", dataDir: "/fake/data" });
if (process.env.FAKE_GATEWAY_EXITS === "1" && role === "gateway") setTimeout(() => process.exit(78), 200);
setInterval(() => {}, 1_000);
