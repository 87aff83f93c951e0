/* tg_downlink.c -- what a message from the gateway does.
 *
 *   GREETING   Welcome, Bye, SayHello; the rest belongs to a session that is gone [P-5]
 *   ONLINE     everything but Welcome
 *
 * A message that cannot be read is counted and ends the session [P-29]; unknown fields and bodies are skipped [P-25].
 */
#include "tg_core.h"

/* Body numbers of Downlink. */
enum { DOWN_WELCOME = 1, DOWN_ACK, DOWN_NACK, DOWN_HEARTBEAT, DOWN_COMMAND, DOWN_FLOW, DOWN_BYE, DOWN_SAY_HELLO };

#define HEARTBEAT_TICKS 88u      /* for the keepalive of 30 s, when the gateway names none */
#define HEARTBEAT_TICKS_MAX 7000u /* four of them are waited for at most: an hour */

static void set_window(tg_client *c, uint32_t window)
{
    c->window = window > TG_WINDOW_MAX ? (uint8_t)TG_WINDOW_MAX : (uint8_t)window;
}

/* Only the answer to the latest Hello counts [P-5], and only if it claims nothing we never sent [P-3]. */
static void on_welcome(tg_client *c, const uint32_t *v)
{
    const uint32_t epoch = v[3];
    const bool foreign = epoch != c->epoch && c->epoch != 0; /* the first epoch adopts the numbers given so far */
    uint16_t heartbeat;
    if (v[1] != c->attempt || v[2] != c->boot_nonce || epoch == 0) return;
    if (foreign ? v[4] != 0 : !tg_outbox_covers(c, v[4])) return;
    if (foreign) {
        tg_outbox_renumber(c);
        tg_emit(c, TG_EVENT_RENUMBERED, epoch);
    }
    c->epoch = epoch;
    tg_outbox_ack(c, v[4]);
    tg_outbox_rewind(c, 0);
    heartbeat = tg_ticks(v[5]);
    heartbeat = (uint16_t)((heartbeat >> 1) - (heartbeat >> 3));
    if (heartbeat == 0 || heartbeat > HEARTBEAT_TICKS_MAX) heartbeat = HEARTBEAT_TICKS;
    c->heartbeat = heartbeat;
    set_window(c, v[6]);
    if (v[9] >= TG_MESSAGE_BYTES_MIN && v[9] < c->tx_room) c->tx_room = (uint16_t)v[9];
    c->catalog_part = v[8] != 0 && c->config->send_catalog != NULL;
    tg_enter(c, TG_ONLINE, TG_RESEND_TICKS);
    c->since = c->now;
    c->flags = (uint8_t)((c->flags & ~TG_HOLD) | TG_OWED);
    c->stats.sessions++;
    tg_emit(c, TG_EVENT_ONLINE, epoch);
}

/* Go back, at once or after the pause it asks for [P-2]. Says nothing about what is durable. */
static void on_nack(tg_client *c, const uint32_t *v)
{
    if (v[1] == 0 || v[1] - 1u > c->tx_high) return;
    tg_outbox_rewind(c, v[1] - 1u);
    c->flags &= (uint8_t)~TG_HOLD;
    if (v[3] != 0) {
        c->flags |= TG_HOLD;
        c->due = (uint16_t)(c->now + tg_ticks(v[3]) + 1u);
    }
}

static void on_command(tg_client *c, const tg_fields *f)
{
    const tg_span none = {NULL, 0};
    const tg_config *config = c->config;
    const tg_ring *ring = &c->ring[TG_UPDATES];
    tg_state state = TG_UNSUPPORTED;
    tg_command command;
    command.id = f->v[1];
    if (command.id <= c->last_command) return; /* 0, or known already [P-17] */
    if (config->ring_bytes - c->split - (ring->end - ring->head) < (int)TG_COMMAND_ROOM || c->next_seq > TG_SEQ_LAST) {
        c->stats.deferred++;
        return;
    }
    c->last_command = command.id;
    c->stats.commands++;
    command.code = f->v[2];
    command.name = f->third;
    command.args = f->last;
    command.deadline_ms = f->v[5];
    command.at_most_once = f->v[6] != 0;
    if (command.deadline_ms != 0 && tg_now_ms(c) - command.deadline_ms < 0x80000000u) {
        state = TG_EXPIRED;
    } else if (config->on_command != NULL) {
        c->flags &= (uint8_t)~TG_REPLIED;
        state = config->on_command(c, &command);
        if (state == TG_RECEIVED && (c->flags & TG_REPLIED)) return;
    }
    (void)tg_reply(c, command.id, state, none); /* room was made sure of above */
}

static void online(tg_client *c, uint8_t kind, const tg_fields *f)
{
    const uint32_t *v = f->v;
    switch (kind) {
    case DOWN_ACK:
        tg_outbox_ack(c, v[1]);
        break;
    case DOWN_NACK:
        on_nack(c, v);
        break;
    case DOWN_HEARTBEAT:
        if (v[3] != 0) c->ping = v[3];
        break;
    case DOWN_COMMAND:
        on_command(c, f);
        break;
    case DOWN_FLOW:
        set_window(c, v[1]);
        break;
    default:
        break;
    }
}

/* SayHello: the gateway does not know this session [P-11]. */
static void on_say_hello(tg_client *c)
{
    if (c->phase != TG_ONLINE && tg_age(c, c->spoke_at) <= TG_HELLO_AGAIN_TICKS) return;
    tg_enter(c, TG_GREETING, TG_OPEN_TICKS);
    c->flags |= TG_OWED;
}

TG_INTERNAL void tg_downlink(tg_client *c, size_t n)
{
    tg_fields f;
    tg_span in;
    uint8_t kind = 0;
    bool sound;
    in.ptr = c->config->rx;
    in.len = (uint16_t)n;
    sound = tg_pb_read(in, &f);
    if (sound && f.kind <= DOWN_SAY_HELLO) {
        kind = f.kind;
        sound = tg_pb_read(kind == DOWN_NACK ? f.third : f.last, &f);
    }
    if (!sound) {
        c->stats.rx_bad++;
        tg_end(c, TG_REASON_MALFORMED, 0); /* [P-29] */
    } else if (kind == DOWN_BYE) {
        tg_end(c, f.v[1] <= TG_REASON_SLEEPING ? (uint8_t)f.v[1] : 0, f.v[2]);
    } else if (kind == DOWN_SAY_HELLO) {
        on_say_hello(c);
    } else if (c->phase == TG_ONLINE) {
        online(c, kind, &f);
    } else if (kind == DOWN_WELCOME) {
        on_welcome(c, f.v);
    }
}
