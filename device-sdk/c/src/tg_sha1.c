/* tg_sha1.c -- SHA-1 (RFC 3174), for the WebSocket upgrade alone: there it proves that a server understood, not who it
 * is. The 80 words of the schedule are made in the 16 of the block. */
#include "tg_websocket.h"

static uint32_t sha1_rotate(uint32_t v, uint8_t bits)
{
    return v << bits | v >> (32u - bits);
}

TG_INTERNAL void tg_sha1_start(uint32_t *h)
{
    h[0] = 0x67452301u;
    h[1] = 0xEFCDAB89u;
    h[2] = 0x98BADCFEu;
    h[3] = 0x10325476u;
    h[4] = 0xC3D2E1F0u;
}

TG_INTERNAL void tg_sha1_block(uint32_t *h, uint32_t *w)
{
    uint32_t s[5]; /* a .. e */
    uint8_t t;
    uint8_t i;
    for (i = 0; i < 5u; i++) s[i] = h[i];
    for (t = 0; t < 80u; t++) {
        uint32_t *word = &w[t & 15u];
        uint32_t f = s[1] ^ s[2] ^ s[3];
        uint32_t k = 0x6ED9EBA1u;
        if (t > 15u) *word = sha1_rotate(w[(t + 13u) & 15u] ^ w[(t + 8u) & 15u] ^ w[(t + 2u) & 15u] ^ *word, 1);
        if (t < 20u) {
            f = s[3] ^ (s[1] & (s[2] ^ s[3]));
            k = 0x5A827999u;
        } else if (t > 59u) {
            k = 0xCA62C1D6u;
        } else if (t > 39u) {
            f = (s[1] & s[2]) | (s[3] & (s[1] | s[2]));
            k = 0x8F1BBCDCu;
        }
        f += sha1_rotate(s[0], 5) + s[4] + k + *word;
        for (i = 4; i > 0; i--) s[i] = s[i - 1u];
        s[2] = sha1_rotate(s[2], 30);
        s[0] = f;
    }
    for (i = 0; i < 5u; i++) h[i] += s[i];
}
