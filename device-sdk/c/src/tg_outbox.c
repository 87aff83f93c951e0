/* tg_outbox.c -- the numbered messages the gateway has not taken responsibility for.
 *
 *   config->ring   |  telemetry, logs: oldest evicted  |  command updates, catalog parts: never evicted [P-13]  |
 *                  0                                 split                                          ring_bytes
 *
 *   either part    |  free  | record | record | record |  free  |        moved to the front when the end is full
 *                           head                       end
 *
 *   record         | seq u32 | body length u16 | body |                  native byte order, unaligned
 *
 *   acked < in flight <= cursor < waiting < next_seq                     and tx_high >= cursor
 *
 * Together the two parts hold rising numbers. A number missing between two held ones was evicted, and the gap that
 * announces it [P-1] follows from the numbers alone: it is nowhere stored.
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

TG_INTERNAL void tg_walk_start(const tg_client *c, tg_walk *w)
{
    w->at[TG_TELEMETRY] = c->ring[TG_TELEMETRY].head;
    w->at[TG_UPDATES] = c->ring[TG_UPDATES].head;
}

TG_INTERNAL bool tg_walk_next(const tg_client *c, tg_walk *w)
{
    uint8_t which = TG_TELEMETRY;
    w->seq = c->next_seq;
    w->record = NULL;
    w->which = TG_TELEMETRY;
    do {
        uint8_t *record = c->config->ring + w->at[which];
        uint32_t seq;
        if (w->at[which] == c->ring[which].end) continue;
        memcpy(&seq, record, sizeof seq);
        if (seq >= w->seq) continue;
        w->seq = seq;
        w->which = which;
        w->record = record;
    } while (which++ < TG_UPDATES);
    if (w->record == NULL) return false;
    memcpy(&w->len, w->record + sizeof w->seq, sizeof w->len);
    w->at[w->which] = (uint16_t)(w->at[w->which] + TG_HEADER_BYTES + w->len);
    return true;
}

TG_INTERNAL void tg_outbox_drop(tg_client *c, uint8_t which)
{
    tg_walk w;
    tg_walk_start(c, &w);
    w.at[!which] = c->ring[!which].end;
    if (!tg_walk_next(c, &w)) return;
    c->ring[which].head = w.at[which];
    c->stats.dropped++;
    tg_emit(c, TG_EVENT_DROPPED, w.seq);
}

TG_INTERNAL tg_err tg_outbox_push(tg_client *c, uint8_t which, size_t len, uint8_t **body)
{
    tg_ring *ring = &c->ring[which];
    uint8_t *memory = c->config->ring;
    const size_t first = which == TG_TELEMETRY ? 0 : c->split;
    const size_t last = which == TG_TELEMETRY ? c->split : c->config->ring_bytes;
    const uint16_t stored = (uint16_t)len;
    const size_t n = TG_HEADER_BYTES + len;
    size_t held;
    if (n > last - first || len + TG_ENVELOPE_BYTES > c->tx_room) return TG_ERR_TOO_BIG;
    if (c->next_seq > TG_SEQ_LAST) return TG_ERR_STATE;
    while (held = (size_t)(ring->end - ring->head), last - first - held < n) {
        if (which != TG_TELEMETRY) return TG_ERR_NO_SPACE;
        tg_outbox_drop(c, which);
    }
    if (last - ring->end < n) {
        memmove(memory + first, memory + ring->head, held);
        ring->head = (uint16_t)first;
        ring->end = (uint16_t)(first + held);
    }
    memory += ring->end;
    memcpy(memory, &c->next_seq, sizeof c->next_seq);
    memcpy(memory + sizeof c->next_seq, &stored, sizeof stored);
    c->next_seq++;
    ring->end = (uint16_t)(ring->end + n);
    *body = memory + TG_HEADER_BYTES;
    return TG_OK;
}

TG_INTERNAL void tg_outbox_trim(tg_client *c, uint8_t which, uint8_t *body, size_t len)
{
    const uint16_t stored = (uint16_t)len;
    memcpy(body - sizeof stored, &stored, sizeof stored);
    c->ring[which].end = (uint16_t)(body + len - c->config->ring);
}

TG_INTERNAL bool tg_outbox_covers(const tg_client *c, uint32_t seq)
{
    return seq <= c->tx_high || seq < tg_outbox_oldest(c);
}

TG_INTERNAL void tg_outbox_ack(tg_client *c, uint32_t seq)
{
    tg_walk w;
    if (seq <= c->acked || !tg_outbox_covers(c, seq)) return;
    tg_walk_start(c, &w);
    while (tg_walk_next(c, &w) && w.seq <= seq) {
        c->ring[w.which].head = w.at[w.which];
        c->stats.acked++;
    }
    c->acked = seq;
    if (c->cursor < seq) c->cursor = seq;
    if (c->tx_high < seq) c->tx_high = seq;
    c->tries = 0;
    if (!(c->flags & TG_HOLD)) c->due = (uint16_t)(c->now + TG_RESEND_TICKS);
}

TG_INTERNAL void tg_outbox_rewind(tg_client *c, uint32_t to)
{
    if (to < c->acked) to = c->acked;
    if (to < c->cursor) c->cursor = to;
}

TG_INTERNAL void tg_outbox_renumber(tg_client *c)
{
    uint32_t seq = 1;
    tg_walk w;
    tg_walk_start(c, &w);
    for (; tg_walk_next(c, &w); seq++) memcpy(w.record, &seq, sizeof seq);
    tg_outbox_reset(c);
    c->next_seq = seq;
}

TG_INTERNAL uint32_t tg_outbox_oldest(const tg_client *c)
{
    tg_walk w;
    tg_walk_start(c, &w);
    (void)tg_walk_next(c, &w);
    return w.seq; /* next_seq when nothing is held */
}
