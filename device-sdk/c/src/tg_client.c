/* tg_client.c -- the phases of a session, its timers, and the one place that calls the port's open and close.
 *
 * One poll: receive a step, obey at most one message, look at the clock, send a step. See tg_client.h for the phases,
 * tg_downlink.c for what messages do, tg_uplink.c for what is said next.
 *
 *   `due` ends   WAITING   the pause               OPENING   the patience with open()
 *                GREETING  the wait for Welcome    ONLINE    a Nack's pause, or the wait for an ack
 */
#include "tg_core.h"

#include <string.h>

/* The wait for an ack grows by its first length each time, up to 16 s. In ticks. */
#define RESEND_TRIES_MAX (7u * TG_RESEND_TICKS)

typedef char tg_window_fits_its_counter[(TG_WINDOW_MAX >= 1u && TG_WINDOW_MAX <= 255u) ? 1 : -1];
typedef char tg_step_fits[(TG_STEP_BYTES >= 8u && TG_STEP_BYTES <= 4096u) ? 1 : -1];

TG_INTERNAL uint32_t tg_now_ms(const tg_client *c)
{
    const tg_port *port = c->config->port;
    return port->now_ms(port->ctx);
}

static void sample_clock(tg_client *c)
{
    c->now = (uint16_t)(tg_now_ms(c) >> TG_TICK_BITS);
}

TG_INTERNAL uint16_t tg_age(const tg_client *c, uint16_t then)
{
    return (uint16_t)(c->now - then);
}

TG_INTERNAL uint16_t tg_wait(const tg_client *c)
{
    const uint16_t left = (uint16_t)(c->due - c->now);
    return left > 0x7FFFu ? 0 : left;
}

TG_INTERNAL uint16_t tg_ticks(uint32_t ms)
{
    ms >>= TG_TICK_BITS;
    return ms < TG_PAUSE_TICKS_MAX ? (uint16_t)ms : (uint16_t)TG_PAUSE_TICKS_MAX;
}

TG_INTERNAL void tg_emit(tg_client *c, tg_event event, uint32_t arg)
{
    if (c->config->on_event != NULL) c->config->on_event(c, event, arg);
}

TG_INTERNAL void tg_enter(tg_client *c, tg_phase phase, uint16_t due_ticks)
{
    c->phase = (uint8_t)phase;
    c->due = (uint16_t)(c->now + due_ticks);
    c->tries = 0;
}

TG_INTERNAL void tg_end(tg_client *c, uint8_t reason, uint32_t retry_after_ms)
{
    const tg_port *port = c->config->port;
    const bool final = reason >= TG_REASON_BAD_CREDENTIAL && reason <= TG_REASON_UNSUPPORTED_PROTOCOL;
    uint16_t pause = TG_PAUSE_TICKS_MAX;
    port->close(port->ctx);
    if (!final) { /* full jitter [P-21]; a power of two needs no division */
        pause = (uint16_t)port->entropy(port->ctx) & (uint16_t)((1u << (TG_BACKOFF_BITS_MIN + c->failures)) - 1u);
        pause = (uint16_t)(pause + tg_ticks(retry_after_ms));
        if (c->failures < TG_BACKOFF_BITS_MAX - TG_BACKOFF_BITS_MIN) c->failures++;
    }
    tg_enter(c, c->flags & TG_STOPPING ? TG_STOPPED : TG_WAITING, pause);
    c->flags = 0;
    tg_emit(c, final ? TG_EVENT_REFUSED : TG_EVENT_OFFLINE, reason);
}

static bool pointers_stand(const tg_config *config)
{
    return config->port != NULL && config->framing != NULL && config->rx != NULL && config->tx != NULL &&
           config->ring != NULL && config->device_id.len - 1u < 63u;
}

tg_err tg_init(tg_client *c, const tg_config *config)
{
    size_t updates;
    if (c == NULL || config == NULL || !pointers_stand(config)) return TG_ERR_ARG;
    updates = config->update_bytes != 0 ? config->update_bytes : config->ring_bytes >> 2;
    if (updates < TG_RING_BYTES_MIN) updates = TG_RING_BYTES_MIN;
    if (config->rx_bytes < TG_MESSAGE_BYTES_MIN || config->tx_bytes < TG_MESSAGE_BYTES_MIN ||
        config->ring_bytes < updates + TG_RING_BYTES_MIN) {
        return TG_ERR_NO_SPACE;
    }
    memset(c, 0, sizeof *c);
    c->config = config;
    c->split = (uint16_t)(config->ring_bytes - updates);
    c->ring[TG_UPDATES].head = c->split;
    c->ring[TG_UPDATES].end = c->split;
    config->framing(c, TG_OP_SIZES);
    if (tg_uplink_hello_bytes_max(config) > c->tx_room) return TG_ERR_TOO_BIG;
    if (config->send_catalog != NULL && config->send_catalog(c, NULL, 0) == 0) return TG_ERR_TOO_BIG;
    tg_outbox_reset(c);
    c->boot_nonce = config->port->entropy(config->port->ctx);
    sample_clock(c);
    c->due = c->now;
    return TG_OK;
}

