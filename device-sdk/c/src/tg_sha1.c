/* tg_sha1.c -- SHA-1 (RFC 3174), for the WebSocket upgrade alone: there it proves that a server understood, not who it
 * is.
 *
 *   x   | a b c d e | - | the next 16 words of the schedule, the nearest last |     each round moves it all by one
 *       0           5   6                                                  21
 */
#include <string.h>

#include "tg_websocket.h"

static uint32_t sha1_rotate(uint32_t v, uint8_t bits)
{
    return v << bits | v >> (32u - bits);
}

static const uint32_t sha1_first[5] TG_FLASH = {0x67452301u, 0xEFCDAB89u, 0x98BADCFEu, 0x10325476u, 0xC3D2E1F0u};

TG_INTERNAL void tg_sha1_start(uint32_t *h)
{
    TG_FLASH_COPY(h, sha1_first, sizeof sha1_first);
}

TG_INTERNAL void tg_sha1_block(uint32_t *h, uint32_t *x)
{
    uint8_t t;
    uint8_t i;
    memcpy(x, h, sizeof sha1_first);
    for (t = 0; t < 80u; t++) {
        uint32_t f = x[1] ^ x[2] ^ x[3];
        uint32_t k = 0x6ED9EBA1u;
        const uint32_t word = x[21] ^ x[19] ^ x[13] ^ x[8];
        if (t < 20u) {
            f = x[3] ^ (x[1] & (x[2] ^ x[3]));
            k = 0x5A827999u;
        } else if (t > 59u) {
            k = 0xCA62C1D6u;
        } else if (t > 39u) {
            f = (x[1] & x[2]) | (x[3] & (x[1] | x[2]));
            k = 0x8F1BBCDCu;
        }
        f += sha1_rotate(x[0], 5) + x[4] + k + x[21];
        memmove(&x[1], x, 21u * sizeof *x);
        x[0] = f;
        x[2] = sha1_rotate(x[2], 30);
        x[6] = sha1_rotate(word, 1);
    }
    for (i = 0; i < 5u; i++) h[i] += x[i];
}
