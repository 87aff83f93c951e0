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
typedef char tg_step_fits[(TG_STEP_BYTES >= 4u && TG_STEP_BYTES <= 4096u) ? 1 : -1];

TG_INTERNAL uint32_t tg_now_ms(const tg_client *c)
{
    const tg_port *port = c->config->port;
    return port->now_ms(port->ctx);
}

static void sample_clock(tg_client *c)
{
    c->now_ms = tg_now_ms(c);
    c->now = (tg_tick)(c->now_ms >> TG_TICK_BITS);
}

TG_INTERNAL tg_tick tg_age(const tg_client *c, tg_tick then)
{
    return (tg_tick)(c->now - then);
}

TG_INTERNAL tg_tick tg_wait(const tg_client *c)
{
    const tg_tick left = (tg_tick)(c->due - c->now);
    return left > TG_QUIET_TICKS ? 0 : left;
}

TG_INTERNAL tg_tick tg_ticks(uint32_t ms)
{
    ms >>= TG_TICK_BITS;
    return ms < TG_PAUSE_TICKS_MAX ? (tg_tick)ms : (tg_tick)TG_PAUSE_TICKS_MAX;
}

TG_INTERNAL void tg_emit(tg_client *c, tg_event event, uint32_t arg)
{
    if (c->config->on_event != NULL) c->config->on_event(c, event, arg);
}

TG_INTERNAL void tg_enter(tg_client *c, tg_phase phase, tg_tick wait)
{
    c->phase = (uint8_t)phase;
    c->due = (tg_tick)(c->now + wait);
    c->tries = 0;
}

TG_INTERNAL void tg_end(tg_client *c, uint8_t reason)
{
    const tg_port *port = c->config->port;
    tg_event event = TG_EVENT_REFUSED;
    tg_tick pause = TG_PAUSE_TICKS_MAX;
    port->close(port->ctx);
    if ((uint8_t)(reason - TG_REASON_BAD_CREDENTIAL) > TG_REASON_UNSUPPORTED_PROTOCOL - TG_REASON_BAD_CREDENTIAL) {
        event = TG_EVENT_OFFLINE;
        pause = (tg_tick)((port->entropy(port->ctx) & c->spread) + c->pause); /* full jitter [P-21] */
        c->spread = (uint8_t)(c->spread * 2u + 1u);
    }
    tg_enter(c, c->flags & TG_STOPPING ? TG_STOPPED : TG_WAITING, pause);
    c->pause = 0;
    c->flags = 0;
    c->tx_left = 0;
    tg_emit(c, event, reason);
}

static bool pointers_stand(const tg_config *config)
{
    return config->port != NULL && config->framing != NULL && config->rx != NULL && config->tx != NULL &&
           config->ring != NULL && config->device_id.len - 1u < 63u;
}

tg_err tg_init(tg_client *c, const tg_config *config)
{
    uint16_t updates;
    if (c == NULL || config == NULL || !pointers_stand(config)) return TG_ERR_ARG;
    updates = config->update_bytes != 0 ? config->update_bytes : config->ring_bytes >> 2;
    if (updates < TG_RING_BYTES_MIN) updates = TG_RING_BYTES_MIN;
    if (config->rx_bytes < TG_MESSAGE_BYTES_MIN || config->tx_bytes < TG_MESSAGE_BYTES_MIN ||
        config->ring_bytes < TG_RING_BYTES_MIN || config->ring_bytes - TG_RING_BYTES_MIN < updates) {
        return TG_ERR_NO_SPACE;
    }
    memset(c, 0, sizeof *c);
    c->config = config;
    c->update_bytes = updates;
    c->ring_head = config->ring;
    c->ring_end = config->ring;
    c->spread = TG_SPREAD_FIRST;
    c->frames = config->ring_bytes >> 5; /* of 32 bytes */
    config->framing(c, TG_OP_SIZES);
    if ((config->token.len | config->firmware.len | config->model.len) > (int)TG_MESSAGE_BYTES_MAX ||
        (size_t)config->device_id.len + config->token.len + config->firmware.len + config->model.len + TG_HELLO_BYTES >
            c->tx_room) {
        return TG_ERR_TOO_BIG;
    }
    if (config->send_catalog != NULL && config->send_catalog(c, NULL, 0) == NULL) return TG_ERR_TOO_BIG;
    c->next_seq = 1;
    c->echo.boot_nonce = config->port->entropy(config->port->ctx);
    sample_clock(c);
    c->due = c->now;
    return TG_OK;
}

/* Begins or goes on opening the link. */
static uint8_t open_step(tg_client *c)
{
    const tg_config *config = c->config;
    int16_t up;
    if (c->phase == TG_WAITING) tg_enter(c, TG_OPENING, TG_OPEN_TICKS);
    up = config->port->open(config->port->ctx);
    if (up < 0) return up == TG_PORT_REFUSED ? TG_OVER(TG_REASON_BAD_CREDENTIAL) : TG_OVER(TG_REASON_UNSPECIFIED);
    if (up == 0) return tg_wait(c) == 0 ? TG_OVER(TG_REASON_HELLO_TIMEOUT) : 0;
    tg_enter(c, TG_GREETING, TG_OPEN_TICKS);
    c->flags = TG_OWED;
    c->raw_at = c->raw_end; /* nothing received, nothing being sent */
    c->tx_phase = 0;
    c->heard_at = c->now;
    c->spoke_at = c->now;
    config->framing(c, TG_OP_SIZES); /* the last gateway's limit is not this one's */
    config->framing(c, TG_OP_UP);
    return 0;
}

