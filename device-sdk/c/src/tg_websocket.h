/* tg_websocket.h -- the parts of the WebSocket codec, for one another: frames, upgrade, SHA-1. */
#ifndef TG_WEBSOCKET_H
#define TG_WEBSOCKET_H

#include "tg_core.h"

/* tg_client.rx_phase */
enum {
    WS_UPGRADE, /* the lines of the response                                       */
    WS_HEAD,    /* a frame's first byte                                            */
    WS_LENGTH,  /* its second                                                      */
    WS_LONG,    /* the first byte of a longer length                               */
    WS_LONGER,  /* its second                                                      */
    WS_PAYLOAD, /* rx_check bytes of it are left                                   */
    WS_ANSWER,  /* a ping or close waits in rx[rx_at .. + rx_left) to be answered  */
    WS_CLOSED   /* our close is on its way; then the link ends                     */
};

/* tg_upgrade.c: the HTTP upgrade. */
/* Puts the next piece of the request into tx; false: all of it was sent. */
TG_INTERNAL bool tg_upgrade_request(tg_client *c);
/* Takes a byte of the response. < 0: the link is over. */
TG_INTERNAL int16_t tg_upgrade_byte(tg_client *c, uint8_t b);

/* tg_sha1.c: one block of 16 words, which stand backwards from x[TG_SHA1_WORDS - 1] on. */
#define TG_SHA1_WORDS 22u
TG_INTERNAL void tg_sha1_start(uint32_t *h);
TG_INTERNAL void tg_sha1_block(uint32_t *h, uint32_t *x);

#endif
