/* tg_telemetry.h -- readings and log lines, into the outbox.
 *
 *   uint8_t scratch[48];
 *   tg_writer w;
 *   tg_telemetry_begin(&client, &w, scratch, sizeof scratch);
 *   tg_put_f32(&w, SIGNAL_TEMPERATURE, 21.4f);
 *   tg_put_i32(&w, SIGNAL_HUMIDITY, 473);             // 47.3 % with scale -1
 *   if (tg_telemetry_end(&client, &w) != TG_OK) ...   // nothing was queued
 *
 * A message is sent whole or not at all: a reading that does not fit makes tg_telemetry_end() fail. All readings of
 * one message carry one timestamp, the port's clock at tg_telemetry_begin(); the gateway turns it into UTC [P-23].
 */
#ifndef TG_TELEMETRY_H
#define TG_TELEMETRY_H

#include "tg_client.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes protobuf into a buffer of yours. Private fields. */
typedef struct tg_writer {
    uint8_t *buf;
    uint16_t cap;
    uint16_t len;
    bool failed; /* something did not fit: the whole is worthless */
} tg_writer;

/* Starts a message of readings taken now.
 *
 *   scratch, cap  where it is written; yours, needed until tg_telemetry_end().
 *                 10 bytes + 14 per reading, and a text or series more.
 *
 * Returns TG_OK, TG_ERR_ARG (a pointer is NULL) or TG_ERR_NO_SPACE (cap < 16).
 */
tg_err tg_telemetry_begin(tg_client *client, tg_writer *writer, uint8_t *scratch, uint16_t cap);

/* Adds one reading. `signal` is its number in your catalog, 1 .. 255.
 * All return TG_OK, or TG_ERR_NO_SPACE, which tg_telemetry_end() will repeat: you may ignore it here. */
tg_err tg_put_f32(tg_writer *writer, uint8_t signal, float value); /* NaN is allowed and means bad            */
tg_err tg_put_i32(tg_writer *writer, uint8_t signal, int32_t value); /* scaled by the signal's 10^scale; enums */
tg_err tg_put_bool(tg_writer *writer, uint8_t signal, bool value);
tg_err tg_put_str(tg_writer *writer, uint8_t signal, tg_span text); /* UTF-8, copied                          */

/* Adds `count` readings of one signal taken at a fixed interval; the first at tg_telemetry_begin()'s time, so begin
 * the message when the first is taken. Returns as above. */
typedef struct tg_series {
    uint8_t signal;
    uint32_t period_us; /* microseconds from one to the next, >= 1 */
} tg_series;
tg_err tg_put_f32_series(tg_writer *writer, const tg_series *series, const float *values, uint8_t count);
tg_err tg_put_i32_series(tg_writer *writer, const tg_series *series, const int32_t *values, uint8_t count);

/* Queues the message. When the ring is full the oldest telemetry makes room, is counted and announced [P-1].
 *
 * Returns TG_OK, or
 *   TG_ERR_ARG       a pointer is NULL
 *   TG_ERR_NO_SPACE  a reading did not fit `scratch`; nothing was queued
 *   TG_ERR_TOO_BIG   it fits neither ring nor tx; nothing was queued
 *   TG_ERR_STATE     see TG_ERR_STATE
 */
tg_err tg_telemetry_end(tg_client *client, tg_writer *writer);

/* Queues a line of text for the gateway's log, delivered like telemetry.
 *
 *   level          as in RFC 5424: 0 emergency .. 7 debug
 *   text           UTF-8, copied
 *   scratch, cap   needed during the call: text + 16 bytes
 *
 * Returns as tg_telemetry_end().
 */
typedef struct tg_log_line {
    uint8_t level;
    tg_span text;
} tg_log_line;
tg_err tg_log(tg_client *client, const tg_log_line *line, uint8_t *scratch, uint16_t cap);

#ifdef __cplusplus
}
#endif
#endif
