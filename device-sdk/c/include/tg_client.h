/* tg_client.h -- the device's session with its gateway.
 *
 *                 open() = 1          Welcome
 *   WAITING --> OPENING --> GREETING --------> ONLINE
 *      ^           |            |  ^ say hello   |
 *      +-----------+------------+--+-------------+      link dead, silence, Bye, timeout
 *      |                                                then a full-jitter pause [P-21]
 *   REFUSED: the same, but the pause is an hour.        STOPPED: nothing until tg_start()
 *
 * You call tg_poll() from one place; everything happens inside it, in small bounded steps. Nothing blocks,
 * nothing is allocated, no clock is read but the port's. One tg_client is used from one context at a time: call no
 * function of it from an interrupt (an interrupt only feeds the port's byte buffers). Two clients are independent.
 *
 * The rules cited as [P-n] stand in proto/PROTOCOL.md.
 */
#ifndef TG_CLIENT_H
#define TG_CLIENT_H

#include "tg_port.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Unacked messages the device sends ahead at most; the gateway may allow fewer. 1 .. 255. */
#ifndef TG_WINDOW_MAX
#if defined(__AVR__)
#define TG_WINDOW_MAX 8u
#else
#define TG_WINDOW_MAX 64u
#endif
#endif

/* Bytes one tg_poll() takes from the link and bytes it puts through the checksum, each. It bounds the time of a
 * poll: about 13 us per byte on a 16 MHz AVR. 4 .. 4096. */
#ifndef TG_STEP_BYTES
#if defined(__AVR__)
#define TG_STEP_BYTES 7u
#else
#define TG_STEP_BYTES 256u
#endif
#endif

/* 1: what is held survives a power cut; see tg_store.h. The SDK and the application need the same value. */
#ifndef TG_WITH_STORE
#define TG_WITH_STORE 0
#endif

typedef struct tg_client tg_client;
typedef struct tg_config tg_config;

/* What became of a command. The values are those of the wire. */
typedef enum tg_state {
    TG_RECEIVED = 1,    /* taken; the answer comes later                                     */
    TG_STARTED = 2,     /* running                                                           */
    TG_SUCCEEDED = 3,   /* final                                                             */
    TG_FAILED = 4,      /* final; the span given with it is the error text                   */
    TG_EXPIRED = 5,     /* final; too late to start [P-16]                                   */
    TG_UNSUPPORTED = 6, /* final; this device knows no such command                          */
    TG_INTERRUPTED = 7  /* final; recorded before a restart, and no result is known [P-19]   */
} tg_state;

/* Why a session ended or was refused. The values are those of the wire. */
typedef enum tg_reason {
    TG_REASON_UNSPECIFIED = 0, /* the link died, or nothing more is known */
    TG_REASON_SHUTDOWN = 1,
    TG_REASON_TAKEOVER = 2,
    TG_REASON_BAD_CREDENTIAL = 3,
    TG_REASON_REVOKED = 4,
    TG_REASON_UNSUPPORTED_PROTOCOL = 5,
    TG_REASON_PROTOCOL_VIOLATION = 6,
    TG_REASON_MALFORMED = 7,
    TG_REASON_TOO_LARGE = 8,
    TG_REASON_SILENT = 9,
    TG_REASON_HELLO_TIMEOUT = 10,
    TG_REASON_OVERLOADED = 11,
    TG_REASON_RATE_LIMITED = 12,
    TG_REASON_CLONED_IDENTITY = 13,
    TG_REASON_OUT_OF_ORDER = 14,
    TG_REASON_STORAGE_FULL = 15,
    TG_REASON_STORAGE_BUSY = 16,
    TG_REASON_INTERNAL = 17,
    TG_REASON_SLEEPING = 18
} tg_reason;

/* Where the session stands; see the drawing at the top. */
typedef enum tg_phase {
    TG_WAITING = 0,
    TG_OPENING = 1,
    TG_STOPPED = 2,
    TG_GREETING = 3,
    TG_ONLINE = 4
} tg_phase;

