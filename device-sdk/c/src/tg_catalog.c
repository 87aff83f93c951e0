/* tg_catalog.c -- writes a catalog; linked only by applications that do so at run time. */
#include "../include/tg_catalog.h"

#include <string.h>

#include "tg_pb.h"

enum { SIGNALS = 4, COMMANDS = 5 };

static tg_span text(const char *s)
{
    tg_span span = {NULL, 0};
    if (s != NULL) {
        span.ptr = (const uint8_t *)s;
        span.len = (uint16_t)strlen(s);
    }
    return span;
}

static uint32_t zigzag(int8_t v)
{
    return v < 0 ? ~((uint32_t)(int32_t)v << 1) : (uint32_t)v << 1;
}

tg_err tg_catalog_begin(tg_writer *w, uint8_t *buffer, uint16_t cap)
{
    if (w == NULL || buffer == NULL) return TG_ERR_ARG;
    tg_pb_open(w, buffer, cap);
    return TG_OK;
}

tg_err tg_catalog_signal(tg_writer *w, const tg_signal *s)
{
    uint16_t mark;
    if (w == NULL || s == NULL || s->id == 0 || s->key == NULL) return TG_ERR_ARG;
    mark = tg_pb_begin(w, SIGNALS);
    tg_pb_u32(w, 1, s->id);
    tg_pb_bytes(w, 2, text(s->key));
    tg_pb_bytes(w, 3, text(s->name));
    tg_pb_u32(w, 4, (uint32_t)s->type);
    tg_pb_bytes(w, 5, text(s->unit));
    tg_pb_bytes(w, 6, text(s->device_class));
    tg_pb_u32(w, 7, (uint32_t)s->kind);
    tg_pb_u32(w, 8, zigzag(s->scale));
    tg_pb_u32(w, 9, s->interval_ms);
    tg_pb_end(w, mark);
    return w->failed ? TG_ERR_NO_SPACE : TG_OK;
}

tg_err tg_catalog_command(tg_writer *w, const tg_command_spec *s)
{
    uint16_t mark;
    if (w == NULL || s == NULL || s->code == 0 || s->name == NULL) return TG_ERR_ARG;
    mark = tg_pb_begin(w, COMMANDS);
    tg_pb_u32(w, 1, s->code);
    tg_pb_bytes(w, 2, text(s->name));
    tg_pb_u32(w, 3, s->at_most_once);
    tg_pb_bytes(w, 4, text(s->args_hint));
    tg_pb_end(w, mark);
    return w->failed ? TG_ERR_NO_SPACE : TG_OK;
}

tg_span tg_catalog_end(const tg_writer *w)
{
    tg_span catalog;
    catalog.ptr = w->buf;
    catalog.len = w->failed ? 0 : w->len;
    return catalog;
}
