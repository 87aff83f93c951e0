/* tg_catalog.h -- what the device measures and obeys, written once into a buffer of yours.
 *
 *   tg_catalog_begin(&w, buffer, sizeof buffer);
 *   tg_catalog_signal(&w, &(tg_signal){ .id = 1, .key = "temperature", .type = TG_FLOAT, .unit = "\xC2\xB0" "C" });
 *   tg_catalog_command(&w, &(tg_command_spec){ .code = 1, .name = "fan" });
 *   config.catalog = tg_catalog_end(&w);
 *   config.send_catalog = tg_send_catalog;
 *
 * The gateway keeps it by its hash and asks for it only when it does not know it. On boards short of RAM the same
 * bytes can be made at build time and kept in flash.
 */
#ifndef TG_CATALOG_H
#define TG_CATALOG_H

#include "tg_telemetry.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the values of a signal are carried. The values are those of the wire. */
typedef enum tg_type {
    TG_BOOL = 1,
    TG_INT = 2,
    TG_LONG = 3,
    TG_FLOAT = 4,
    TG_DOUBLE = 5,
    TG_TEXT = 6,
    TG_ENUM = 7,
    TG_BLOB = 8
} tg_type;

/* What the values of a signal mean. The values are those of the wire. */
typedef enum tg_kind {
    TG_MEASUREMENT = 1,
    TG_TOTAL = 2,
    TG_TOTAL_INCREASING = 3,
    TG_STATE_KIND = 4,
    TG_EVENT_KIND = 5,
    TG_SETPOINT = 6
} tg_kind;

/* One signal. Strings are zero-terminated UTF-8, read during the call only; NULL means none. */
typedef struct tg_signal {
    uint8_t id;               /* 1 .. 255                                              */
    const char *key;          /* ^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$                      */
    const char *name;         /* for people; may be NULL                               */
    tg_type type;
    const char *unit;         /* as displayed: °C, %, hPa; may be NULL                 */
    const char *device_class; /* temperature, humidity, battery …; may be NULL         */
    tg_kind kind;             /* 0: unspecified                                        */
    int8_t scale;             /* an integer v means v * 10^scale                       */
    uint32_t interval_ms;     /* how often it is reported; 0: not said                 */
} tg_signal;

/* One command. */
typedef struct tg_command_spec {
    uint8_t code;          /* 1 .. 255 */
    const char *name;      /* ^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$ */
    bool at_most_once;     /* true: never run twice, even if that means never run [P-17] */
    const char *args_hint; /* for people, e.g. {"on":true}; may be NULL */
} tg_command_spec;

/* Starts a catalog in `buffer`. Returns TG_OK or TG_ERR_ARG. */
tg_err tg_catalog_begin(tg_writer *writer, uint8_t *buffer, uint16_t cap);

/* Adds an entry. Returns TG_OK, TG_ERR_ARG (no id, no key) or TG_ERR_NO_SPACE. */
tg_err tg_catalog_signal(tg_writer *writer, const tg_signal *signal);
tg_err tg_catalog_command(tg_writer *writer, const tg_command_spec *command);

/* The finished catalog: points into the buffer. Empty when an entry did not fit. */
tg_span tg_catalog_end(const tg_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
