/* tg_store.c -- saving and loading what survives a power cut; see tg_store.h.
 *
 *   head   | magic | generation | epoch | next_seq | acked | last_command | running | bytes | 0 | CRC-32 |   u32 each
 *
 * The CRC covers the nine words before it and the messages behind it.
 */
#include "tg_core.h"

#if TG_WITH_STORE

#include <string.h>

#define MAGIC 0x31736754u /* "Tgs1" */
#define UNIT 8u           /* bytes: what flash writes at once */

enum { HEAD_MAGIC, GENERATION, EPOCH, NEXT_SEQ, ACKED, LAST_COMMAND, RUNNING, BYTES, SPARE, CHECK, WORDS };
#define IMAGE_BYTES (4u * WORDS)

typedef struct image {
    uint8_t head[IMAGE_BYTES];
} image;

static uint32_t word(const image *i, uint8_t which)
{
    return tg_pb_get32(&i->head[4u * which]);
}

/* The CRC of a head and of n bytes behind it. */
static uint32_t check(const image *i, const uint8_t *p, uint16_t n)
{
    return ~tg_crc32(tg_crc32(TG_CRC_START, i->head, 4u * CHECK), p, n);
}

static void describe(const tg_client *c, image *i)
{
    const uint32_t words[WORDS] = {MAGIC,    c->config->store->generation + 1u,         c->epoch, c->limit != 0 ? c->limit : c->next_seq,
                                   c->acked, c->last_command, c->running, (uint16_t)(c->ring_end - c->ring_head)};
    const uint8_t *ring = c->ring_head;
    uint8_t *p = i->head;
    uint8_t k;
    for (k = 0; k < CHECK; k++) p = tg_pb_le32(p, words[k]);
    (void)tg_pb_le32(p, check(i, ring, (uint16_t)words[BYTES]));
}

/* Erases the slot and writes the messages, then the head. */
static bool write_image(const tg_client *c, const image *i, uint32_t at)
{
    const tg_store *store = c->config->store;
    const uint8_t *ring = c->ring_head;
    const uint16_t n = (uint16_t)word(i, BYTES);
    const uint16_t whole = (uint16_t)(n & ~(UNIT - 1u));
    uint8_t tail[UNIT];
    memset(tail, 0xFF, sizeof tail);
    if (store->erase(store->ctx, at, store->slot_bytes) != 0) return false;
    if (whole > 0 && store->write(store->ctx, at + IMAGE_BYTES, ring, whole) != 0) return false;
    if (n > whole) {
        memcpy(tail, ring + whole, (size_t)(n - whole));
        if (store->write(store->ctx, at + IMAGE_BYTES + whole, tail, UNIT) != 0) return false;
    }
    return store->write(store->ctx, at, i->head, IMAGE_BYTES) == 0;
}

tg_err tg_save(tg_client *c)
{
    tg_store *store = c->config->store;
    image i;
    uint8_t slot;
    if (store == NULL || store->slots < 2u) return TG_ERR_ARG;
    describe(c, &i);
    if (word(&i, BYTES) + IMAGE_BYTES + UNIT > store->slot_bytes) return TG_ERR_NO_SPACE;
    slot = (uint8_t)(store->slot + 1u < store->slots ? store->slot + 1u : 0u);
    if (!write_image(c, &i, slot * store->slot_bytes)) {
        store->failures++;
        return TG_ERR_STATE;
    }
    store->slot = slot;
    store->generation++;
    return TG_OK;
}

/* Reads slot `slot` and its messages into the ring; false: it does not hold a whole image. */
static bool read_image(const tg_client *c, image *i, uint8_t slot)
{
    const tg_store *store = c->config->store;
    const uint32_t at = slot * store->slot_bytes;
    uint32_t n;
    if (store->read(store->ctx, at, i->head, IMAGE_BYTES) != 0 || word(i, HEAD_MAGIC) != MAGIC) return false;
    n = word(i, BYTES);
    if (n > c->config->ring_bytes || n + IMAGE_BYTES > store->slot_bytes) return false;
    if (n > 0 && store->read(store->ctx, at + IMAGE_BYTES, c->config->ring, (uint16_t)n) != 0) return false;
    return word(i, CHECK) == check(i, c->config->ring, (uint16_t)n);
}