/* Goes on opening the link. */
static void open_step(tg_client *c)
{
    const tg_config *config = c->config;
    const int16_t up = config->port->open(config->port->ctx);
    if (up < 0) {
        tg_end(c, (uint8_t)(up == TG_PORT_REFUSED ? TG_REASON_BAD_CREDENTIAL : TG_REASON_UNSPECIFIED), 0);
    } else if (up == 0) {
        if (tg_wait(c) == 0) tg_end(c, TG_REASON_HELLO_TIMEOUT, 0);
    } else {
        tg_enter(c, TG_GREETING, TG_OPEN_TICKS);
        c->flags = TG_OWED;
        c->raw_at = c->raw_end; /* nothing received, nothing being sent */
        c->tx_at = 0;
        c->tx_len = 0;
        c->tx_phase = 0;
        c->heard_at = c->now;
        c->spoke_at = c->now;
        config->framing(c, TG_OP_SIZES); /* the last gateway's limit is not this one's */
        config->framing(c, TG_OP_UP);
    }
}

/* The wait is over. */
static void on_due(tg_client *c)
{
    if (c->phase != TG_ONLINE) {
        if (c->flags & TG_LOSSY) {
            c->flags |= TG_OWED; /* Hello again [P-11] */
        } else {
            tg_end(c, TG_REASON_HELLO_TIMEOUT, 0);
        }
        return;
    }
    if (!(c->flags & TG_HOLD) && (c->flags & TG_LOSSY) && tg_outbox_oldest(c) <= c->cursor) {
        tg_outbox_rewind(c, 0); /* say the last ones again [P-11] */
        if (c->tries < RESEND_TRIES_MAX) c->tries = (uint8_t)(c->tries + TG_RESEND_TICKS);
    }
    c->flags &= (uint8_t)~TG_HOLD;
    c->due = (uint16_t)(c->now + TG_RESEND_TICKS + c->tries);
}

/* Looks at the clock while online. */
static void watch(tg_client *c)
{
    if (tg_age(c, c->since) > TG_STABLE_TICKS) c->failures = 0;
    if (tg_age(c, c->spoke_at) >= c->heartbeat) c->flags |= TG_OWED;
    if (c->next_seq > TG_SEQ_LAST && tg_outbox_oldest(c) == c->next_seq) { /* drained: begin a new epoch [P-10] */
        tg_outbox_reset(c);
        c->epoch = 0;
        tg_end(c, TG_REASON_SHUTDOWN, 0);
    } else if (tg_age(c, c->heard_at) >> 2 >= c->heartbeat) { /* 1.5 keepalives */
        tg_end(c, TG_REASON_SILENT, 0);
    }
}

/* Sends a step; starts the next message when the last is gone. */
static void speak(tg_client *c)
{
    const tg_config *config = c->config;
    int16_t n = 0;
    if (c->tx_at == c->tx_len) {
        if (!config->framing(c, TG_OP_OWN)) {
            if (c->flags & TG_BYE_SENT) tg_end(c, c->reason, 0);
            if (c->phase < TG_GREETING || !tg_uplink_compose(c)) return;
            c->tx_phase = 1;
        }
        if (c->tx_at == c->tx_len) return;
        c->spoke_at = c->now;
    }
    if (c->tx_phase != 0) config->framing(c, TG_OP_TX);
    if (c->tx_phase == 0) {
        n = config->port->send(config->port->ctx, config->tx + c->tx_at, (uint16_t)(c->tx_len - c->tx_at));
        if (n > 0) {
            c->tx_at = (uint16_t)(c->tx_at + (uint16_t)n);
            c->spoke_at = c->now;
        }
        if (n == 0 && tg_age(c, c->spoke_at) > TG_STALL_TICKS) n = -1;
    }
    if (n < 0) {
        tg_end(c, TG_REASON_UNSPECIFIED, 0);
    } else if (c->tx_phase != 0 || c->tx_at == c->tx_len) {
        c->flags |= TG_MORE;
    }
}

/* One step of an open link. */
static void link_step(tg_client *c)
{
    const int16_t n = c->config->framing(c, TG_OP_RX);
    if (n < 0) {
        tg_end(c, (uint8_t)(-1 - n), 0);
    } else if (n > 0) { /* obeying it is enough for one poll: TG_MORE is set, the rest comes at once */
        tg_downlink(c, (size_t)n);
        return;
    }
    if (c->phase == TG_ONLINE) watch(c);
    if (c->phase >= TG_GREETING && tg_wait(c) == 0) on_due(c);
    if (c->phase >= TG_GREETING) speak(c);
}

uint32_t tg_poll(tg_client *c)
{
    uint16_t wait;
    sample_clock(c);
    c->flags &= (uint8_t)~TG_MORE;
    if (c->phase == TG_WAITING && tg_wait(c) == 0) tg_enter(c, TG_OPENING, TG_OPEN_TICKS);
    if (c->phase == TG_OPENING) open_step(c);
    if (c->phase >= TG_GREETING) link_step(c);
    wait = tg_wait(c);
    if (c->phase == TG_STOPPED) return TG_FOREVER;
    if (c->flags & TG_MORE) return 0;
    if (c->phase == TG_OPENING || (c->phase > TG_OPENING && c->tx_at != c->tx_len)) return TG_SOON_MS;
    if (c->phase == TG_ONLINE) {
        const uint16_t heartbeat = (uint16_t)(c->heartbeat - tg_age(c, c->spoke_at));
        const bool expects = (c->flags & TG_HOLD) || tg_outbox_oldest(c) <= c->cursor;
        if (heartbeat < wait || !expects) wait = heartbeat;
    }
    return (uint32_t)wait << TG_TICK_BITS;
}