/* One command from the gateway. Everything in it points into the receive buffer and is valid during the callback
 * only: copy what you keep. */
typedef struct tg_command {
    uint32_t id;            /* hand it back to tg_reply()                                               */
    uint32_t code;          /* 1 and up: from your catalog; 0: look at `name`; see tg_command_is()       */
    tg_span name;           /* not zero-terminated; empty when `code` says it all                        */
    tg_span args;           /* UTF-8 JSON unless your catalog says otherwise                             */
    uint32_t deadline_ms;   /* on the port's clock, 0: none; checked before the callback is called       */
    bool at_most_once;
} tg_command;

/* Whether this is the command of the catalog with that code and name: a gateway may say either.
 *   name  zero-terminated */
bool tg_command_is(const tg_command *command, uint32_t code, const char *name);

/* What happened, and its argument. */
typedef enum tg_event {
    TG_EVENT_ONLINE = 1,    /* arg: the epoch                                                            */
    TG_EVENT_OFFLINE = 2,   /* arg: a tg_reason; also when an attempt to connect failed                  */
    TG_EVENT_REFUSED = 3,   /* arg: a tg_reason; the next attempt is an hour away, tg_start() cuts it short */
    TG_EVENT_DROPPED = 4,   /* arg: the number of the message that was evicted; the gateway will be told  */
    TG_EVENT_RENUMBERED = 5 /* arg: the new epoch; held messages got new numbers [P-7]                    */
} tg_event;

/* Counters since tg_init(). They wrap. */
typedef struct tg_stats {
    uint32_t sent;       /* reliable messages put on the link, repeats included                     */
    uint32_t acked;      /* messages the gateway has taken durable responsibility for               */
    uint32_t dropped;    /* messages evicted unacked, or withdrawn as too large; all are announced   */
    uint16_t rx_bad;     /* frames or messages thrown away: noise, bad checksum, oversized, malformed */
    uint16_t sessions;   /* Welcomes accepted                                                       */
    uint16_t commands;   /* commands taken, expired ones included                                   */
    uint16_t deferred;   /* commands left to be sent again because no room was left to answer them   */
} tg_stats;

/* How messages are cut out of the byte stream. Choose one; the linker drops the other. Not to be called. */
typedef int16_t tg_framing(tg_client *client, uint8_t op);
tg_framing tg_serial_framing;    /* COBS + CRC-32, for UARTs and USB serial                 */
tg_framing tg_websocket_framing; /* RFC 6455 client; the port below it brings TCP, and TLS  */

/* Tells the gateway what the device measures and obeys. Not to be called. */
typedef uint8_t *tg_catalog_sender(tg_client *client, uint8_t *at, uint8_t part);
tg_catalog_sender tg_send_catalog;

/* The configuration. Kept by reference: it and every buffer in it must outlive the client.
 *
 * Buffers, in bytes:
 *   rx    largest message you accept + 5 (serial); >= 64. On WebSocket + 0, and >= 192.
 *         The gateway is told and obeys.
 *   tx    largest message you send + 10 (serial) or + 8 (WebSocket). A message is your telemetry body
 *         + 12. Hello needs 96 + device_id + token + firmware + model.
 *   ring  the outbox. A message takes its body + 6. The oldest telemetry is evicted when it is full.
 *         `update_bytes` of it are set apart for command updates and catalog parts [P-13];
 *         0 means a quarter. At least 48 are needed for either part. When the telemetry part is full, queueing
 *         a message moves what the part holds: keep it below a few KB on slow cores.
 */
