/* fuzz_serial.c -- fuzzes the COBS stream, checksums and all. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_run(tg_serial_framing, data, size, true);
    return 0;
}
