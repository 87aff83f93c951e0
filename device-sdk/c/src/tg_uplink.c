/* tg_uplink.c -- what the device says next.
 *
 *   Bye when stopping; Hello while greeting; then, in this order: the answer to a ping, the Heartbeat that is owed or
 *   due, the next reliable message the window allows.
 *
 * A message is written to the send buffer whole, and only when the one before it is gone.
 */
#include "tg_core.h"

#include <string.h>

/* Hello without its strings: every number at its longest, tags and lengths included. */
#define HELLO_BYTES 84u

/* The wait for Welcome grows by a quarter of a second with each Hello, up to 8 s: a gateway that takes longer than one
 * wait must be able to answer the latest Hello, the only one that counts [P-5]. In ticks. */
#define HELLO_TRIES_STEP 2u
#define HELLO_TRIES_MAX 56u

/* Body numbers of Uplink. */
enum { UP_HELLO = 3, UP_HEARTBEAT = 4, UP_BYE = 8 };

TG_INTERNAL size_t tg_uplink_hello_bytes_max(const tg_config *config)
{
    const uint16_t token = config->token.len;
    const uint16_t firmware = config->firmware.len;
    const uint16_t model = config->model.len;
    if ((token | firmware | model) > 0x3FFF) return (size_t)-1; /* no overflow below, where size_t has 16 bits */
    return HELLO_BYTES + (size_t)config->device_id.len + token + firmware + model;
}

/* What Hello says, in the order of its fields: number << 3 | where the value is found, and its offset there. */
enum { HERE, CLIENT, CONFIG, CLIENT_FIXED };

typedef struct hello_values {
    uint32_t protocol;
    uint32_t attempt;
    uint32_t oldest;
    uint32_t uptime_ms;
    uint32_t max_rx_bytes;
    uint32_t outbox_frames;
} hello_values;

#define AT_HERE(number, field) (number) << 3 | HERE, offsetof(hello_values, field)
#define AT_CLIENT(number, field) (number) << 3 | CLIENT, offsetof(tg_client, field)
#define AT_FIXED(number, field) (number) << 3 | CLIENT_FIXED, offsetof(tg_client, field)
#define AT_CONFIG(number, field) (number) << 3 | CONFIG, offsetof(tg_config, field)

static const uint8_t hello_fields[] TG_FLASH = {
    AT_HERE(1, protocol),       AT_CONFIG(2, device_id),   AT_FIXED(3, boot_nonce),    AT_HERE(4, attempt),
    AT_FIXED(5, epoch),         AT_CLIENT(6, next_seq),    AT_HERE(7, oldest),         AT_CLIENT(8, acked),
    AT_HERE(9, uptime_ms),      AT_HERE(10, max_rx_bytes), AT_FIXED(11, catalog_hash), AT_CONFIG(12, firmware),
    AT_CONFIG(13, model),       AT_CONFIG(14, sleep_ms),   AT_CLIENT(15, last_command), AT_HERE(16, outbox_frames),
    AT_CONFIG(17, token),
};

static uint8_t *put_hello(tg_client *c, uint8_t *p)
{
    const tg_config *config = c->config;
    hello_values here;
    uint8_t i;
    here.protocol = TG_PROTOCOL;
    here.attempt = ++c->attempt;
    here.oldest = tg_outbox_oldest(c);
    here.uptime_ms = tg_now_ms(c);
    here.max_rx_bytes = (uint16_t)config->framing(c, TG_OP_SIZES);
    here.outbox_frames = (uint16_t)(config->ring_bytes >> 5); /* messages of 32 bytes: a fair guess */
    for (i = 0; i < sizeof hello_fields; i++) {
        const uint8_t what = TG_FLASH_BYTE(&hello_fields[i++]);
        const uint8_t offset = TG_FLASH_BYTE(&hello_fields[i]);
        const uint8_t number = what >> 3;
        const void *base = &here;
        uint32_t v;
        if ((what & 3u) == CONFIG) {
            base = config;
            if (number == 17 && !(c->flags & TG_LOSSY)) break; /* a WebSocket showed it in the upgrade */
            if (number != 14) {
                p = tg_pb_bytes(p, number, (const tg_span *)((const uint8_t *)base + offset));
                continue;
            }
        } else if ((what & 3u) != HERE) {
            base = c;
        }
        memcpy(&v, (const uint8_t *)base + offset, sizeof v);
        p = (what & 3u) == CLIENT_FIXED ? tg_pb_fixed32(p, number, v) : tg_pb_u32(p, number, v);
    }
    c->due = (uint16_t)(c->now + TG_OPEN_TICKS);
    if (c->flags & TG_LOSSY) c->due = (uint16_t)(c->now + TG_HELLO_TICKS + c->tries);
    if (c->tries < HELLO_TRIES_MAX) c->tries = (uint8_t)(c->tries + HELLO_TRIES_STEP);
    return p;
}