struct tg_config {
    const tg_port *port;
    tg_framing *framing;
    uint8_t *rx;
    uint8_t *tx;
    uint8_t *ring;
    uint16_t rx_bytes;
    uint16_t tx_bytes;
    uint16_t ring_bytes;
    uint16_t update_bytes;
    tg_span device_id; /* ^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$                                          */
    tg_span token;     /* the credential; may be empty on a line configured as trusted               */
    tg_span host;      /* WebSocket only: the Host header, e.g. gateway.tidegate.internal            */
    tg_span firmware;  /* may be empty */
    tg_span model;     /* may be empty */

    /* What the device measures and obeys: see tg_catalog.h. `send_catalog` is tg_send_catalog, or NULL when there is
     * none; the linker then drops that code. `catalog_copy` copies n bytes of it; NULL: memcpy. On AVR, where flash
     * has its own address space, give memcpy_P. */
    tg_span catalog;
    tg_catalog_sender *send_catalog;
    void *(*catalog_copy)(void *to, const void *from, size_t n);

    /* Runs a command: quickly, and exactly once per command that is not late [P-16] [P-17]. Return a final state when
     * it is done and has nothing more to say; return TG_RECEIVED when you have called tg_reply() or will call it later.
     * NULL: every command is answered TG_UNSUPPORTED. */
    tg_state (*on_command)(tg_client *client, const tg_command *command);

    /* Told what happens; may be NULL. Called from inside tg_poll(), and for TG_EVENT_DROPPED from inside the call that
     * made room. It may queue messages, but must not call tg_poll(). */
    void (*on_event)(tg_client *client, tg_event event, uint32_t arg);

#if TG_WITH_STORE
    struct tg_store *store; /* where it is saved; NULL: nowhere */
#endif

    uint32_t sleep_ms; /* expected time between contacts of a device that sleeps; 0: always on */
    void *app;         /* yours */
};

/* Private from here on: visible so that you can allocate it, not to be touched. */

/* A time or a wait, in ticks of 256 ms. It wraps with the port's clock, whose bits it is. */
typedef uint16_t tg_tick;

/* What Welcome has to repeat [P-5]. */
typedef struct tg_echo {
    uint32_t attempt;    /* Hellos of this boot */
    uint32_t boot_nonce;
} tg_echo;

/* What is used most comes first: small cores reach it with the shortest instructions. */
struct tg_client {
    const tg_config *config;
    uint8_t *ring_head;    /* where the oldest record stands in config->ring ...               */
    uint8_t *ring_end;     /* ... and where the newest ends                                    */
    uint8_t flags;
    uint8_t phase;
    uint8_t window;
    uint8_t tries;         /* serial: ticks added to the next wait for Welcome or ack, grows without progress;
                              WebSocket: progress of the upgrade request; 0 in a new phase */
    uint8_t tx_phase;      /* 1: the framing is still preparing the message                    */
    uint8_t tx_head;       /* where a message begins in tx                                     */
    uint8_t rx_code;
    uint8_t rx_left;
    uint8_t spread;        /* bound of the next pause in ticks: doubles, less one [P-21]       */
    uint8_t reason;        /* what the pending Bye will say                                    */
    uint8_t catalog_part;  /* next part to queue, from 1; 0: none                              */
    uint8_t rx_phase;      /* WebSocket: handshake, header, payload ...                        */
    uint16_t tx_at;        /* where the link goes on in tx ...                                 */
    uint16_t tx_left;      /* ... with so many bytes                                           */
    uint16_t tx_room;      /* largest message the send buffer and the gateway allow            */
    uint16_t rx_at;        /* decoded bytes in rx                                              */
    uint16_t raw_at;       /* undecoded bytes in rx: from here ...                             */
    uint16_t raw_end;      /* ... to here                                                      */
    uint16_t updates;      /* bytes of it that are command updates and catalog parts           */
    tg_tick now;           /* sampled once per poll                                            */
    tg_tick due;           /* end of the running wait: pause, next Hello, retransmission       */
    tg_tick spoke_at;
    tg_tick heard_at;
    tg_tick heartbeat;     /* 3/8 of the keepalive: two may be lost                            */
    uint16_t update_bytes; /* bytes of the ring set apart for updates                          */
    tg_tick pause;         /* what the gateway asked for, on top of the next pause             */
    tg_tick since;         /* when the session began                                           */
    uint32_t next_seq;     /* number of the next new message                                   */
    uint32_t cursor;       /* highest number sent since the last rewind                        */
    uint32_t acked;        /* highest cumulative ack heard in this epoch                       */
    uint32_t tx_high;      /* highest number ever sent in this epoch [P-3]                     */
    uint32_t rx_check;     /* serial: running CRC; WebSocket: nonce seed, then payload left    */
    uint32_t ping;         /* to be answered; 0: none                                          */
    uint32_t now_ms;       /* the port's clock at the begin of the poll                        */
    uint32_t oldest;       /* lowest number held, when a message said so last                  */
    uint32_t epoch;
    tg_echo echo;
    uint32_t last_command;
    uint32_t catalog_hash;
#if TG_WITH_STORE
    uint32_t announced;    /* next number of this epoch, when a message said so last           */
#endif
    uint16_t rx_room;      /* largest message the receive buffer allows                        */
    uint16_t frames;       /* what Hello says of the outbox: a fair guess                      */
    tg_stats stats;
#if TG_WITH_STORE
    uint32_t limit;        /* numbers from here on are of the next epoch; 0: of this one [P-9] */
    uint32_t running;      /* the at-most-once command that was recorded and has no result     */
#endif
};