/* The wait is over. */
static uint8_t on_due(tg_client *c)
{
    if (c->phase != TG_ONLINE) {
        c->flags |= TG_OWED; /* Hello again [P-11] */
        return c->flags & TG_LOSSY ? 0 : TG_OVER(TG_REASON_HELLO_TIMEOUT);
    }
    c->due = (tg_tick)(c->now + TG_QUIET_TICKS); /* until something is sent */
    if ((c->flags & (TG_HOLD | TG_LOSSY)) == TG_LOSSY && tg_outbox_oldest(c) <= c->cursor) {
        c->cursor = c->acked; /* say the last ones again [P-11] */
        if (c->tries < RESEND_TRIES_MAX) c->tries = (uint8_t)(c->tries + TG_RESEND_TICKS);
    }
    c->flags &= (uint8_t)~TG_HOLD;
    return 0;
}

/* Looks at the clock while online. */
static uint8_t watch(tg_client *c)
{
    if (tg_age(c, c->since) >= TG_STABLE_TICKS) c->spread = TG_SPREAD_FIRST;
    if (tg_age(c, c->spoke_at) >= c->heartbeat) c->flags |= TG_OWED;
#if TG_WITH_STORE
    if (c->limit != 0 && tg_outbox_oldest(c) >= c->limit) { /* what was saved is safe: the rest gets its numbers [P-9] */
        tg_outbox_renumber(c);
        c->limit = 0;
        c->epoch = 0;
        return TG_OVER(TG_REASON_SHUTDOWN);
    }
#endif
    if (c->next_seq > TG_SEQ_LAST && c->ring_head == c->ring_end) { /* drained: begin a new epoch [P-10] */
        tg_outbox_reset(c);
        c->epoch = 0;
        return TG_OVER(TG_REASON_SHUTDOWN);
    }
    return tg_age(c, c->heard_at) >> 2 >= c->heartbeat ? TG_OVER(TG_REASON_SILENT) : 0; /* 1.5 keepalives */
}

/* Sends a step; starts the next message when the last is gone. */
static uint8_t speak(tg_client *c)
{
    const tg_config *config = c->config;
    if (c->tx_left == 0) {
        if (!config->framing(c, TG_OP_OWN)) {
            if (c->flags & TG_BYE_SENT) return TG_OVER(c->reason);
            if (!tg_uplink_compose(c)) return 0;
            c->tx_phase = 1;
        }
        if (c->tx_left == 0) return 0;
        c->spoke_at = c->now;
    }
    if (c->tx_phase != 0) config->framing(c, TG_OP_TX);
    if (c->tx_phase == 0) {
        const int16_t n = config->port->send(config->port->ctx, config->tx + c->tx_at, c->tx_left);
        if (n < 0 || tg_age(c, c->spoke_at) > TG_STALL_TICKS) return TG_OVER(TG_REASON_UNSPECIFIED);
        if (n > 0) {
            c->spoke_at = c->now;
            c->tx_at = (uint16_t)(c->tx_at + (uint16_t)n);
            c->tx_left = (uint16_t)(c->tx_left - (uint16_t)n);
        }
        if (c->tx_left != 0) return 0;
    }
    c->flags |= TG_MORE;
    return 0;
}

/* One step of an open link. */
static uint8_t link_step(tg_client *c)
{
    const int16_t n = c->config->framing(c, TG_OP_RX);
    uint8_t over = (uint8_t)-n;
    if (n > 0) return tg_downlink(c, (uint16_t)n); /* enough for one poll: TG_MORE is set, the rest comes at once */
    if (over == 0 && c->phase == TG_ONLINE) over = watch(c);
    if (over == 0 && tg_wait(c) == 0) over = on_due(c);
    return over != 0 ? over : speak(c);
}

uint32_t tg_poll(tg_client *c)
{
    uint8_t over = 0;
    tg_tick wait;
    sample_clock(c);
    c->flags &= (uint8_t)~TG_MORE;
    if (c->phase == TG_OPENING || (c->phase == TG_WAITING && tg_wait(c) == 0)) over = open_step(c);
    if (c->phase >= TG_GREETING) over = link_step(c);
    if (over != 0) tg_end(c, (uint8_t)(over - 1u));
    if (c->flags & TG_MORE) return 0;
    if (c->phase == TG_STOPPED) return TG_FOREVER;
    if (c->phase == TG_OPENING || c->tx_left != 0) return TG_SOON_MS;
    wait = tg_wait(c);
    if (c->phase == TG_ONLINE) {
        const tg_tick heartbeat = (tg_tick)(c->heartbeat - tg_age(c, c->spoke_at));
        if (heartbeat < wait) wait = heartbeat;
    }
    return (uint32_t)wait << TG_TICK_BITS;
}
