/* tg_outbox.c -- the numbered messages the gateway has not taken responsibility for.
 *
 *   config->ring   |  free  | record | record | record |  free  |        moved to the front when the end is full
 *                  0       head                       end      ring_bytes
 *
 *   record         | seq u32 | kind and body length u16 | body |         little-endian
 *                              bit 15: command update or catalog part, which is never evicted [P-13]
 *
 *   acked < in flight <= cursor < waiting < next_seq                     and tx_high >= cursor
 *
 * Records stand in the order of their numbers. Each kind may fill its share of the ring, so neither takes the other's
 * room. A number missing between two held ones was evicted, and the gap that announces it [P-1] follows from the numbers
 * alone: it is nowhere stored.
 */
#include "tg_core.h"

#include <string.h>

TG_INTERNAL void tg_outbox_reset(tg_client *c)
{
    c->next_seq = 1;
    c->acked = 0;
    c->cursor = 0;
    c->tx_high = 0;
}

TG_INTERNAL uint16_t tg_outbox_head(const uint8_t *at)
{
    return (uint16_t)(at[4] | at[5] << 8);
}

TG_INTERNAL uint8_t *tg_outbox_after(uint8_t *at)
{
    return at + TG_HEADER_BYTES + (tg_outbox_head(at) & TG_LENGTH_BITS);
}

TG_INTERNAL uint32_t tg_outbox_seq(const tg_client *c, const uint8_t *at)
{
    return at == c->ring_end ? c->next_seq : tg_pb_get32(at);
}

TG_INTERNAL uint32_t tg_outbox_oldest(const tg_client *c)
{
    return tg_outbox_seq(c, c->ring_head);
}

/* What stands before it moves up. */
TG_INTERNAL uint8_t *tg_outbox_remove(tg_client *c, uint8_t *at)
{
    uint8_t *head = c->ring_head;
    const uint16_t n = (uint16_t)(tg_outbox_after(at) - at);
    if (tg_outbox_head(at) & TG_UPDATES) c->updates = (uint16_t)(c->updates - n);
    c->ring_head = head + n;
    memmove(head + n, head, (size_t)(at - head));
    return at + n;
}

TG_INTERNAL void tg_outbox_drop(tg_client *c, uint16_t kinds)
{
    uint8_t *at = c->ring_head;
    uint32_t seq;
    while (tg_outbox_head(at) & TG_UPDATES & ~kinds) at = tg_outbox_after(at);
    seq = tg_outbox_seq(c, at);
    (void)tg_outbox_remove(c, at);
    c->stats.dropped++;
    tg_emit(c, TG_EVENT_DROPPED, seq);
}

TG_INTERNAL uint16_t tg_outbox_room(const tg_client *c, uint16_t kind)
{
    const uint16_t updates = (uint16_t)(c->update_bytes - c->updates);
    if (kind != 0) return updates;
    return (uint16_t)(c->config->ring_bytes - (uint16_t)(c->ring_end - c->ring_head) - updates);
}

TG_INTERNAL tg_err tg_outbox_open(tg_client *c, uint16_t kind, uint16_t len)
{
    const uint16_t ring_bytes = c->config->ring_bytes;
    const uint16_t share = kind != 0 ? c->update_bytes : (uint16_t)(ring_bytes - c->update_bytes);
    uint8_t *ring = c->config->ring;
    if (len > c->tx_room - TG_ENVELOPE_BYTES) return TG_ERR_TOO_BIG;
    len = (uint16_t)(len + TG_HEADER_BYTES);
    if (len > share) return TG_ERR_TOO_BIG;
    if (c->next_seq > TG_SEQ_LAST) return TG_ERR_STATE;
    while (tg_outbox_room(c, kind) < len) {
        if (kind != 0) return TG_ERR_NO_SPACE;
        tg_outbox_drop(c, 0);
    }
    if ((size_t)(ring + ring_bytes - c->ring_end) < len) {
        const size_t held = (size_t)(c->ring_end - c->ring_head);
        memmove(ring, c->ring_head, held);
        c->ring_head = ring;
        c->ring_end = ring + held;
    }
    return TG_OK;
}

TG_INTERNAL uint8_t *tg_outbox_body(const tg_client *c)
{
    return c->ring_end + TG_HEADER_BYTES;
}

TG_INTERNAL void tg_outbox_close(tg_client *c, uint16_t kind, uint8_t *end)
{
    uint8_t *p = c->ring_end;
    const uint16_t n = (uint16_t)(end - p);
    const uint16_t head = (uint16_t)((n - TG_HEADER_BYTES) | kind);
    p = tg_pb_le32(p, c->next_seq++);
    p[0] = (uint8_t)head;
    p[1] = (uint8_t)(head >> 8);
    c->ring_end = end;
    if (kind != 0) c->updates = (uint16_t)(c->updates + n);
}

TG_INTERNAL bool tg_outbox_covers(const tg_client *c, uint32_t seq)
{
    return seq <= c->tx_high || seq < tg_outbox_oldest(c);
}

TG_INTERNAL void tg_outbox_ack(tg_client *c, uint32_t seq)
{
    if (seq <= c->acked || !tg_outbox_covers(c, seq)) return;
    c->acked = seq;
    while (tg_outbox_oldest(c) <= seq) {
        (void)tg_outbox_remove(c, c->ring_head);
        c->stats.acked++;
    }
    if (c->cursor < seq) c->cursor = seq;
    if (c->tx_high < seq) c->tx_high = seq;
    c->tries = 0;
    if (!(c->flags & TG_HOLD)) c->due = (tg_tick)(c->now + TG_RESEND_TICKS);
}

TG_INTERNAL void tg_outbox_renumber(tg_client *c)
{
    uint8_t *at = c->ring_head;
    tg_outbox_reset(c);
    for (; at != c->ring_end; at = tg_outbox_after(at)) (void)tg_pb_le32(at, c->next_seq++);
}
