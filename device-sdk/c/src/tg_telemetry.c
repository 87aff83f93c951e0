/* tg_telemetry.c -- readings and log lines, encoded straight into the caller's scratch buffer.
 *
 *   body   tag telemetry | length | uptime_ms | series | series ...      one series per tg_put
 */
#include "tg_core.h"

#include <string.h>

/* Body numbers of Uplink; fields of Telemetry, Series and Log. */
enum { UP_TELEMETRY = TG_BYTES(5), UP_LOG = TG_BYTES(9) };
enum { UPTIME_MS = TG_NUMBER(1), SERIES = TG_BYTES(3) };
enum { SIGNAL = TG_NUMBER(1), PERIOD_US = TG_NUMBER(3), INTS = TG_BYTES(5), FLOATS = TG_BYTES(6), TEXTS = TG_BYTES(9) };
enum { LOG_UPTIME_MS = TG_NUMBER(1), LEVEL = TG_NUMBER(2), TEXT = TG_BYTES(3) };

#define SCRATCH_BYTES_MIN 16u
#define BODY_AT 2u /* behind tag and length, where the body of the message begins */

/* Tags and lengths of a series: of itself 3, its signal 3, its period 6, its column 3. */
#define SERIES_BYTES 15u
/* The same around one number, which needs no period and short lengths, and the number. */
#define READING_BYTES 12u

#if TG_WITH_STORE
#define NONCE_BYTES 5u /* the boot it was measured in: the message may outlive it [P-9] */
#define BOOT_NONCE TG_FIXED(4)
#endif

/* Where the next n bytes go; NULL when they do not fit, and then the whole message is worthless. */
static uint8_t *reading_room(tg_writer *w, size_t n)
{
    if (n > (size_t)(w->cap - w->len)) w->failed = true;
    return w->failed ? NULL : w->buf + w->len;
}

static tg_err done(tg_writer *w, const uint8_t *p)
{
    w->len = (uint16_t)(p - w->buf);
    return TG_OK;
}

static uint32_t zigzag(int32_t v)
{
    return v < 0 ? ~((uint32_t)v << 1) : (uint32_t)v << 1;
}

tg_err tg_telemetry_begin(tg_client *c, tg_writer *w, uint8_t *scratch, uint16_t cap)
{
    uint8_t *p;
    if (c == NULL || w == NULL || scratch == NULL) return TG_ERR_ARG;
    if (cap < SCRATCH_BYTES_MIN) return TG_ERR_NO_SPACE;
    w->buf = scratch;
    w->cap = (uint16_t)(cap - 1u); /* the body's length may grow by a byte */
#if TG_WITH_STORE
    if (TG_HAS_STORE(c)) w->cap = (uint16_t)(w->cap - NONCE_BYTES);
#endif
    w->failed = false;
    p = tg_pb_begin(scratch, UP_TELEMETRY);
    *p++ = UPTIME_MS; /* written even when 0: it says which base is meant */
    return done(w, tg_pb_varint(p, tg_now_ms(c)));
}

/* One number: a series of which every length is one byte. */
static tg_err put_one(tg_writer *w, uint8_t signal, uint8_t column, uint32_t v)
{
    uint8_t *series = reading_room(w, READING_BYTES);
    uint8_t *packed;
    uint8_t *p;
    if (series == NULL) return TG_ERR_NO_SPACE;
    series = tg_pb_begin(series, SERIES);
    packed = tg_pb_begin(tg_pb_put(series, SIGNAL, signal), column);
    p = column == FLOATS ? tg_pb_le32(packed, v) : tg_pb_varint(packed, v);
    packed[-1] = (uint8_t)(p - packed);
    series[-1] = (uint8_t)(p - series);
    return done(w, p);
}

tg_err tg_put_f32(tg_writer *w, uint8_t signal, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return put_one(w, signal, FLOATS, bits);
}

tg_err tg_put_i32(tg_writer *w, uint8_t signal, int32_t value)
{
    return put_one(w, signal, INTS, zigzag(value));
}

tg_err tg_put_bool(tg_writer *w, uint8_t signal, bool value)
{
    return tg_put_i32(w, signal, value ? 1 : 0);
}

