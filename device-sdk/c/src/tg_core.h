/* tg_core.h -- what the SDK's own files tell one another. Not for applications.
 *
 *   tg_client.c   phases, timers, the port          tg_outbox.c   numbers, eviction, acks
 *   tg_uplink.c   which message goes next           tg_downlink.c what a message from the gateway does
 *   tg_serial.c / tg_websocket.c  framing           tg_catalog_parts.c  cutting the catalog into messages
 */
#ifndef TG_CORE_H
#define TG_CORE_H

#include "../include/tg.h"
#include "tg_pb.h"

/* Constant tables: on AVR they would otherwise cost RAM. */
#if defined(__AVR__)
#include <avr/pgmspace.h>
#define TG_FLASH PROGMEM
#define TG_FLASH_BYTE(p) pgm_read_byte(p)
#define TG_FLASH_COPY(to, from, n) (void)memcpy_P(to, from, n)
#else
#define TG_FLASH
#define TG_FLASH_BYTE(p) (*(p))
#define TG_FLASH_COPY(to, from, n) (void)memcpy(to, from, n)
#endif

/* tg_client.flags */
#define TG_LOSSY 0x01u     /* the link may lose frames: Hello and the tail are repeated [P-11]      */
#define TG_READY 0x02u     /* the link carries messages (the WebSocket upgrade is done)             */
#define TG_MORE 0x04u      /* more to do at once                                                   */
#define TG_HOLD 0x08u      /* a Nack asked for patience: nothing reliable until `due`               */
#define TG_OWED 0x10u      /* Hello while greeting, Heartbeat while online: to be said now          */
#define TG_STOPPING 0x20u  /* tg_stop() was called                                                 */
#define TG_BYE_SENT 0x40u
#define TG_REPLIED 0x80u   /* the running on_command called tg_reply()                             */

/* The kind of a record, as it stands in its head. */
#define TG_TELEMETRY 0u    /* readings and log lines: the oldest makes room for the newest          */
#define TG_UPDATES 0x8000u /* command updates and catalog parts: never evicted [P-13]               */
#define TG_LENGTH_BITS 0x7FFFu

/* Numbers from here on are of the next epoch; and whether a number is. */
#if TG_WITH_STORE
#define TG_LIMIT(c) ((c)->limit != 0 ? (c)->limit : (c)->next_seq)
#define TG_IS_LATER(c, seq) ((c)->limit != 0 && (seq) >= (c)->limit)
#define TG_HAS_STORE(c) ((c)->config->store != NULL)
#define TG_DRAINS(c) ((c)->limit != 0) /* an older epoch, which takes no new numbers [P-9] */
#else
#define TG_LIMIT(c) ((c)->next_seq)
#define TG_IS_LATER(c, seq) false
#define TG_DRAINS(c) false
#endif

/* Numbers end here: what is held is drained, then a new epoch begins [P-10]. */
#define TG_SEQ_LAST 0xFFFEFFFFu

#define TG_HEADER_BYTES 6u        /* of a record in the ring                                      */
#define TG_PART_BYTES (TG_HEADER_BYTES + 1u) /* of a part of the catalog there                         */
#define TG_ENVELOPE_BYTES 12u     /* seq and gap in front of a body, at most                      */
#define TG_RING_BYTES_MIN 48u     /* of either part of the ring                                   */
#define TG_COMMAND_ROOM 48u       /* free bytes a command needs before it is taken: two short updates */
#define TG_MESSAGE_BYTES_MIN 64u  /* no limit, ours or the gateway's, goes below it                */
#define TG_MESSAGE_BYTES_MAX 16383u /* what a device sends at most: a length of two bytes           */
#define TG_SERIAL_BYTES_MAX 1024u /* largest message on a serial line                             */
#define TG_SOON_MS 2u             /* between two looks at a link that opens, or takes no bytes     */

/* Waits, in ticks of 256 ms: even 16 bits hold more than four hours of them, and half of that may be waited. */
#define TG_TICK_BITS 8u
#define TG_HELLO_TICKS 4u          /* 1 s: the first wait for Welcome on a lossy line              */
#define TG_RESEND_TICKS 8u         /* 2 s: the first wait for an ack on a lossy line               */
#define TG_HELLO_AGAIN_TICKS 2u    /* 0.5 s: SayHello is not answered more often                   */
#define TG_OPEN_TICKS 117u         /* 30 s for TCP, TLS and upgrade; then again for Welcome        */
#define TG_STALL_TICKS 39u         /* 10 s without a byte taken by the link: it is dead            */
#define TG_STABLE_TICKS 256u       /* a session of 65 s resets the backoff [P-21]                  */
#define TG_PAUSE_TICKS_MAX 14062u  /* 1 h: after a refusal, and the longest a gateway may ask for  */
#define TG_WHOLE_TICKS 2u          /* more, so that a wait is never short: it begins within a tick, and is cut to ticks */
#define TG_QUIET_TICKS 0x7FFFu     /* nothing is expected                                          */
#define TG_SPREAD_FIRST 3u         /* first pause: up to 3 ticks, below 1 s; longest: 255, below 65 s */

