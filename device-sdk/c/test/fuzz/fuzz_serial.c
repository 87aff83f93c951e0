/* fuzz_serial.c -- fuzzes the COBS stream. An input that begins with an even byte is the stream itself; after an odd one
 * come messages with a length byte in front, which are framed as they should be: noise seldom gets past a checksum. */
#include "fuzz.h"

static uint8_t stream[2048];

/* Appends a frame; returns the new end. */
static size_t frame(size_t n, const uint8_t *message, size_t len)
{
    size_t code_at = n++;
    size_t i;
    const uint32_t crc = ~tg_crc32(TG_CRC_START, message, len);
    for (i = 0; i < len + 4u; i++) { /* below 254 bytes: one block each */
        const uint8_t b = i < len ? message[i] : (uint8_t)(crc >> 8u * (i - len));
        if (b == 0) {
            stream[code_at] = (uint8_t)(n - code_at);
            code_at = n;
        }
        stream[n++] = b;
    }
    stream[code_at] = (uint8_t)(n - code_at);
    stream[n++] = 0;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n = 0;
    if (size == 0) return 0;
    if (!(data[0] & 1u)) {
        fuzz_run(tg_serial_framing, data + 1, size - 1, true);
        return 0;
    }
    data++;
    size--;
    while (size > 1 && n + 140 < sizeof stream) {
        size_t len = data[0] & 0x7Fu;
        if (len > size - 1) len = size - 1;
        n = frame(n, data + 1, len);
        data += len + 1;
        size -= len + 1;
    }
    fuzz_run(tg_serial_framing, stream, n, true);
    return 0;
}
