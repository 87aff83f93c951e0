/* tg_uplink.c -- what the device says next.
 *
 *   Bye when stopping; Hello while greeting; then, in this order: the answer to a ping, the Heartbeat that is owed or
 *   due, the next reliable message the window allows.
 *
 * A message is written to the send buffer whole, and only when the one before it is gone.
 */
#include "tg_core.h"

#include <string.h>

/* The wait for Welcome grows by a tick with each Hello, up to 8 s: a gateway that takes longer than one
 * wait must be able to answer the latest Hello, the only one that counts [P-5]. In ticks. */
#define HELLO_TRIES_MAX 28u

/* Tags of the bodies of Uplink. */
enum { UP_HELLO = TG_BYTES(3), UP_HEARTBEAT = TG_BYTES(4), UP_BYE = TG_BYTES(8) };

/* The fields of the messages without a number, in order: the tag, and where the value is found. Numbers are in the
 * client, those of 16 bits with HALF; texts and one number in the configuration. */
#define HALF 0x80u
#define WORD(number, field) TG_NUMBER(number), offsetof(tg_client, field)
#define SHORT(number, field) TG_NUMBER(number), HALF | offsetof(tg_client, field)
#define FIXED(number, field) TG_FIXED(number), offsetof(tg_client, field)
#define TEXT(number, field) TG_BYTES(number), offsetof(tg_config, field)
#define CONFIG_WORD(number, field) (TG_NUMBER(number) | FROM_CONFIG), offsetof(tg_config, field)
#define FROM_CONFIG 6u /* in place of a wire type */

#if TG_WITH_STORE
#define NEXT(number) WORD(number, announced)
#else
#define NEXT(number) WORD(number, next_seq)
#endif

static const uint8_t fields[] TG_FLASH = {
    WORD(1, now_ms), WORD(3, ping), NEXT(4), WORD(5, oldest),
#define HELLO_AT 8u
    TEXT(2, device_id), FIXED(3, echo.boot_nonce), WORD(4, echo.attempt), FIXED(5, epoch), NEXT(6), WORD(7, oldest),
    WORD(8, acked), WORD(9, now_ms), SHORT(10, rx_room), FIXED(11, catalog_hash), TEXT(12, firmware), TEXT(13, model),
    CONFIG_WORD(14, sleep_ms), WORD(15, last_command), SHORT(16, frames),
    TEXT(17, token), /* left out on a WebSocket: the upgrade has shown it */
};
typedef char tg_offsets_fit_seven_bits[offsetof(tg_client, frames) < 128u || sizeof(void *) > 4u ? 1 : -1];

static TG_APART uint8_t *put_fields(const tg_client *c, uint8_t *p, uint8_t at, uint8_t end)
{
    do {
        uint8_t tag = TG_FLASH_BYTE(&fields[at++]);
        const uint8_t offset = TG_FLASH_BYTE(&fields[at++]);
        const uint8_t *from = (const uint8_t *)c + (offset & (HALF - 1u));
        if (tag & 2u) {
            from = (const uint8_t *)c->config + offset;
            if (!(tag & 4u)) {
                p = tg_pb_bytes(p, tag, (const tg_span *)(const void *)from);
                continue;
            }
            tag ^= FROM_CONFIG;
        }
        p = tg_pb_put(p, tag, offset & HALF ? *(const uint16_t *)(const void *)from : *(const uint32_t *)(const void *)from);
    } while (at != end);
    return p;
}

/* Bye, Hello or Heartbeat. */
static TG_APART uint8_t *put_session(tg_client *c, uint8_t *p)
{
    uint8_t *start;
    c->oldest = tg_outbox_oldest(c);
#if TG_WITH_STORE
    c->announced = TG_LIMIT(c);
    if (c->oldest > c->announced) c->oldest = c->announced;
#endif
    c->flags &= (uint8_t)~TG_OWED;
    if (c->flags & TG_STOPPING) {
        c->flags |= TG_BYE_SENT;
        start = tg_pb_begin(p, UP_BYE);
        p = tg_pb_put(start, TG_NUMBER(1), c->reason);
    } else if (c->phase == TG_GREETING) {
        uint8_t end = sizeof fields - 2u;
        start = tg_pb_begin(p, UP_HELLO);
        p = tg_pb_put(start, TG_NUMBER(1), TG_PROTOCOL);
        c->echo.attempt++;
        c->due = (tg_tick)(c->now + TG_OPEN_TICKS);
        if (c->flags & TG_LOSSY) {
            end = sizeof fields;
            c->due = (tg_tick)(c->now + TG_HELLO_TICKS + c->tries);
            if (c->tries < HELLO_TRIES_MAX) c->tries++;
        }
        p = put_fields(c, p, HELLO_AT, end);
#if TG_WITH_STORE
        p = tg_pb_put(p, TG_NUMBER(18), c->limit != 0); /* closing [P-9] */
#endif
    } else {
        start = tg_pb_begin(p, UP_HEARTBEAT);
        p = put_fields(c, start, 0, HELLO_AT);
    }
    c->ping = 0;
    return tg_pb_end(start, p);
}

/* The next reliable message, when there is one and the window allows it; else NULL. */
static TG_APART uint8_t *put_next(tg_client *c, uint8_t *p)
{
    uint32_t base = c->acked; /* below it, and at it, nothing is missing unannounced */
    uint8_t *at = c->ring_head;
    uint8_t left = c->window;
    const uint8_t *body;
    uint32_t seq;
    uint16_t len;
    for (;; left--) {
        if (left == 0 || at == c->ring_end) return NULL;
        seq = tg_outbox_seq(c, at);
        if (TG_IS_LATER(c, seq)) return NULL;
        if (seq > c->cursor) break;
        base = seq;
        at = tg_outbox_after(at);
    }
    len = tg_outbox_head(at) & TG_LENGTH_BITS;
    if (len + TG_ENVELOPE_BYTES > c->tx_room) { /* this gateway takes less than the one it was written for */
        if (at == c->ring_head) tg_outbox_drop(c, TG_UPDATES);
        return NULL;
    }
    c->due = (tg_tick)(c->now + TG_RESEND_TICKS + c->tries);
    c->stats.sent++;
    c->cursor = seq;
    if (c->tx_high < seq) c->tx_high = seq;
    p = tg_pb_put(p, TG_NUMBER(1), seq);
    p = tg_pb_put(p, TG_NUMBER(2), seq - base - 1u); /* the numbers evicted below it [P-1] */
    body = at + TG_HEADER_BYTES;
    if (len == 1) return c->config->send_catalog(c, p, *body); /* a part of the catalog: its number alone */
    memcpy(p, body, len);
    return p + len;
}

TG_INTERNAL bool tg_uplink_compose(tg_client *c)
{
    uint8_t *start = c->config->tx + c->tx_head;
    uint8_t *p = start;
    if (!(c->flags & TG_READY)) return false;
    if (c->flags & (TG_STOPPING | TG_OWED) || c->ping != 0) {
        p = put_session(c, p);
    } else {
        if (c->phase != TG_ONLINE || c->flags & TG_HOLD) return false;
        if (c->catalog_part != 0) (void)c->config->send_catalog(c, NULL, c->catalog_part);
        p = put_next(c, p);
        if (p == NULL) return false;
    }
    c->tx_at = c->tx_head;
    c->tx_left = (uint16_t)(p - start);
    return true;
}