/* Prepares `client`. Nothing is sent before the first poll; messages may be queued at once.
 *
 *   config  kept by reference, see above
 *
 * Returns TG_OK, or
 *   TG_ERR_ARG       a required pointer is NULL, a length is out of range, the device id is empty
 *   TG_ERR_NO_SPACE  rx, tx or ring is smaller than the minimum
 *   TG_ERR_TOO_BIG   Hello or an entry of the catalog does not fit tx
 */
tg_err tg_init(tg_client *client, const tg_config *config);

/* Does one bounded step: receive, decide, send. Call it when the time it returned is over, or sooner: when bytes have
 * arrived, and after you queued something.
 *
 * Returns milliseconds until it must run again; 0: at once; TG_FOREVER: not before tg_start(). */
uint32_t tg_poll(tg_client *client);
#define TG_FOREVER 0xFFFFFFFFu

/* Answers a command, now or later, any number of times up to a final state.
 *
 *   command_id  from tg_command
 *   state       TG_STARTED, or a final one
 *   result      copied; UTF-8 JSON unless your catalog says otherwise; for TG_FAILED the error text. May be empty.
 *
 * Returns TG_OK once it is queued for reliable delivery, or
 *   TG_ERR_ARG       no such command was taken
 *   TG_ERR_NO_SPACE  the room for updates is taken by unacked ones: try again later
 *   TG_ERR_TOO_BIG   it would never fit
 *   TG_ERR_STATE     see TG_ERR_STATE
 */
tg_err tg_reply(tg_client *client, uint32_t command_id, tg_state state, tg_span result);

/* Ends the session in order: says Bye, closes the link, then rests in TG_STOPPED; poll until tg_get_phase() says so.
 * Held messages stay held.
 *
 *   reason  TG_REASON_SHUTDOWN, or TG_REASON_SLEEPING for a device that comes back after config->sleep_ms
 */
void tg_stop(tg_client *client, tg_reason reason);

/* Leaves TG_STOPPED, or cuts the present pause short: the next poll opens the link. */
void tg_start(tg_client *client);

/* Where the session stands. */
tg_phase tg_get_phase(const tg_client *client);

/* How many messages are held unacked; 0 means a sleeper may sleep. Walks the ring. */
uint16_t tg_held(const tg_client *client);

/* The counters; valid as long as the client. */
const tg_stats *tg_get_stats(const tg_client *client);

#ifdef __cplusplus
}
#endif
#endif
