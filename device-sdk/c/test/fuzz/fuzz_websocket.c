/* fuzz_websocket.c -- fuzzes WebSocket frames after the upgrade. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run(tg_websocket_framing, data, size, true);
    return 0;
}
