/* tg_pb.c -- the protobuf writer and reader; see tg_pb.h.
 *
 * A nested length is written after its content: one byte is kept free, and a content of 128 bytes or more is shifted
 * by one to make room for the second.
 */
#include "tg_pb.h"

#include <string.h>

TG_INTERNAL uint8_t *tg_pb_varint(uint8_t *p, uint32_t v)
{
    while (v > 0x7Fu) {
        *p++ = (uint8_t)(v | 0x80u);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

TG_INTERNAL uint8_t *tg_pb_le32(uint8_t *p, uint32_t v)
{
    uint8_t i;
    for (i = 0; i < 4; i++) {
        *p++ = (uint8_t)v;
        v >>= 8;
    }
    return p;
}

TG_INTERNAL uint8_t *tg_pb_put(uint8_t *p, uint8_t tag, uint32_t v)
{
    if (v == 0) return p;
    p = tg_pb_varint(p, tag);
    return tag & 1u ? tg_pb_le32(p, v) : tg_pb_varint(p, v);
}

TG_INTERNAL uint8_t *tg_pb_bytes(uint8_t *p, uint8_t tag, const tg_span *bytes)
{
    const uint16_t n = bytes->len;
    if (n == 0) return p;
    p = tg_pb_put(p, (uint8_t)tag, n);
    memcpy(p, bytes->ptr, n);
    return p + n;
}

TG_INTERNAL uint8_t *tg_pb_begin(uint8_t *p, uint8_t tag)
{
    *p = tag; /* of a field below 16 */
    return p + 2;
}

TG_INTERNAL uint8_t *tg_pb_end(uint8_t *start, uint8_t *p)
{
    const size_t n = (size_t)(p - start);
    if (n > 0x7Fu) { /* below 2^14: no message of a device is larger */
        memmove(start + 1, start, n);
        *start = (uint8_t)(n >> 7);
        start[-1] = (uint8_t)(n | 0x80u);
        return p + 1;
    }
    start[-1] = (uint8_t)n;
    return p;
}

TG_INTERNAL uint32_t tg_pb_get32(const uint8_t *p)
{
    uint32_t v = 0;
    uint8_t i;
    for (i = 4; i > 0; i--) v = v << 8 | p[i - 1u];
    return v;
}

/* What is left of a message. */
typedef struct rest {
    const uint8_t *p;
    const uint8_t *end;
} rest;

/* A varint's low 32 bits. One that is cut off, or longer than 10 bytes, leaves nothing to read from. */
static uint32_t pb_take(rest *r)
{
    uint32_t v = 0;
    uint8_t shift = 0;
    uint8_t b;
    do {
        if (r->p == r->end || shift == 70u) {
            r->p = NULL;
            break;
        }
        b = *r->p++;
        if (shift < 32u) v |= (uint32_t)(b & 0x7Fu) << shift;
        shift = (uint8_t)(shift + 7u);
    } while (b > 0x7Fu);
    return v;
}

TG_INTERNAL bool tg_pb_read(const uint8_t *base, uint32_t where, uint16_t bytes, tg_fields *f)
{
    rest r;
    r.p = base + (uint16_t)where;
    r.end = r.p + (uint16_t)(where >> 16);
    memset(f, 0, sizeof *f);
    while (r.p != r.end) {
        uint32_t n = 0;
        uint32_t v = 0;
        const uint32_t tag = pb_take(&r);
        const uint8_t wire = (uint8_t)(tag & 7u);
        const uint8_t *p;
        if (r.p == NULL || tag < 8u || wire == 3u || wire == 4u || wire > 5u) return false;
        if (wire == 5) n = 4;
        else if (wire == 1) n = 8;
        else v = pb_take(&r);
        if (wire == 2) n = v;
        p = r.p;
        if (p == NULL || n > (size_t)(r.end - p)) return false;
        r.p = p + n;
        if (wire == 5) v = tg_pb_get32(p);
        if (tag >> 3 >= TG_FIELDS || (wire == 2) != (((uint32_t)bytes >> (tag >> 3) & 1u) != 0)) continue;
        if (wire == 2) {
            v = TG_WHERE(p - base, n);
            f->kind = (uint8_t)(tag >> 3);
        }
        f->v[tag >> 3] = v;
    }
    return true;
}