static uint8_t *put_heartbeat(tg_client *c, uint8_t *p)
{
    p = tg_pb_u32(p, 1, tg_now_ms(c)); /* the freshest: the gateway sets its clock by it */
    p = tg_pb_u32(p, 3, c->ping);
    p = tg_pb_u32(p, 4, c->next_seq);
    c->ping = 0;
    return tg_pb_u32(p, 5, tg_outbox_oldest(c));
}

/* Queues the next part of the catalog once everything in its ring is acked, so that one small record is its whole
 * room. The record's body is the part's number alone: one byte, shorter than any message. */
static void queue_catalog(tg_client *c)
{
    const uint8_t part = (uint8_t)(c->catalog_part - 1u);
    uint8_t *body;
    if (c->ring[TG_UPDATES].head != c->ring[TG_UPDATES].end) return;
    if (part >= c->config->send_catalog(c, NULL, 0)) {
        c->catalog_part = 0;
    } else if (tg_outbox_push(c, TG_UPDATES, 1, &body) == TG_OK) {
        *body = part;
        c->catalog_part++;
    }
}

/* The next reliable message, when there is one and the window allows it; else NULL. */
static uint8_t *put_next(tg_client *c, uint8_t *p)
{
    uint32_t base = c->acked; /* below it, and at it, nothing is missing unannounced */
    uint8_t in_flight = 0;
    tg_walk r;
    if (c->flags & TG_HOLD) return NULL;
    if (c->catalog_part != 0) queue_catalog(c);
    tg_walk_start(c, &r);
    for (;;) {
        if (in_flight >= c->window || !tg_walk_next(c, &r)) return NULL;
        if (r.seq > c->cursor) break;
        base = r.seq;
        in_flight++;
    }
    if (r.len + TG_ENVELOPE_BYTES > c->tx_room) { /* this gateway takes less than the one it was written for */
        if (in_flight == 0) tg_outbox_drop(c, r.which);
        return NULL;
    }
    p = tg_pb_u32(p, 1, r.seq);
    p = tg_pb_u32(p, 2, r.seq - base - 1u); /* the numbers evicted below it [P-1] */
    if (r.len == 1) {
        (void)c->config->send_catalog(c, &p, r.record[TG_HEADER_BYTES]);
    } else {
        memcpy(p, r.record + TG_HEADER_BYTES, r.len);
        p += r.len;
    }
    if (in_flight == 0) c->due = (uint16_t)(c->now + TG_RESEND_TICKS + c->tries);
    c->cursor = r.seq;
    if (c->tx_high < r.seq) c->tx_high = r.seq;
    c->stats.sent++;
    return p;
}

TG_INTERNAL bool tg_uplink_compose(tg_client *c)
{
    uint8_t *tx = c->config->tx;
    uint8_t *start = tx + c->tx_head;
    uint8_t *p;
    if (!(c->flags & TG_READY)) return false;
    if (c->flags & (TG_STOPPING | TG_OWED) || c->ping != 0) {
        uint8_t *body;
        if (c->flags & TG_STOPPING) {
            c->flags |= TG_BYE_SENT;
            body = tg_pb_begin(start, UP_BYE);
            p = tg_pb_u32(body, 1, c->reason);
        } else if (c->phase == TG_GREETING) {
            body = tg_pb_begin(start, UP_HELLO);
            p = put_hello(c, body);
        } else {
            body = tg_pb_begin(start, UP_HEARTBEAT);
            p = put_heartbeat(c, body);
        }
        c->flags &= (uint8_t)~TG_OWED;
        p = tg_pb_end(body, p);
    } else {
        p = c->phase == TG_ONLINE ? put_next(c, start) : NULL;
        if (p == NULL) return false;
    }
    c->tx_at = c->tx_head;
    c->tx_len = (uint16_t)(p - tx);
    return true;
}