/* Why a link is over, as a verdict: 0 goes on, else one more than the reason. */
#define TG_OVER(reason) ((uint8_t)((reason) + 1u))

/* Keeps a function with a large frame, or one called in a rare case, out of the one that calls it: on AVR a frame takes
 * the only pointer register that reaches far, on all cores it spares registers saved for nothing. */
#if defined(__AVR__)
#define TG_APART __attribute__((noinline))
#else
#define TG_APART
#endif

/* What a framing is asked to do. */
enum {
    TG_OP_SIZES, /* set tx_head, tx_room and rx_room. Returns 0                                                 */
    TG_OP_UP,    /* the link is open: start afresh. Returns 0                                                   */
    TG_OP_RX,    /* one step of receiving. > 0: a message of so many bytes stands at rx[0]; 0: none; < 0: over  */
    TG_OP_OWN,   /* nothing is being sent: put bytes of your own into tx. 1: did so; 0: none                     */
    TG_OP_TX     /* tx_left bytes of message at tx[tx_at] shall go: one step; when done, clear tx_phase and let
                    tx_at, tx_left say the bytes for the wire. Returns 0                                        */
};

/* A framing's verdict that the link is over. */
#define TG_ENDED(reason) ((int16_t)(-1 - (int16_t)(reason)))

/* tg_outbox.c. A record is known by its place `at` in the ring, from c->ring_head up to c->ring_end. */
TG_INTERNAL void tg_outbox_reset(tg_client *c);
/* Its number; at the end, the next number. Its kind and the length of its body. The place behind it. */
TG_INTERNAL uint32_t tg_outbox_seq(const tg_client *c, const uint8_t *at);
TG_INTERNAL uint16_t tg_outbox_head(const uint8_t *at);
TG_INTERNAL uint8_t *tg_outbox_after(uint8_t *at);
/* Takes the record at `at` out; returns where the one behind it stands now. */
TG_INTERNAL uint8_t *tg_outbox_remove(tg_client *c, uint8_t *at);
/* Free bytes of a kind's share. */
TG_INTERNAL uint16_t tg_outbox_room(const tg_client *c, uint16_t kind);
/* Makes room for a body of at most `len` bytes: TG_UPDATES refuses when full, TG_TELEMETRY evicts. It is then written to
 * tg_outbox_body(), and tg_outbox_close() numbers it. */
TG_INTERNAL tg_err tg_outbox_open(tg_client *c, uint16_t kind, uint16_t len);
TG_INTERNAL uint8_t *tg_outbox_body(const tg_client *c);
TG_INTERNAL void tg_outbox_close(tg_client *c, uint16_t kind, uint8_t *end);
/* Withdraws the oldest record, visibly: of any kind (TG_UPDATES), or of telemetry. */
TG_INTERNAL void tg_outbox_drop(tg_client *c, uint16_t kinds);
/* Whether everything up to `seq` was sent, or evicted: no ack may claim more [P-3] [P-8]. */
TG_INTERNAL bool tg_outbox_covers(const tg_client *c, uint32_t seq);
TG_INTERNAL void tg_outbox_ack(tg_client *c, uint32_t seq);
TG_INTERNAL void tg_outbox_renumber(tg_client *c);
TG_INTERNAL uint32_t tg_outbox_oldest(const tg_client *c);

/* tg_uplink.c: writes the next message to tx; false: nothing to say */
TG_INTERNAL bool tg_uplink_compose(tg_client *c);
/* Hello without its strings: every number at its longest, tags and lengths included. */
#define TG_HELLO_BYTES 84u

/* tg_downlink.c: obeys the message at rx[0 .. n). Returns a verdict. */
TG_INTERNAL uint8_t tg_downlink(tg_client *c, uint16_t n);

/* tg_catalog_parts.c: tg_send_catalog(c, at, part) writes message number `part`, from 0, at `at` and returns its end;
 * (c, NULL, 0) takes the hash and returns NULL when an entry does not fit a message; (c, NULL, 1 ...) queues the part
 * that is due, counted from 1. */

/* tg_client.c */
/* Closes the link and rests: a pause, an hour or for good. */
TG_INTERNAL void tg_end(tg_client *c, uint8_t reason);
TG_INTERNAL void tg_emit(tg_client *c, tg_event event, uint32_t arg);
TG_INTERNAL void tg_enter(tg_client *c, tg_phase phase, tg_tick wait);
/* The port's clock, ms. */
TG_INTERNAL uint32_t tg_now_ms(const tg_client *c);
/* Ticks since `then`. */
TG_INTERNAL tg_tick tg_age(const tg_client *c, tg_tick then);
/* Ticks until c->due; 0 when past. */
TG_INTERNAL tg_tick tg_wait(const tg_client *c);
/* A gateway's wait, bounded, in ticks. */
TG_INTERNAL tg_tick tg_ticks(uint32_t ms);

/* tg_crc.c: IEEE CRC-32. Start with TG_CRC_START, and xor the end with it. */
#define TG_CRC_START 0xFFFFFFFFu
#define TG_CRC_RESIDUE 0xDEBB20E3u /* of a message followed by its CRC, before the final xor */
TG_INTERNAL uint32_t tg_crc32(uint32_t crc, const uint8_t *p, size_t n);

#endif
