/* tg_uplink.c -- what the device says next.
 *
 *   Bye when stopping; Hello while greeting; then, in this order: the answer to a ping, the Heartbeat that is owed or
 *   due, the next reliable message the window allows.
 *
 * A message is written to the send buffer whole, and only when the one before it is gone.
 */
#include "tg_core.h"

/* Hello without its strings: every number at its longest, tags and lengths included. */
#define HELLO_BYTES 84u

/* The wait for Welcome doubles every fourth Hello, up to 8 s: a gateway that takes longer than one wait must be able
 * to answer the latest Hello, the only one that counts [P-5]. */
#define HELLOS_PER_STEP_BITS 2u
#define HELLOS_MAX 12u

/* Body numbers of Uplink. */
enum { HELLO = 3, HEARTBEAT = 4, BYE = 8 };

size_t tg_uplink_hello_bytes_max(const tg_config *config)
{
    size_t n = HELLO_BYTES + config->device_id.len;
    if (n + config->token.len < n || n + config->token.len + config->firmware.len < n) return (size_t)-1;
    n += config->token.len + (size_t)config->firmware.len;
    return n + config->model.len < n ? (size_t)-1 : n + config->model.len;
}

static void put_hello(tg_client *c, tg_writer *w)
{
    const tg_config *config = c->config;
    const uint16_t mark = tg_pb_begin(w, HELLO);
    c->attempt++;
    tg_pb_u32(w, 1, TG_PROTOCOL);
    tg_pb_bytes(w, 2, config->device_id);
    tg_pb_fixed32(w, 3, c->boot_nonce);
    tg_pb_u32(w, 4, c->attempt);
    tg_pb_fixed32(w, 5, c->epoch);
    tg_pb_u32(w, 6, c->next_seq);
    tg_pb_u32(w, 7, tg_outbox_oldest(c));
    tg_pb_u32(w, 8, c->acked);
    tg_pb_u32(w, 9, tg_now_ms(c));
    tg_pb_u32(w, 10, (uint16_t)config->framing(c, TG_OP_SIZES));
    tg_pb_fixed32(w, 11, c->catalog_hash);
    tg_pb_bytes(w, 12, config->firmware);
    tg_pb_bytes(w, 13, config->model);
    tg_pb_u32(w, 14, config->sleep_ms);
    tg_pb_u32(w, 15, c->last_command);
    tg_pb_u32(w, 16, (uint32_t)(config->ring_bytes >> 5)); /* messages of 32 bytes: a fair guess */
    if (c->flags & TG_LOSSY) tg_pb_bytes(w, 17, config->token);
    tg_pb_end(w, mark);
    c->due = (uint16_t)(c->now + TG_OPEN_TICKS);
    if (c->flags & TG_LOSSY) c->due = (uint16_t)(c->now + (TG_HELLO_TICKS << (c->tries >> HELLOS_PER_STEP_BITS)));
    if (c->tries < HELLOS_MAX) c->tries++;
}

static void put_heartbeat(tg_client *c, tg_writer *w)
{
    const uint16_t mark = tg_pb_begin(w, HEARTBEAT);
    tg_pb_u32(w, 1, tg_now_ms(c)); /* the freshest: the gateway sets its clock by it */
    tg_pb_u32(w, 3, c->ping);
    tg_pb_u32(w, 4, c->next_seq);
    tg_pb_u32(w, 5, tg_outbox_oldest(c));
    tg_pb_end(w, mark);
    c->ping = 0;
}

static void put_bye(tg_client *c, tg_writer *w)
{
    const uint16_t mark = tg_pb_begin(w, BYE);
    tg_pb_u32(w, 1, c->reason);
    tg_pb_end(w, mark);
    c->flags |= TG_BYE_SENT;
}

/* Queues the next part of the catalog once everything in its ring is acked, so that one small record is its whole
 * room. The record's body is the part's number alone: one byte, shorter than any message. */
static void queue_catalog(tg_client *c)
{
    const uint8_t part = (uint8_t)(c->catalog_part - 1u);
    uint8_t *body;
    if (c->catalog_part == 0 || c->ring[TG_UPDATES].head != c->ring[TG_UPDATES].end) return;
    if (part >= c->config->send_catalog(c, NULL, 0)) {
        c->catalog_part = 0;
    } else if (tg_outbox_push(c, TG_UPDATES, 1, &body) == TG_OK) {
        *body = part;
        c->catalog_part++;
    }
}

/* The next reliable message, when there is one and the window allows it. */
static bool put_next(tg_client *c, tg_writer *w)
{
    uint32_t base = c->acked; /* below it, and at it, nothing is missing unannounced */
    uint8_t in_flight = 0;
    tg_walk r;
    if (c->flags & TG_HOLD) return false;
    queue_catalog(c);
    tg_walk_start(c, &r);
    for (;;) {
        if (in_flight >= c->window || !tg_walk_next(c, &r)) return false;
        if (r.seq > c->cursor) break;
        base = r.seq;
        in_flight++;
    }
    tg_pb_u32(w, 1, r.seq);
    tg_pb_u32(w, 2, r.seq - base - 1u); /* the numbers evicted below it [P-1] */
    if (r.len == 1) {
        (void)c->config->send_catalog(c, w, r.record[TG_HEADER_BYTES]);
    } else {
        tg_pb_raw(w, r.record + TG_HEADER_BYTES, r.len);
    }
    if (w->failed) { /* this gateway takes less than the one it was written for */
        if (in_flight == 0) tg_outbox_drop(c, r.which);
        return false;
    }
    if (in_flight == 0) c->due = (uint16_t)(c->now + (TG_RESEND_TICKS << c->tries));
    c->cursor = r.seq;
    if (c->tx_high < r.seq) c->tx_high = r.seq;
    c->stats.sent++;
    return true;
}

bool tg_uplink_compose(tg_client *c)
{
    tg_writer w;
    tg_pb_open(&w, c->config->tx + c->tx_head, c->tx_room);
    if (!(c->flags & TG_READY)) return false;
    if (c->flags & TG_STOPPING) {
        put_bye(c, &w);
    } else if (c->flags & TG_OWED || c->ping != 0) {
        c->flags &= (uint8_t)~TG_OWED;
        if (c->phase == TG_GREETING) put_hello(c, &w); else put_heartbeat(c, &w);
    } else if (c->phase != TG_ONLINE || !put_next(c, &w)) {
        return false;
    }
    c->tx_at = c->tx_head;
    c->tx_len = (uint16_t)(c->tx_head + w.len);
    return true;
}
