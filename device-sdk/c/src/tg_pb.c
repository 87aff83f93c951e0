/* tg_pb.c -- the protobuf writer and reader; see tg_pb.h.
 *
 * A nested length is written after its content: one byte is kept free, and a content of 128 bytes or more is shifted
 * by one to make room for the second.
 */
#include "tg_pb.h"

#include <string.h>

void tg_pb_open(tg_writer *w, uint8_t *buf, uint16_t cap)
{
    w->buf = buf;
    w->cap = cap;
    w->len = 0;
    w->failed = false;
}

void tg_pb_byte(tg_writer *w, uint8_t b)
{
    tg_pb_raw(w, &b, 1);
}

void tg_pb_raw(tg_writer *w, const void *from, uint16_t n)
{
    if (n > (uint16_t)(w->cap - w->len)) {
        w->failed = true;
        return;
    }
    if (n > 0) memcpy(&w->buf[w->len], from, n); /* from may be NULL when n is 0 */
    w->len = (uint16_t)(w->len + n);
}

void tg_pb_varint(tg_writer *w, uint32_t v)
{
    while (v > 0x7Fu) {
        tg_pb_byte(w, (uint8_t)(v | 0x80u));
        v >>= 7;
    }
    tg_pb_byte(w, (uint8_t)v);
}

void tg_pb_le32(tg_writer *w, uint32_t v)
{
    uint8_t i;
    for (i = 0; i < 4; i++) {
        tg_pb_byte(w, (uint8_t)v);
        v >>= 8;
    }
}

static void put_tag(tg_writer *w, uint8_t number, uint8_t wire)
{
    tg_pb_varint(w, ((uint32_t)number << 3) | wire);
}

void tg_pb_u32(tg_writer *w, uint8_t number, uint32_t v)
{
    if (v == 0) return;
    put_tag(w, number, 0);
    tg_pb_varint(w, v);
}

void tg_pb_fixed32(tg_writer *w, uint8_t number, uint32_t v)
{
    if (v == 0) return;
    put_tag(w, number, 5);
    tg_pb_le32(w, v);
}

void tg_pb_bytes(tg_writer *w, uint8_t number, tg_span bytes)
{
    if (bytes.len == 0) return;
    put_tag(w, number, 2);
    tg_pb_varint(w, bytes.len);
    tg_pb_raw(w, bytes.ptr, bytes.len);
}

uint16_t tg_pb_begin(tg_writer *w, uint8_t number)
{
    put_tag(w, number, 2);
    tg_pb_byte(w, 0);
    return w->len;
}

void tg_pb_end(tg_writer *w, uint16_t mark)
{
    const uint16_t n = (uint16_t)(w->len - mark);
    uint8_t *at = w->buf + mark;
    if (w->failed) return;
    if (n > 0x7Fu) {
        tg_pb_byte(w, 0);
        if (w->failed || n > 0x3FFFu) {
            w->failed = true;
            return;
        }
        memmove(at + 1, at, n);
        *at = (uint8_t)(n >> 7);
        at[-1] = (uint8_t)(n | 0x80u);
    } else {
        at[-1] = (uint8_t)n;
    }
}

/* A varint's low 32 bits; false when it is cut off, or longer than 10 bytes. */
static bool take_varint(tg_span *in, uint32_t *value)
{
    uint32_t v = 0;
    uint8_t shift = 0;
    uint8_t b;
    do {
        if (in->len == 0 || shift == 70u) return false;
        b = *in->ptr++;
        in->len--;
        if (shift < 32u) v |= (uint32_t)(b & 0x7Fu) << shift;
        shift = (uint8_t)(shift + 7u);
    } while (b > 0x7Fu);
    *value = v;
    return true;
}

int8_t tg_pb_next(tg_span *in, tg_field *field)
{
    uint32_t n;
    uint8_t i = 4;
    if (in->len == 0) return 0;
    if (!take_varint(in, &n) || n < 8u) return -1;
    field->wire = (uint8_t)(n & 7u);
    field->number = n >> 3 > 255u ? 255u : (uint8_t)(n >> 3);
    field->value = 0;
    if (field->wire == 0) return take_varint(in, &field->value) ? 1 : -1;
    n = 8;
    if (field->wire == 5) n = 4;
    else if (field->wire == 2) { if (!take_varint(in, &n)) return -1; }
    else if (field->wire != 1) return -1;
    if (n > in->len) return -1;
    field->bytes.ptr = in->ptr;
    field->bytes.len = (uint16_t)n;
    in->ptr += (uint16_t)n;
    in->len = (uint16_t)(in->len - (uint16_t)n);
    if (field->wire == 5) {
        while (i-- > 0) field->value = field->value << 8 | field->bytes.ptr[i];
    }
    return 1;
}
