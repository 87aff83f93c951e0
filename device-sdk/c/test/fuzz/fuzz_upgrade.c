/* fuzz_upgrade.c -- fuzzes the HTTP response to the upgrade. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run(tg_websocket_framing, data, size, false);
    return 0;
}
