/* tg_catalog.c -- writes a catalog; linked only by applications that do so at run time. */
#include "../include/tg_catalog.h"

#include <string.h>

#include "tg_pb.h"

enum { SIGNALS = TG_BYTES(4), COMMANDS = TG_BYTES(5) };

/* An entry without its texts: tags, lengths and numbers at their longest. */
#define SIGNAL_BYTES 36u
#define COMMAND_BYTES 14u

static tg_span text(const char *s)
{
    tg_span span = {NULL, 0};
    if (s != NULL) {
        span.ptr = (const uint8_t *)s;
        span.len = (uint16_t)strlen(s);
    }
    return span;
}

static uint32_t scale_zigzag(int8_t v)
{
    return v < 0 ? ~((uint32_t)(int32_t)v << 1) : (uint32_t)v << 1;
}

tg_err tg_catalog_begin(tg_writer *w, uint8_t *buffer, uint16_t cap)
{
    if (w == NULL || buffer == NULL) return TG_ERR_ARG;
    w->buf = buffer;
    w->cap = cap;
    w->len = 0;
    w->failed = false;
    return TG_OK;
}

/* Where an entry of at most n bytes goes; NULL: no room. */
static uint8_t *open_entry(tg_writer *w, uint8_t tag, size_t n)
{
    if (n > (size_t)(w->cap - w->len)) w->failed = true;
    return w->failed ? NULL : tg_pb_begin(w->buf + w->len, tag);
}

static tg_err close_entry(tg_writer *w, uint8_t *start, uint8_t *p)
{
    w->len = (uint16_t)(tg_pb_end(start, p) - w->buf);
    return TG_OK;
}

tg_err tg_catalog_signal(tg_writer *w, const tg_signal *s)
{
    tg_span texts[4];
    uint8_t *start;
    uint8_t *p;
    if (w == NULL || s == NULL || s->id == 0 || s->key == NULL) return TG_ERR_ARG;
    texts[0] = text(s->key);
    texts[1] = text(s->name);
    texts[2] = text(s->unit);
    texts[3] = text(s->device_class);
    start = open_entry(w, SIGNALS, (size_t)texts[0].len + texts[1].len + texts[2].len + texts[3].len + SIGNAL_BYTES);
    if (start == NULL) return TG_ERR_NO_SPACE;
    p = tg_pb_put(start, TG_NUMBER(1), s->id);
    p = tg_pb_bytes(p, TG_BYTES(2), &texts[0]);
    p = tg_pb_bytes(p, TG_BYTES(3), &texts[1]);
    p = tg_pb_put(p, TG_NUMBER(4), (uint32_t)s->type);
    p = tg_pb_bytes(p, TG_BYTES(5), &texts[2]);
    p = tg_pb_bytes(p, TG_BYTES(6), &texts[3]);
    p = tg_pb_put(p, TG_NUMBER(7), (uint32_t)s->kind);
    p = tg_pb_put(p, TG_NUMBER(8), scale_zigzag(s->scale));
    p = tg_pb_put(p, TG_NUMBER(9), s->interval_ms);
    return close_entry(w, start, p);
}

tg_err tg_catalog_command(tg_writer *w, const tg_command_spec *s)
{
    tg_span name;
    tg_span hint;
    uint8_t *start;
    uint8_t *p;
    if (w == NULL || s == NULL || s->code == 0 || s->name == NULL) return TG_ERR_ARG;
    name = text(s->name);
    hint = text(s->args_hint);
    start = open_entry(w, COMMANDS, (size_t)name.len + hint.len + COMMAND_BYTES);
    if (start == NULL) return TG_ERR_NO_SPACE;
    p = tg_pb_put(start, TG_NUMBER(1), s->code);
    p = tg_pb_bytes(p, TG_BYTES(2), &name);
    p = tg_pb_put(p, TG_NUMBER(3), s->at_most_once);
    p = tg_pb_bytes(p, TG_BYTES(4), &hint);
    return close_entry(w, start, p);
}

tg_span tg_catalog_end(const tg_writer *w)
{
    tg_span catalog;
    catalog.ptr = w->buf;
    catalog.len = w->failed ? 0 : w->len;
    return catalog;
}
