/* tg_catalog_parts.c -- the finished catalog: its hash, and cutting it into messages that fit.
 *
 *   catalog   | entry | entry | entry | entry |       an entry = tag, length, bytes; never cut in two
 *             '--- part 0 ----'--- part 1 ----'
 *
 * The bytes may live in flash the CPU cannot address directly: they are only ever read through catalog_copy.
 */
#include "tg_core.h"

#include <string.h>

/* Envelope, tag and length of the body, hash, part, parts. */
#define PART_OVERHEAD_BYTES (TG_ENVELOPE_BYTES + 4u + 5u + 3u + 3u)

enum { UP_CATALOG = TG_BYTES(7), HASH = TG_FIXED(1), PART = TG_NUMBER(2), PARTS = TG_NUMBER(3) };

static void read_at(const tg_config *config, uint8_t *to, size_t at, size_t n)
{
    if (config->catalog_copy != NULL) {
        config->catalog_copy(to, config->catalog.ptr + at, n);
    } else {
        memcpy(to, config->catalog.ptr + at, n);
    }
}

/* Whole length of the entry at `at`; more than any buffer when it is none. */
static size_t entry_bytes(const tg_config *config, size_t at)
{
    const size_t left = config->catalog.len - at;
    uint8_t head[3] = {0, 0, 0};
    size_t n;
    read_at(config, head, at, left < sizeof head ? left : sizeof head);
    n = head[1] + (size_t)2;
    if (n > 0x81u) n = n - 0x80u + ((size_t)head[2] << 7) + 1u;
    return n > left ? SIZE_MAX : n;
}

static uint32_t hash(const tg_config *config)
{
    uint32_t crc = TG_CRC_START;
    size_t at = 0;
    for (; at < config->catalog.len; at++) {
        uint8_t b;
        read_at(config, &b, at, 1);
        crc = tg_crc32(crc, &b, 1);
    }
    crc = ~crc;
    return crc == 0 && at > 0 ? 1u : crc; /* 0 means none [P-26] */
}

/* Cuts the catalog. Returns the number of parts, 0 when an entry fits none; copies part `part` to *to, when it is not
 * NULL, and moves it. */
static uint8_t cut(const tg_client *c, uint8_t **to, uint8_t part)
{
    const tg_config *config = c->config;
    const size_t room = (size_t)c->tx_room - PART_OVERHEAD_BYTES;
    size_t used = 0;
    size_t at = 0;
    uint8_t parts = 1;
    while (at < config->catalog.len) {
        const size_t n = entry_bytes(config, at);
        if (n > room) return 0;
        used += n;
        if (used > room) {
            used = n;
            if (++parts == 0) return 0;
        }
        if (to != NULL && part + 1u == parts) {
            read_at(config, *to, at, n);
            *to += n;
        }
        at += n;
    }
    return parts;
}

/* Queues the part that is due, when there is room: behind the parts before it, and before the first other message that was
 * never sent, so that the gateway knows a signal before its readings. What stands behind moves up, and on by a number,
 * which nobody has heard yet. The record's body is the part's number alone: one byte, shorter than any message. */
static void queue_part(tg_client *c, uint8_t parts)
{
    uint8_t *at;
    uint8_t *p;
    if (c->catalog_part > parts) c->catalog_part = 0;
    if (c->catalog_part == 0 || tg_outbox_open(c, TG_UPDATES, 1) != TG_OK) return;
    for (at = c->ring_head; at != c->ring_end; at = tg_outbox_after(at)) {
        if (tg_outbox_seq(c, at) > c->tx_high && (tg_outbox_head(at) & TG_LENGTH_BITS) != 1u) break;
    }
    memmove(at + TG_PART_BYTES, at, (size_t)(c->ring_end - at));
    p = tg_pb_le32(at, tg_outbox_seq(c, at));
    p[0] = 1;
    p[1] = TG_UPDATES >> 8;
    p[2] = (uint8_t)(c->catalog_part++ - 1u);
    c->updates = (uint16_t)(c->updates + TG_PART_BYTES);
    c->ring_end += TG_PART_BYTES;
    c->next_seq++;
    at = tg_outbox_after(at);
    while (at != c->ring_end) {
        (void)tg_pb_le32(at, tg_pb_get32(at) + 1u);
        at = tg_outbox_after(at);
    }
#if TG_WITH_STORE
    if (TG_HAS_STORE(c)) (void)tg_save(c); /* the old numbers must not come back [P-9] */
#endif
}

uint8_t *tg_send_catalog(tg_client *c, uint8_t *at, uint8_t part)
{
    const uint8_t parts = cut(c, NULL, 0);
    uint8_t *start;
    if (at == NULL) {
        if (part != 0) queue_part(c, parts);
        else c->catalog_hash = hash(c->config);
        return parts != 0 ? c->config->tx : NULL;
    }
    start = tg_pb_begin(at, UP_CATALOG);
    at = tg_pb_put(tg_pb_put(tg_pb_put(start, HASH, c->catalog_hash), PART, part), PARTS, parts);
    (void)cut(c, &at, part);
    return tg_pb_end(start, at);
}
