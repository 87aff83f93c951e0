/* wire.h -- protobuf for the tests' side of the line, written apart from the SDK's so that neither hides the other's
 * mistakes. Header only; overflow aborts, because a test knows its sizes. */
#ifndef WIRE_H
#define WIRE_H

#include <stdlib.h>
#include <string.h>

#include "../include/tg.h"

typedef struct wire_field {
    tg_span bytes;
    uint32_t value; /* low 32 bits */
    uint32_t number;
    uint8_t wire;
} wire_field;

typedef struct wire_writer {
    uint8_t *buf;
    size_t cap;
    size_t len;
} wire_writer;

static inline void wire_open(wire_writer *w, uint8_t *buf, size_t cap)
{
    w->buf = buf;
    w->cap = cap;
    w->len = 0;
}

static inline void wire_byte(wire_writer *w, unsigned b)
{
    if (w->len == w->cap) abort();
    w->buf[w->len++] = (uint8_t)b;
}

static inline void wire_raw(wire_writer *w, const uint8_t *p, size_t n)
{
    while (n-- > 0) wire_byte(w, *p++);
}

static inline void wire_varint(wire_writer *w, uint64_t v)
{
    for (; v >= 128; v /= 128) wire_byte(w, (unsigned)(v % 128) + 128u);
    wire_byte(w, (unsigned)v);
}

static inline void wire_u32(wire_writer *w, unsigned number, uint32_t v)
{
    if (v == 0) return;
    wire_varint(w, number * 8u);
    wire_varint(w, v);
}

static inline void wire_fixed32(wire_writer *w, unsigned number, uint32_t v)
{
    unsigned i;
    if (v == 0) return;
    wire_varint(w, number * 8u + 5u);
    for (i = 0; i < 4; i++) wire_byte(w, v >> 8 * i);
}

static inline void wire_bytes(wire_writer *w, unsigned number, const uint8_t *p, size_t n)
{
    if (n == 0) return;
    wire_varint(w, number * 8u + 2u);
    wire_varint(w, n);
    wire_raw(w, p, n);
}

/* 1: a varint taken; 0: cut off or too long. */
static inline int wire_take(tg_span *in, uint64_t *v)
{
    unsigned i;
    *v = 0;
    for (i = 0; i < 10 && in->len > 0; i++) {
        const uint8_t b = *in->ptr++;
        in->len--;
        *v |= (uint64_t)(b & 127u) << 7 * i;
        if (b < 128) return 1;
    }
    return 0;
}

/* 1: a field; 0: the end; -1: malformed. */
static inline int wire_next(tg_span *in, wire_field *f)
{
    uint64_t v;
    size_t n = 0;
    if (in->len == 0) return 0;
    if (!wire_take(in, &v)) return -1;
    f->number = (uint32_t)(v / 8);
    f->wire = (uint8_t)(v % 8);
    f->value = 0;
    if (f->number == 0) return -1;
    if (f->wire == 0) {
        if (!wire_take(in, &v)) return -1;
        f->value = (uint32_t)v;
        return 1;
    }
    if (f->wire == 2) {
        if (!wire_take(in, &v) || v > in->len) return -1;
        n = (size_t)v;
    } else if (f->wire == 1 || f->wire == 5) {
        n = f->wire == 1 ? 8 : 4;
    } else {
        return -1;
    }
    if (n > in->len) return -1;
    f->bytes.ptr = in->ptr;
    f->bytes.len = (uint16_t)n;
    in->ptr += n;
    in->len = (uint16_t)(in->len - n);
    if (f->wire == 5) memcpy(&f->value, f->bytes.ptr, 4); /* the host is little-endian */
    return 1;
}

#endif