tg_err tg_put_f32_series(tg_writer *w, const tg_series *about, const float *values, uint8_t count)
{
    uint8_t *series = reading_room(w, SERIES_BYTES + 4u * (size_t)count);
    uint8_t *packed;
    uint8_t *p;
    if (series == NULL) return TG_ERR_NO_SPACE;
    series = tg_pb_begin(series, SERIES);
    p = tg_pb_put(tg_pb_put(series, SIGNAL, about->signal), PERIOD_US, about->period_us);
    packed = p = tg_pb_begin(p, FLOATS);
    for (; count > 0; count--) {
        uint32_t bits;
        memcpy(&bits, values++, sizeof bits);
        p = tg_pb_le32(p, bits);
    }
    return done(w, tg_pb_end(series, tg_pb_end(packed, p)));
}

tg_err tg_put_i32_series(tg_writer *w, const tg_series *about, const int32_t *values, uint8_t count)
{
    uint8_t *series = reading_room(w, SERIES_BYTES + 5u * (size_t)count);
    uint8_t *packed;
    uint8_t *p;
    if (series == NULL) return TG_ERR_NO_SPACE;
    series = tg_pb_begin(series, SERIES);
    p = tg_pb_put(tg_pb_put(series, SIGNAL, about->signal), PERIOD_US, about->period_us);
    packed = p = tg_pb_begin(p, INTS);
    for (; count > 0; count--) p = tg_pb_varint(p, zigzag(*values++));
    return done(w, tg_pb_end(series, tg_pb_end(packed, p)));
}

tg_err tg_put_str(tg_writer *w, uint8_t signal, tg_span text)
{
    uint8_t *series = reading_room(w, SERIES_BYTES + (size_t)text.len);
    uint8_t *start;
    uint8_t *p;
    if (series == NULL) return TG_ERR_NO_SPACE;
    series = tg_pb_begin(series, SERIES);
    start = p = tg_pb_begin(tg_pb_put(series, SIGNAL, signal), TEXTS);
    if (text.len > 0) memcpy(p, text.ptr, text.len);
    return done(w, tg_pb_end(series, tg_pb_end(start, p + text.len)));
}

/* Closes the body and queues it. */
static tg_err queue(tg_client *c, tg_writer *w)
{
    uint8_t *body;
    uint16_t n;
    tg_err err;
    if (w->failed) return TG_ERR_NO_SPACE;
    n = (uint16_t)(tg_pb_end(w->buf + BODY_AT, w->buf + w->len) - w->buf);
    err = tg_outbox_open(c, TG_TELEMETRY, n);
    if (err != TG_OK) return err;
    body = tg_outbox_body(c);
    memcpy(body, w->buf, n);
    tg_outbox_close(c, TG_TELEMETRY, body + n);
    return TG_OK;
}

tg_err tg_telemetry_end(tg_client *c, tg_writer *w)
{
    if (c == NULL || w == NULL) return TG_ERR_ARG;
#if TG_WITH_STORE
    if (TG_HAS_STORE(c)) w->len = (uint16_t)(tg_pb_put(w->buf + w->len, BOOT_NONCE, c->echo.boot_nonce) - w->buf);
#endif
    return queue(c, w);
}

tg_err tg_log(tg_client *c, const tg_log_line *line, uint8_t *scratch, uint16_t cap)
{
    tg_writer w;
    uint8_t *p;
    if (c == NULL || line == NULL || scratch == NULL || line->level > 7) return TG_ERR_ARG;
    if (cap < SCRATCH_BYTES_MIN || cap - SCRATCH_BYTES_MIN < line->text.len) return TG_ERR_NO_SPACE;
    p = tg_pb_begin(scratch, UP_LOG);
    p = tg_pb_put(p, LOG_UPTIME_MS, tg_now_ms(c));
    p = tg_pb_put(p, LEVEL, line->level);
    p = tg_pb_bytes(p, TEXT, &line->text);
    w.buf = scratch;
    w.len = (uint16_t)(p - scratch);
    w.failed = false;
    return queue(c, &w);
}
