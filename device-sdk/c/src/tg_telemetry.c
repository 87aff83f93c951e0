/* tg_telemetry.c -- readings and log lines, encoded straight into the caller's scratch buffer.
 *
 *   body   tag telemetry | length | uptime_ms | series | series ...      one series per tg_put
 */
#include "tg_core.h"

#include <string.h>

/* Body numbers of Uplink; fields of Telemetry, Series and Log. */
enum { TELEMETRY = 5, LOG = 9, UPTIME_MS = 1, SERIES = 3, SIGNAL = 1, PERIOD_US = 3, INTS = 5, FLOATS = 6, TEXTS = 9 };

#define SCRATCH_BYTES_MIN 16u
#define BODY_AT 2u /* behind tag and length, where the body of the message begins */

tg_err tg_telemetry_begin(tg_client *c, tg_writer *w, uint8_t *scratch, uint16_t cap)
{
    if (c == NULL || w == NULL || scratch == NULL) return TG_ERR_ARG;
    if (cap < SCRATCH_BYTES_MIN) return TG_ERR_NO_SPACE;
    tg_pb_open(w, scratch, cap);
    (void)tg_pb_begin(w, TELEMETRY);
    tg_pb_byte(w, UPTIME_MS << 3); /* written even when 0: it says which base is meant */
    tg_pb_varint(w, tg_now_ms(c));
    return TG_OK;
}

static tg_err outcome(const tg_writer *w)
{
    return w->failed ? TG_ERR_NO_SPACE : TG_OK;
}

static uint16_t begin_series(tg_writer *w, uint8_t signal, uint32_t period_us)
{
    const uint16_t mark = tg_pb_begin(w, SERIES);
    tg_pb_u32(w, SIGNAL, signal);
    tg_pb_u32(w, PERIOD_US, period_us);
    return mark;
}

tg_err tg_put_f32_series(tg_writer *w, uint8_t signal, uint32_t period_us, const float *values, uint8_t count)
{
    const uint16_t series = begin_series(w, signal, period_us);
    const uint16_t packed = tg_pb_begin(w, FLOATS);
    for (; count > 0; count--) {
        uint32_t bits;
        memcpy(&bits, values++, 4);
        tg_pb_le32(w, bits);
    }
    tg_pb_end(w, packed);
    tg_pb_end(w, series);
    return outcome(w);
}

tg_err tg_put_i32_series(tg_writer *w, uint8_t signal, uint32_t period_us, const int32_t *values, uint8_t count)
{
    const uint16_t series = begin_series(w, signal, period_us);
    const uint16_t packed = tg_pb_begin(w, INTS);
    for (; count > 0; count--) {
        const int32_t v = *values++;
        tg_pb_varint(w, v < 0 ? ~((uint32_t)v << 1) : (uint32_t)v << 1); /* zigzag */
    }
    tg_pb_end(w, packed);
    tg_pb_end(w, series);
    return outcome(w);
}

tg_err tg_put_f32(tg_writer *w, uint8_t signal, float value)
{
    return tg_put_f32_series(w, signal, 0, &value, 1);
}

tg_err tg_put_i32(tg_writer *w, uint8_t signal, int32_t value)
{
    return tg_put_i32_series(w, signal, 0, &value, 1);
}

tg_err tg_put_bool(tg_writer *w, uint8_t signal, bool value)
{
    return tg_put_i32(w, signal, value ? 1 : 0);
}

tg_err tg_put_str(tg_writer *w, uint8_t signal, tg_span text)
{
    const uint16_t series = begin_series(w, signal, 0);
    const uint16_t mark = tg_pb_begin(w, TEXTS);
    tg_pb_raw(w, text.ptr, text.len);
    tg_pb_end(w, mark);
    tg_pb_end(w, series);
    return outcome(w);
}

/* Closes the body and queues it. */
static tg_err queue(tg_client *c, tg_writer *w)
{
    uint8_t *body;
    tg_err err;
    tg_pb_end(w, BODY_AT);
    if (w->failed) return TG_ERR_NO_SPACE;
    err = tg_outbox_push(c, TG_TELEMETRY, w->len, &body);
    if (err == TG_OK) memcpy(body, w->buf, w->len);
    return err;
}

tg_err tg_telemetry_end(tg_client *c, tg_writer *w)
{
    if (c == NULL || w == NULL) return TG_ERR_ARG;
    return queue(c, w);
}

tg_err tg_log(tg_client *c, const tg_log_line *line, uint8_t *scratch, uint16_t cap)
{
    tg_writer w;
    if (c == NULL || line == NULL || scratch == NULL || line->level > 7) return TG_ERR_ARG;
    tg_pb_open(&w, scratch, cap);
    (void)tg_pb_begin(&w, LOG);
    tg_pb_u32(&w, 1, tg_now_ms(c));
    tg_pb_u32(&w, 2, line->level);
    tg_pb_bytes(&w, 3, line->text);
    return queue(c, &w);
}
