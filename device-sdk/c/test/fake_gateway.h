/* fake_gateway.h -- a gateway and a serial line in one process, as the protocol describes them.
 *
 *   tg_client -- port --> [ wire up ]   --> frames --> admit [P-2] --> stored, gaps
 *             <-- port -- [ wire down ] <-- frames <-- Welcome, Ack, Nack, Command ...
 *
 * Written from PROTOCOL.md, with framing of its own: it shares no code with the SDK. It
 * works (a fake), is deterministic, and can be told to misbehave: short sends, dead links, flipped bytes.
 */
#ifndef FAKE_GATEWAY_H
#define FAKE_GATEWAY_H

#include "../src/tg_core.h"
#include "wire.h"

#define FAKE_WIRE_BYTES 65536u
#define FAKE_STORED_MAX 20000u
#define FAKE_GAPS_MAX 4000u
#define FAKE_UPDATES_MAX 8000u
#define FAKE_EPOCHS_MAX 256u

/* Bytes in flight in one direction. */
typedef struct fake_wire {
    uint8_t bytes[FAKE_WIRE_BYTES];
    size_t head;
    size_t tail;
} fake_wire;

typedef struct fake_stored {
    uint32_t epoch;
    uint32_t seq;
    uint32_t value; /* of the first reading: what the test put there */
} fake_stored;

typedef struct fake_gap {
    uint32_t epoch;
    uint32_t from;
    uint32_t to;
} fake_gap;

typedef struct fake_update {
    uint32_t id;
    uint32_t state;
    uint8_t result[64];
    size_t result_len;
} fake_update;

typedef struct fake {
    /* the world */
    uint32_t now_ms;
    uint32_t random;
    size_t send_max;       /* bytes the link takes per call; 0: none */
    size_t recv_max;
    long die_after;        /* bytes either way until the link dies; < 0: never */
    long opens_fail;       /* so many open() calls fail */
    int open_pending;      /* so many open() calls say "not yet" */
    unsigned noise_per_million; /* bytes hit, either way */
    bool is_open;
    unsigned opens;
    unsigned closes;
    fake_wire up;
    fake_wire down;
    /* the gateway */
    bool mute;             /* hears, and says nothing */
    bool hold_acks;
    bool websocket;
    bool want_catalog;
    uint32_t window;
    uint32_t keepalive_ms;
    uint32_t max_uplink_bytes;
    uint32_t epochs;       /* given so far */
    uint32_t force_epoch;  /* give this one at the next Hello */
    bool session;
    uint32_t epoch;
    uint32_t accepted;
    uint32_t durable;
    struct fake_mark {
        uint32_t epoch;
        uint32_t durable;
    } marks[FAKE_EPOCHS_MAX]; /* of the epochs before */
    size_t mark_count;
    uint32_t hello_next_seq;
    uint32_t hello_oldest;
    uint32_t hello_acked;
    bool hello_closing;
    uint32_t hello_attempt;
    uint32_t hello_nonce;
    uint32_t hello_last_command;
    uint32_t hello_catalog_hash;
    uint32_t hello_max_rx;
    uint32_t heartbeats;
    uint32_t heartbeat_next_seq;
    uint32_t heartbeat_oldest;
    uint32_t pong;
    uint32_t pong_uptime;
    uint32_t hellos;
    uint32_t byes;
    uint32_t bye_reason;
    uint32_t bad_frames;
    uint32_t duplicates;
    uint32_t out_of_order;
    uint32_t violations;
    uint32_t nacked_at_ms;
    uint8_t frame[2048];
    size_t frame_len;
    uint8_t catalog[2048];
    size_t catalog_len;
    uint32_t catalog_parts_seen;
    bool catalog_whole;
    uint32_t early;     /* readings that came while the wanted catalog was not whole */
    fake_stored stored[FAKE_STORED_MAX];
    size_t stored_count;
    fake_gap gaps[FAKE_GAPS_MAX];
    size_t gap_count;
    fake_update updates[FAKE_UPDATES_MAX];
    size_t update_count;
} fake;

/* A clean line and a fresh gateway. */
void fake_init(fake *f);
/* The port that leads to it. */
void fake_port(fake *f, tg_port *port);
/* Lets the gateway hear and answer what has arrived. */
void fake_step(fake *f);
/* Acks everything accepted. */
void fake_ack(fake *f);
/* Says something of the test's own making: Downlink body number `kind`, its content in `w`. */
void fake_say(fake *f, uint8_t kind, const wire_writer *w);
void fake_say_raw(fake *f, const uint8_t *message, size_t n);
void fake_put_raw(fake *f, const uint8_t *bytes, size_t n);
void fake_command(fake *f, uint32_t id, uint32_t code, uint32_t deadline_ms);
void fake_number(fake *f, uint8_t kind, uint8_t field, uint32_t value);
/* The gateway restarts with its store: the session is gone, marks are what was durable. */
void fake_restart(fake *f);
bool fake_has_value(const fake *f, uint32_t value);
bool fake_has_update(const fake *f, uint32_t id, uint32_t state);
uint32_t fake_random(fake *f);
/* COBS and CRC, written apart from the SDK's. */
size_t fake_frame(const uint8_t *message, size_t n, uint8_t *wire);
/* Length of the message in wire[0 .. n), without its 00; 0: no valid frame. */
size_t fake_unframe(const uint8_t *wire, size_t n, uint8_t *message);

#endif
