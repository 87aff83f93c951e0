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

static uint8_t *pb_tag(uint8_t *p, uint8_t number, uint8_t wire)
{
    return tg_pb_varint(p, (uint32_t)number << 3 | wire);
}

TG_INTERNAL uint8_t *tg_pb_u32(uint8_t *p, uint8_t number, uint32_t v)
{
    return v == 0 ? p : tg_pb_varint(pb_tag(p, number, 0), v);
}

TG_INTERNAL uint8_t *tg_pb_fixed32(uint8_t *p, uint8_t number, uint32_t v)
{
    return v == 0 ? p : tg_pb_le32(pb_tag(p, number, 5), v);
}

TG_INTERNAL uint8_t *tg_pb_bytes(uint8_t *p, uint8_t number, const tg_span *bytes)
{
    const size_t n = bytes->len;
    if (n == 0) return p;
    p = tg_pb_varint(pb_tag(p, number, 2), bytes->len);
    memcpy(p, bytes->ptr, n);
    return p + n;
}

TG_INTERNAL uint8_t *tg_pb_begin(uint8_t *p, uint8_t number)
{
    return pb_tag(p, number, 2) + 1;
}

TG_INTERNAL uint8_t *tg_pb_end(uint8_t *start, uint8_t *p)
{
    const size_t n = (size_t)(p - start);
    if (n > 0x7Fu) { /* below 2^14: no buffer of a device is larger */
        memmove(start + 1, start, n);
        *start = (uint8_t)(n >> 7);
        start[-1] = (uint8_t)(n | 0x80u);
        return p + 1;
    }
    start[-1] = (uint8_t)n;
    return p;
}

/* A varint's low 32 bits: returns where it ends; NULL when it is cut off, or longer than 10 bytes. */
static const uint8_t *pb_take(const uint8_t *p, const uint8_t *end, uint32_t *value)
{
    uint32_t v = 0;
    uint8_t shift = 0;
    uint8_t b;
    do {
        if (p == end || shift == 70u) return NULL;
        b = *p++;
        if (shift < 32u) v |= (uint32_t)(b & 0x7Fu) << shift;
        shift = (uint8_t)(shift + 7u);
    } while (b > 0x7Fu);
    *value = v;
    return p;
}

TG_INTERNAL bool tg_pb_read(tg_span in, tg_fields *f)
{
    const uint8_t *p = in.ptr;
    const uint8_t *end = p;
    memset(f, 0, sizeof *f);
    if (in.len > 0) end += in.len; /* p is NULL when there is nothing */
    while (p != end) {
        uint32_t number;
        uint32_t n = 4;
        uint32_t v = 0;
        uint8_t wire;
        p = pb_take(p, end, &number);
        if (p == NULL || number < 8u) return false;
        wire = (uint8_t)(number & 7u);
        number >>= 3;
        if (wire == 0) {
            p = pb_take(p, end, &v);
            if (p == NULL) return false;
        } else {
            if (wire == 2) {
                p = pb_take(p, end, &n);
                if (p == NULL) return false;
            } else if (wire == 1) {
                n = 8;
            } else if (wire != 5) {
                return false;
            }
            if (n > (size_t)(end - p)) return false;
            if (wire == 5) v = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        }
        if (number < TG_FIELDS) {
            if (wire == 2) {
                tg_span *bytes = number == 3 ? &f->third : &f->last;
                bytes->ptr = p;
                bytes->len = (uint16_t)n;
                f->kind = (uint8_t)number;
            } else {
                f->v[number] = v;
            }
        }
        if (wire != 0) p += (size_t)n;
    }
    return true;
}
