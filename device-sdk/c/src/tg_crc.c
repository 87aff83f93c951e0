/* tg_crc.c -- CRC-32 as in Ethernet and zlib (reflected 0xEDB88320), bit by bit: 256 B of table cost more than time. */
#include "tg_core.h"

TG_INTERNAL uint32_t tg_crc32(uint32_t crc, const uint8_t *p, size_t n)
{
    while (n-- > 0) {
        uint8_t bit;
        crc ^= *p++;
        for (bit = 0; bit < 8; bit++) {
            const uint32_t out = crc & 1u;
            crc >>= 1;
            if (out) crc ^= 0xEDB88320u;
        }
    }
    return crc;
}
