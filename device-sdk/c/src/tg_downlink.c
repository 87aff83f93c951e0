/* tg_downlink.c -- what a message from the gateway does.
 *
 *   GREETING   Welcome, Bye, SayHello; the rest belongs to a session that is gone [P-5]
 *   ONLINE     everything but Welcome
 *
 * A message that cannot be read is counted and ends the session [P-29]; unknown fields and bodies are skipped [P-25].
 */
#include "tg_core.h"

#include <string.h>

/* Body numbers of Downlink. */
enum { DOWN_WELCOME = 1, DOWN_ACK, DOWN_NACK, DOWN_HEARTBEAT, DOWN_COMMAND, DOWN_FLOW, DOWN_BYE, DOWN_SAY_HELLO };

/* The fields that carry bytes: every body of Downlink; the name and the arguments of a Command. */
#define BODIES 0x3FEu
#define COMMAND_TEXTS (1u << 3 | 1u << 4)

#define HEARTBEAT_TICKS 44u /* for the keepalive of 30 s, when the gateway names none */

static void set_window(tg_client *c, uint32_t window)
{
    c->window = window > TG_WINDOW_MAX ? (uint8_t)TG_WINDOW_MAX : (uint8_t)window;
}

/* Only the answer to the latest Hello counts [P-5], and the epoch only if it holds nothing we never sent [P-7]. */
static TG_APART void on_welcome(tg_client *c, const uint32_t *v)
{
    tg_tick ticks;
    if (memcmp(&v[1], &c->echo, sizeof c->echo) != 0 || v[3] == 0) return;
    if (c->epoch != 0 && c->epoch != v[3]) { /* the first epoch adopts the numbers given so far */
        if (v[4] != 0) return;
        tg_outbox_renumber(c);
#if TG_WITH_STORE
        c->limit = 0;
#endif
        tg_emit(c, TG_EVENT_RENUMBERED, v[3]);
    } else if (!tg_outbox_covers(c, v[4])) {
        if (c->epoch != 0) { /* a copy of this device spoke under its epoch: ask for another [P-7] */
            tg_outbox_renumber(c);
            c->epoch = 0;
            c->flags |= TG_OWED;
        }
        return;
    }
#if TG_WITH_STORE
    if (c->epoch != v[3] && TG_HAS_STORE(c)) {
        c->epoch = v[3];
        (void)tg_save(c); /* before the first message under it [P-9]; a failure is counted */
    }
#endif
    c->epoch = v[3];
    tg_outbox_ack(c, v[4]);
    c->cursor = c->acked;
    ticks = tg_ticks(v[5]);
    ticks = (tg_tick)((ticks >> 1) - (ticks >> 3));
    c->heartbeat = ticks != 0 ? ticks : HEARTBEAT_TICKS;
    set_window(c, v[6]);
    if (v[9] >= TG_MESSAGE_BYTES_MIN && v[9] < c->tx_room) c->tx_room = (uint16_t)v[9];
    c->catalog_part = v[8] != 0 && c->config->send_catalog != NULL && !TG_DRAINS(c);
    tg_enter(c, TG_ONLINE, TG_RESEND_TICKS);
    c->since = c->now;
    c->flags = (uint8_t)((c->flags & ~TG_HOLD) | TG_OWED);
    c->stats.sessions++;
    tg_emit(c, TG_EVENT_ONLINE, v[3]);
}

/* Go back, at once or after the pause it asks for [P-2]. Says nothing about what is durable. */
static void on_nack(tg_client *c, const uint32_t *v)
{
    const uint32_t to = v[1] - 1u;
    if (to > c->tx_high) return; /* 0 - 1 as well */
    if (to < c->cursor) c->cursor = to < c->acked ? c->acked : to;
    c->flags &= (uint8_t)~TG_HOLD;
    if (v[3] != 0) {
        c->flags |= TG_HOLD;
        c->due = (tg_tick)(c->now + tg_ticks(v[3]) + TG_WHOLE_TICKS);
    }
}

static tg_span span(const uint8_t *rx, uint32_t where)
{
    tg_span s;
    s.ptr = rx + (uint16_t)where;
    s.len = (uint16_t)(where >> 16);
    return s;
}

