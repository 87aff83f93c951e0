/* tg_serial.c -- framing for byte streams: message and CRC-32 (little-endian), COBS-encoded, ended by 0x00.
 *
 *   wire   00 | code | code-1 bytes, none of them 0 | code | ... | 00        code 1 .. 255; below 255 it ends in a
 *                                                                           0 of the message, but for the last block
 *   tx     | code | message, each 0 of it turned into a code | CRC, likewise | 00 |
 *          0      tx_head                                                          a code more after 254 bytes
 *
 *   rx     | decoded, rx_at bytes |   free   | not yet decoded, raw_at .. raw_end |   free   |
 *
 * Both directions work in place. Noise costs the frame it falls into and no more; what fails the CRC is counted and
 * forgotten. Checksums are bounded per step, because they are what costs time.
 */
#include "tg_core.h"

#include <string.h>

#define CODE_FULL 255u /* a block of 254 bytes, without a 0 behind it; also stands in front of the first block */
#define CODE_SKIP 0u   /* in place of a code: too long, forget everything up to the next 00 */
#define CRC_BYTES 4u
#define TX_OVERHEAD_BYTES 10u /* first code, CRC, 00, and a code per 254 bytes of at most 1,028 */
#define RX_OVERHEAD_BYTES 5u  /* CRC, and a code byte on its way through */

static void rx_reset(tg_client *c, uint8_t code)
{
    c->rx_at = 0;
    c->rx_left = 0;
    c->rx_code = code;
    c->rx_check = TG_CRC_START;
}

/* Fetches the next bytes; false: the link is dead. */
static bool rx_fetch(tg_client *c)
{
    const tg_config *config = c->config;
    size_t cap = (size_t)(config->rx_bytes - c->rx_at);
    int16_t n;
    if (cap == 0) {
        rx_reset(c, CODE_SKIP);
        cap = config->rx_bytes;
    }
    if (cap > TG_STEP_BYTES) cap = TG_STEP_BYTES;
    n = config->port->recv(config->port->ctx, config->rx + c->rx_at, (uint16_t)cap);
    if (n < 0) return false;
    if ((size_t)n == cap) c->flags |= TG_MORE;
    c->raw_at = c->rx_at;
    c->raw_end = (uint16_t)(c->rx_at + (size_t)n);
    return true;
}

/* The 00 came: returns the length of the message, 0 when there is none. */
static int16_t rx_end(tg_client *c)
{
    const size_t n = c->rx_at;
    const bool whole = c->rx_code != CODE_SKIP && c->rx_left == 0 && n > CRC_BYTES && c->rx_check == TG_CRC_RESIDUE;
    if (!whole && (n > 0 || c->rx_code != CODE_FULL)) c->stats.rx_bad++; /* 00 after 00 is no frame, and no fault */
    rx_reset(c, CODE_FULL);
    if (!whole) return 0;
    c->heard_at = c->now;
    c->flags |= TG_MORE;
    return (int16_t)(n - CRC_BYTES);
}

static int16_t rx_step(tg_client *c)
{
    uint8_t *rx = c->config->rx;
    int16_t n = 0;
    if (c->raw_at == c->raw_end && !rx_fetch(c)) return -1;
    while (n == 0 && c->raw_at != c->raw_end) {
        uint8_t b = rx[c->raw_at++];
        if (b == 0) {
            n = rx_end(c);
            continue;
        }
        if (c->rx_code == CODE_SKIP) continue;
        if (c->rx_left == 0) {
            const bool joined = c->rx_code == CODE_FULL;
            c->rx_code = b;
            c->rx_left = b;
            b = 0;
            if (joined) { /* no 0 between the two blocks */
                c->rx_left--;
                continue;
            }
        }
        rx[c->rx_at] = b;
        c->rx_check = tg_crc32(c->rx_check, &rx[c->rx_at++], 1);
        c->rx_left--;
    }
    return n;
}

/* Turns the message at tx[1 .. tx_at) and its CRC into their COBS form with the closing 00. */
static void tx_encode(tg_client *c)
{
    uint8_t *code = c->config->tx;
    uint8_t *p = code + 1;
    uint8_t *end = code + c->tx_at + CRC_BYTES;
    *end++ = 0;
    for (; p != end; p++) {
        if (p - code == CODE_FULL && p + 1 != end) {
            memmove(p + 1, p, (size_t)(end - p));
            end++;
            *p = 0;
        }
        if (*p != 0) continue;
        *code = (uint8_t)(p - code);
        code = p;
    }
    c->tx_at = 0;
    c->tx_left = (uint16_t)(end - c->config->tx);
    c->tx_phase = 0;
}

/* Computes the CRC; between steps the sum so far waits where it will stand. */
static void tx_step(tg_client *c)
{
    uint8_t *p = c->config->tx + c->tx_at;
    uint8_t *end = p + c->tx_left;
    uint32_t crc = TG_CRC_START;
    uint16_t n = c->tx_left;
    if (n > TG_STEP_BYTES) n = TG_STEP_BYTES;
    if (c->tx_at > 1u) crc = tg_pb_get32(end);
    crc = tg_crc32(crc, p, n);
    c->tx_at = (uint16_t)(c->tx_at + n);
    c->tx_left = (uint16_t)(c->tx_left - n);
    if (c->tx_left == 0) crc = ~crc;
    (void)tg_pb_le32(end, crc);
    if (c->tx_left == 0) tx_encode(c);
}

/* What a buffer leaves for a message, and a serial line carries. */
static uint16_t serial_room(uint16_t bytes, uint8_t overhead)
{
    bytes = (uint16_t)(bytes - overhead);
    return bytes < TG_SERIAL_BYTES_MAX ? bytes : TG_SERIAL_BYTES_MAX;
}

int16_t tg_serial_framing(tg_client *c, uint8_t op)
{
    switch (op) {
    case TG_OP_SIZES:
        c->tx_head = 1;
        c->tx_room = serial_room(c->config->tx_bytes, TX_OVERHEAD_BYTES);
        c->rx_room = serial_room(c->config->rx_bytes, RX_OVERHEAD_BYTES);
        break;
    case TG_OP_UP:
        rx_reset(c, CODE_FULL);
        c->flags |= TG_LOSSY | TG_READY;
        c->config->tx[0] = 0; /* one 00 first: it ends whatever was on the line */
        c->tx_left = 1;
        c->tx_at = 0;
        break;
    case TG_OP_RX:
        return rx_step(c);
    case TG_OP_TX:
        tx_step(c);
        break;
    default:
        break;
    }
    return 0;
}