/* Finds the newest image; its slot, or store->slots when there is none. */
static uint8_t find_newest(const tg_client *c)
{
    tg_store *store = c->config->store;
    uint8_t newest = store->slots;
    uint8_t slot;
    for (slot = 0; slot < store->slots; slot++) {
        image i;
        if (!read_image(c, &i, slot) || word(&i, GENERATION) < store->generation) continue;
        store->generation = word(&i, GENERATION);
        store->slot = slot;
        newest = slot;
    }
    return newest;
}

/* Counts the update bytes among the records, and lets parts of the catalog go: they name what may have changed. False:
 * they are no records, or more than a share. */
static bool sort_records(tg_client *c)
{
    uint8_t *at = c->ring_head;
    uint32_t seq = 0;
    while (at != c->ring_end) {
        const size_t left = (size_t)(c->ring_end - at);
        const uint16_t head = left < TG_HEADER_BYTES ? TG_LENGTH_BITS : tg_outbox_head(at);
        const size_t n = (size_t)TG_HEADER_BYTES + (head & TG_LENGTH_BITS);
        if (n > left || tg_pb_get32(at) <= seq) return false;
        seq = tg_pb_get32(at);
        if (head & TG_UPDATES) c->updates = (uint16_t)(c->updates + n);
        at += n;
    }
    if (seq >= c->next_seq || c->updates > c->update_bytes) return false;
    if ((size_t)(c->ring_end - c->ring_head) > (size_t)c->config->ring_bytes - c->update_bytes + c->updates) return false;
    for (at = c->ring_head; at != c->ring_end;) {
        if ((tg_outbox_head(at) & TG_LENGTH_BITS) == 1u) at = tg_outbox_remove(c, at);
        else at = tg_outbox_after(at);
    }
    return true;
}

/* The image's numbers become the client's. */
static void resume(tg_client *c, const image *i)
{
    const tg_span none = {NULL, 0};
    c->last_command = word(i, LAST_COMMAND);
    if (c->ring_head != c->ring_end) {
        c->epoch = word(i, EPOCH);
        c->acked = word(i, ACKED);
        c->cursor = c->acked;
        if (c->epoch != 0) {
            c->limit = c->next_seq;
            c->tx_high = c->next_seq - 1u; /* any of it may have been sent: what is safe may be acked [P-3] */
        }
    } else {
        c->next_seq = 1;
    }
    if (word(i, RUNNING) != 0) (void)tg_reply(c, word(i, RUNNING), TG_INTERRUPTED, none); /* [P-19] */
}

tg_err tg_load(tg_client *c)
{
    tg_store *store = c->config->store;
    image i;
    uint8_t slot;
    if (store == NULL || store->slots < 2u) return TG_ERR_ARG;
    if (c->next_seq != 1u || c->phase != TG_WAITING) return TG_ERR_STATE;
    store->generation = 0;
    slot = find_newest(c);
    if (slot == store->slots || !read_image(c, &i, slot)) return TG_OK;
    c->ring_end = c->ring_head + word(&i, BYTES);
    c->next_seq = word(&i, NEXT_SEQ);
    if (!sort_records(c)) {
        c->ring_end = c->ring_head;
        c->updates = 0;
        c->next_seq = 1;
        c->last_command = word(&i, LAST_COMMAND);
        return TG_ERR_TOO_BIG;
    }
    resume(c, &i);
    return TG_OK;
}

#else
typedef int tg_store_is_not_compiled; /* a C file has to hold something */
#endif
