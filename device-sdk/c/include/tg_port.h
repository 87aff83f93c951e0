/* tg_port.h -- what a board gives the SDK, and the small types everything shares.
 *
 *     your application
 *        |  tg_client.h, tg_telemetry.h, tg_catalog.h
 *     the SDK            no globals, no heap, no operating system, no clock of its own
 *        |  tg_port      six functions, filled in once per board
 *     UART, TCP or TLS
 *
 * Every function of a port returns at once. Bytes are bytes: a port knows nothing of frames.
 */
#ifndef TG_PORT_H
#define TG_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every failure the SDK can report. TG_OK is zero, failures are negative. */
typedef enum tg_err {
    TG_OK = 0,
    TG_ERR_ARG = -1,       /* caller bug: a null pointer or a value out of range                       */
    TG_ERR_NO_SPACE = -2,  /* a buffer of yours is too small or full; nothing was changed               */
    TG_ERR_TOO_BIG = -3,   /* it would never fit: the ring or the send buffer is smaller than this       */
    TG_ERR_STATE = -4      /* not now: the numbers of this epoch ran out [P-10]; try again when online   */
} tg_err;

/* Bytes somebody else owns. `ptr` may be NULL when `len` is 0. */
typedef struct tg_span {
    const uint8_t *ptr;
    uint16_t len; /* bytes */
} tg_span;

/* The board. All functions are required; none may block. `ctx` is passed back and otherwise untouched.
 *
 *   open     start or go on opening the link. 1: up; 0: still opening, ask again; < 0: failed
 *            (TG_PORT_REFUSED: the peer turned us away for good, e.g. its certificate is not ours).
 *            On a UART: configure it, drop what its receiver holds, return 1.
 *   send     take up to n bytes (n >= 1). Returns how many were taken (0: none now, later), < 0: link dead.
 *   recv     give up to cap bytes (cap >= 1). Returns how many (0: none now), < 0: link dead.
 *   close    drop the link. Called once per open() that returned 0 or 1. open() may follow at once.
 *   now_ms   milliseconds since boot; may wrap at 2^32; must never go back.
 *   entropy  32 bits that two boards, and two boots of one board, do not share. They seed the jitter of
 *            reconnects, the boot nonce and the WebSocket mask; they need not be cryptographic.
 */
typedef struct tg_port {
    int16_t (*open)(void *ctx);
    int16_t (*send)(void *ctx, const uint8_t *p, uint16_t n);
    int16_t (*recv)(void *ctx, uint8_t *p, uint16_t cap);
    void (*close)(void *ctx);
    uint32_t (*now_ms)(void *ctx);
    uint32_t (*entropy)(void *ctx);
    void *ctx;
} tg_port;

/* What open() returns when trying again soon is useless: the client then asks again once an hour. */
#define TG_PORT_REFUSED (-2)

#ifdef __cplusplus
}
#endif
#endif
