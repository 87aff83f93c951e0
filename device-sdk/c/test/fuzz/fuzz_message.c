/* fuzz_message.c -- fuzzes the protobuf reader and the session behind it: the input is a sequence of messages, each
 * with a length byte in front, that passed every checksum. */
#include "fuzz.h"

static uint8_t wire[4096];

/* Frames the input as WebSocket messages: no checksum stands between the fuzzer and the session. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = 0;
    while (size > 1 && n + 130 < sizeof wire) {
        size_t len = data[0] & 0x7Fu;
        if (len > 125) len = 125;
        if (len > size - 1) len = size - 1;
        wire[n++] = 0x82;
        wire[n++] = (uint8_t)len;
        memcpy(wire + n, data + 1, len);
        n += len;
        data += len + 1;
        size -= len + 1;
    }
    fuzz_run(tg_websocket_framing, wire, n, true);
    return 0;
}
