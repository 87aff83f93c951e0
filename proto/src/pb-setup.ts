/**
 * Makes protobufjs decode 64-bit fields to plain numbers; loaded before any generated code, for its side effect.
 *
 * Without it the `long` package answers, whatever the generated types say. Past 2^53 a plain number is not exact:
 * `unix_ms` is checked to be below that by the walk (walk.ts), `longs` are read as bigint by `ExactReader` (pb.ts).
 */
import protobuf from "protobufjs/minimal.js";

// The type says the property always exists; the documented way to run without it is to take it away.
(protobuf.util as { Long: unknown }).Long = undefined;
protobuf.configure();