/* Lets the application act. */
static TG_APART tg_state act(tg_client *c, const uint32_t *v)
{
    const tg_config *config = c->config;
    tg_command command;
    command.id = v[1];
    command.code = v[2];
    command.name = span(config->rx, v[3]);
    command.args = span(config->rx, v[4]);
    command.deadline_ms = v[5];
    command.at_most_once = v[6] != 0;
    return config->on_command(c, &command);
}

#if TG_WITH_STORE
/* Records an at-most-once command before it acts [P-17]; false: the flash failed, and it must not. */
static bool record(tg_client *c, uint32_t id)
{
    const uint32_t before = c->last_command;
    if (!TG_HAS_STORE(c)) return true;
    c->last_command = id;
    c->running = id;
    if (tg_save(c) == TG_OK) return true;
    c->last_command = before;
    c->running = 0;
    return false;
}
#endif

static TG_APART void on_command(tg_client *c, const uint32_t *v)
{
    const tg_span none = {NULL, 0};
    tg_state state = TG_UNSUPPORTED;
    if (v[1] <= c->last_command) return; /* 0, or known already [P-17] */
    if (tg_outbox_room(c, TG_UPDATES) < TG_COMMAND_ROOM || c->next_seq > TG_SEQ_LAST) {
        c->stats.deferred++;
        return;
    }
#if TG_WITH_STORE
    if (v[6] != 0 && !record(c, v[1])) {
        c->stats.deferred++;
        return;
    }
#endif
    c->last_command = v[1];
    c->stats.commands++;
    if (v[5] != 0 && (int32_t)(c->now_ms - v[5]) >= 0) {
        state = TG_EXPIRED;
    } else if (c->config->on_command != NULL) {
        c->flags &= (uint8_t)~TG_REPLIED;
        state = act(c, v);
        if (state == TG_RECEIVED && (c->flags & TG_REPLIED)) return;
    }
    (void)tg_reply(c, v[1], state, none); /* room was made sure of above */
}

/* SayHello: the gateway does not know this session [P-11]. */
static void on_say_hello(tg_client *c)
{
    if (c->phase != TG_ONLINE && tg_age(c, c->spoke_at) <= TG_HELLO_AGAIN_TICKS) return;
    tg_enter(c, TG_GREETING, TG_OPEN_TICKS);
    c->flags |= TG_OWED;
}

/* A sound message: a body of number `kind`, its fields in `v`. Returns a verdict. */
static TG_APART uint8_t obey(tg_client *c, uint8_t kind, const uint32_t *v)
{
    if (kind == DOWN_BYE) {
        if (v[2] != 0) c->pause = (tg_tick)(tg_ticks(v[2]) + TG_WHOLE_TICKS);
        return v[1] <= TG_REASON_SLEEPING ? TG_OVER((uint8_t)v[1]) : TG_OVER(TG_REASON_UNSPECIFIED);
    }
    if (kind == DOWN_SAY_HELLO) on_say_hello(c);
    else if (c->phase != TG_ONLINE) {
        if (kind == DOWN_WELCOME) on_welcome(c, v);
    } else if (kind == DOWN_ACK) tg_outbox_ack(c, v[1]);
    else if (kind == DOWN_NACK) on_nack(c, v);
    else if (kind == DOWN_HEARTBEAT) c->ping = v[3];
    else if (kind == DOWN_COMMAND) on_command(c, v);
    else if (kind == DOWN_FLOW) set_window(c, v[1]);
    return 0;
}

TG_INTERNAL uint8_t tg_downlink(tg_client *c, uint16_t n)
{
    const uint8_t *rx = c->config->rx;
    tg_fields f;
    if (tg_pb_read(rx, TG_WHERE(0, n), BODIES, &f)) {
        const uint8_t kind = f.kind;
        if (kind > DOWN_SAY_HELLO) return 0;
        if (tg_pb_read(rx, f.v[kind], kind == DOWN_COMMAND ? COMMAND_TEXTS : 0, &f)) return obey(c, kind, f.v);
    }
    c->stats.rx_bad++;
    return TG_OVER(TG_REASON_MALFORMED); /* [P-29] */
}
