/* fake_gateway.c -- see fake_gateway.h. */
#include "fake_gateway.h"

#include <stdlib.h>
#include <string.h>

uint32_t fake_random(fake *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 17;
    f->random ^= f->random << 5;
    return f->random;
}

/* A CRC-32 of another make than the SDK's: four bits at a time. */
static uint32_t crc_of(const uint8_t *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                       0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFFu;
    while (n-- > 0) {
        crc ^= *p++;
        crc = crc >> 4 ^ table[crc & 15u];
        crc = crc >> 4 ^ table[crc & 15u];
    }
    return ~crc;
}

size_t fake_frame(const uint8_t *message, size_t n, uint8_t *wire)
{
    uint8_t raw[2048];
    size_t at;
    size_t out = 1;
    size_t code_at = 0;
    const uint32_t crc = crc_of(message, n);
    memcpy(raw, message, n);
    for (at = 0; at < 4; at++) raw[n + at] = (uint8_t)(crc >> 8 * at);
    wire[0] = 1;
    for (at = 0; at < n + 4; at++) {
        if (raw[at] != 0) {
            wire[out++] = raw[at];
            wire[code_at]++;
        }
        if (raw[at] == 0 || (wire[code_at] == 255 && at + 1 < n + 4)) {
            code_at = out;
            wire[out++] = 1;
        }
    }
    wire[out++] = 0;
    return out;
}

size_t fake_unframe(const uint8_t *wire, size_t n, uint8_t *message)
{
    size_t at = 0;
    size_t out = 0;
    while (at < n) {
        const size_t code = wire[at++];
        if (code == 0 || at + code - 1 > n) return 0;
        memcpy(message + out, wire + at, code - 1);
        out += code - 1;
        at += code - 1;
        if (code != 255 && at < n) message[out++] = 0;
    }
    if (out < 5) return 0;
    out -= 4;
    return crc_of(message, out) == ((uint32_t)message[out] | (uint32_t)message[out + 1] << 8 |
                                    (uint32_t)message[out + 2] << 16 | (uint32_t)message[out + 3] << 24)
               ? out
               : 0;
}

static void put(fake_wire *wire, uint8_t b)
{
    if (wire->tail - wire->head == FAKE_WIRE_BYTES) abort();
    wire->bytes[wire->tail++ % FAKE_WIRE_BYTES] = b;
}

/* A byte passes the line: it may be hit, and the line may die of it. */
static bool pass(fake *f, uint8_t *b)
{
    if (f->die_after == 0) {
        f->is_open = false;
        return false;
    }
    if (f->die_after > 0) f->die_after--;
    if (f->noise_per_million > 0 && fake_random(f) % 1000000u < f->noise_per_million) {
        *b = (uint8_t)(*b ^ (1u << (fake_random(f) & 7u)));
    }
    return true;
}

static int16_t port_open(void *ctx)
{
    fake *f = ctx;
    if (f->opens_fail > 0) {
        f->opens_fail--;
        return -1;
    }
    if (f->open_pending > 0) {
        f->open_pending--;
        return 0;
    }
    f->opens++;
    f->is_open = true;
    f->up.head = f->up.tail;
    f->down.head = f->down.tail;
    f->frame_len = 0;
    return 1;
}

static int16_t port_send(void *ctx, const uint8_t *p, uint16_t n)
{
    fake *f = ctx;
    size_t i;
    if (!f->is_open || n == 0) return -1;
    for (i = 0; i < n && i < f->send_max; i++) {
        uint8_t b = p[i];
        if (!pass(f, &b)) return -1;
        put(&f->up, b);
    }
    return (int16_t)i;
}

static int16_t port_recv(void *ctx, uint8_t *p, uint16_t cap)
{
    fake *f = ctx;
    size_t i;
    if (!f->is_open || cap == 0) return -1;
    for (i = 0; i < cap && i < f->recv_max && f->down.head != f->down.tail; i++) {
        p[i] = f->down.bytes[f->down.head++ % FAKE_WIRE_BYTES];
        if (!pass(f, &p[i])) return -1;
    }
    return (int16_t)i;
}

static void port_close(void *ctx)
{
    fake *f = ctx;
    f->closes++;
    f->is_open = false;
}

static uint32_t port_now(void *ctx)
{
    return ((fake *)ctx)->now_ms;
}

static uint32_t port_entropy(void *ctx)
{
    return fake_random(ctx);
}

void fake_port(fake *f, tg_port *port)
{
    port->open = port_open;
    port->send = port_send;
    port->recv = port_recv;
    port->close = port_close;
    port->now_ms = port_now;
    port->entropy = port_entropy;
    port->ctx = f;
}

void fake_init(fake *f)
{
    memset(f, 0, sizeof *f);
    f->now_ms = 1000;
    f->random = 0x12345678u;
    f->send_max = FAKE_WIRE_BYTES;
    f->recv_max = FAKE_WIRE_BYTES;
    f->die_after = -1;
    f->window = 16;
    f->keepalive_ms = 30000;
    f->max_uplink_bytes = 1024;
}

void fake_put_raw(fake *f, const uint8_t *bytes, size_t n)
{
    while (n-- > 0) put(&f->down, *bytes++);
}

void fake_say_raw(fake *f, const uint8_t *message, size_t n)
{
    uint8_t wire[4096];
    if (f->websocket) {
        const uint8_t head[4] = {0x82, n < 126 ? (uint8_t)n : 126, (uint8_t)(n >> 8), (uint8_t)n};
        fake_put_raw(f, head, n < 126 ? 2 : 4);
        fake_put_raw(f, message, n);
        return;
    }
    fake_put_raw(f, wire, fake_frame(message, n, wire));
}

void fake_say(fake *f, uint8_t kind, const wire_writer *w)
{
    uint8_t buf[2048];
    wire_writer out;
    wire_open(&out, buf, sizeof buf);
    wire_byte(&out, (uint8_t)(kind << 3 | 2));
    wire_varint(&out, w->len);
    wire_raw(&out, w->buf, w->len);
    if (!f->mute) fake_say_raw(f, out.buf, out.len);
}

void fake_number(fake *f, uint8_t kind, uint8_t field, uint32_t value)
{
    uint8_t buf[16];
    wire_writer w;
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, field, value);
    fake_say(f, kind, &w);
}

void fake_ack(fake *f)
{
    f->durable = f->accepted;
    fake_number(f, 2, 1, f->durable);
}

void fake_command(fake *f, uint32_t id, uint32_t code, uint32_t deadline_ms)
{
    uint8_t buf[64];
    wire_writer w;
    const tg_span args = {(const uint8_t *)"{\"on\":true}", 11};
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, 1, id);
    wire_u32(&w, 2, code);
    wire_bytes(&w, 4, args.ptr, args.len);
    wire_u32(&w, 5, deadline_ms);
    fake_say(f, 5, &w);
}

void fake_restart(fake *f)
{
    f->session = false;
    f->accepted = f->durable;
    f->down.head = f->down.tail;
}

bool fake_has_value(const fake *f, uint32_t value)
{
    size_t i;
    for (i = 0; i < f->stored_count; i++) {
        if (f->stored[i].value == value) return true;
    }
    return false;
}

bool fake_has_update(const fake *f, uint32_t id, uint32_t state)
{
    size_t i;
    for (i = 0; i < f->update_count; i++) {
        if (f->updates[i].id == id && f->updates[i].state == state) return true;
    }
    return false;
}

/* The number in field `number` of a message, 0 when absent; its bytes to `bytes`. */
static uint32_t find(tg_span in, uint8_t number, tg_span *bytes)
{
    wire_field field;
    uint32_t value = 0;
    while (wire_next(&in, &field) > 0) {
        if (field.number != number) continue;
        value = field.value;
        if (bytes != NULL) *bytes = field.bytes;
    }
    return value;
}

static void gap(fake *f, uint32_t from, uint32_t to)
{
    if (f->gap_count == FAKE_GAPS_MAX) abort();
    f->gaps[f->gap_count].epoch = f->epoch;
    f->gaps[f->gap_count].from = from;
    f->gaps[f->gap_count++].to = to;
}

static void welcome(fake *f)
{
    uint8_t buf[128];
    wire_writer w;
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, 1, f->hello_attempt);
    wire_fixed32(&w, 2, f->hello_nonce);
    wire_fixed32(&w, 3, f->epoch);
    /* A closing outbox may have been saved before its last acks: all it holds is safe [P-9]. */
    wire_u32(&w, 4, f->hello_closing && f->durable >= f->hello_next_seq ? f->hello_next_seq - 1 : f->durable);
    wire_u32(&w, 5, f->keepalive_ms);
    wire_u32(&w, 6, f->window);
    wire_u32(&w, 8, f->want_catalog);
    wire_u32(&w, 9, f->max_uplink_bytes);
    fake_say(f, 1, &w);
}

/* From now on `epoch` counts; the mark of the one before is kept. */
static void turn_to(fake *f, uint32_t epoch)
{
    size_t i;
    if (f->mark_count == FAKE_EPOCHS_MAX) abort();
    f->marks[f->mark_count].epoch = f->epoch;
    f->marks[f->mark_count++].durable = f->durable;
    f->epoch = epoch;
    f->durable = 0; /* an unknown one is adopted [P-8] */
    for (i = 0; i < f->mark_count; i++) {
        if (f->marks[i].epoch == epoch) f->durable = f->marks[i].durable;
    }
}

static void on_hello(fake *f, tg_span in)
{
    const uint32_t epoch = find(in, 5, NULL);
    f->hellos++;
    f->hello_nonce = find(in, 3, NULL);
    f->hello_attempt = find(in, 4, NULL);
    f->hello_next_seq = find(in, 6, NULL);
    f->hello_oldest = find(in, 7, NULL);
    f->hello_acked = find(in, 8, NULL);
    f->hello_max_rx = find(in, 10, NULL);
    f->hello_catalog_hash = find(in, 11, NULL);
    f->hello_last_command = find(in, 15, NULL);
    f->hello_closing = find(in, 18, NULL) != 0;
    if (f->mute) return;
    if (epoch == 0 || f->force_epoch != 0) {
        turn_to(f, f->force_epoch != 0 ? f->force_epoch : 0x1000u + ++f->epochs);
        f->force_epoch = 0;
        f->hello_acked = 0;
        if (epoch != 0) f->hello_oldest = 0; /* what is held will be numbered anew */
    } else if (epoch != f->epoch) {
        turn_to(f, epoch);
    }
    if (f->hello_acked > f->durable) {
        gap(f, f->durable + 1, f->hello_acked);
        f->durable = f->hello_acked;
    }
    if (f->hello_oldest > f->durable + 1) {
        gap(f, f->durable + 1, f->hello_oldest - 1);
        f->durable = f->hello_oldest - 1;
    }
    f->accepted = f->durable;
    f->session = true;
    f->nacked_at_ms = f->now_ms - 1000;
    welcome(f);
}

static void store(fake *f, uint32_t seq, uint8_t kind, tg_span body)
{
    if (kind == 5) {
        tg_span series = {NULL, 0};
        tg_span column = {NULL, 0};
        tg_span rest;
        uint32_t value = 0;
        find(body, 3, &series);
        find(series, 5, &column);
        rest = column;
        while (rest.len > 0) { /* one zigzag varint */
            value |= (uint32_t)(*rest.ptr & 0x7Fu) << 7 * (column.len - rest.len);
            rest.ptr++;
            rest.len--;
        }
        if (f->stored_count == FAKE_STORED_MAX) abort();
        if (f->want_catalog && !f->catalog_whole) f->early++;
        f->stored[f->stored_count].epoch = f->epoch;
        f->stored[f->stored_count].seq = seq;
        f->stored[f->stored_count++].value = value >> 1;
    } else if (kind == 6) {
        fake_update *u = &f->updates[f->update_count++];
        tg_span result = {NULL, 0};
        if (f->update_count == FAKE_UPDATES_MAX) abort();
        u->id = find(body, 1, NULL);
        u->state = find(body, 2, NULL);
        find(body, u->state == TG_FAILED ? 4 : 3, &result);
        u->result_len = result.len;
        if (result.len > 0 && result.len <= sizeof u->result) memcpy(u->result, result.ptr, result.len);
    } else if (kind == 7) {
        wire_field field;
        const uint8_t *at = body.ptr;
        f->catalog_parts_seen++;
        f->catalog_whole = find(body, 2, NULL) + 1 >= find(body, 3, NULL);
        if (find(body, 2, NULL) == 0) f->catalog_len = 0;
        for (; wire_next(&body, &field) > 0; at = body.ptr) {
            if (field.number < 4) continue;
            memcpy(f->catalog + f->catalog_len, at, (size_t)(body.ptr - at));
            f->catalog_len += (size_t)(body.ptr - at);
        }
    }
}

static void on_reliable(fake *f, uint32_t seq, uint32_t below, const wire_field *body)
{
    const uint32_t expected = f->accepted + 1;
    if (below >= seq) {
        f->violations++;
    } else if (seq < expected) {
        f->duplicates++;
        if (!f->hold_acks) fake_ack(f);
    } else if (seq - below > expected) {
        f->out_of_order++;
        if (f->now_ms - f->nacked_at_ms < 20) return;
        f->nacked_at_ms = f->now_ms;
        fake_number(f, 3, 1, expected);
    } else {
        if (seq > expected) gap(f, expected, seq - 1);
        f->accepted = seq;
        store(f, seq, body->number, body->bytes);
        if (!f->hold_acks) fake_ack(f);
    }
}

static void on_message(fake *f, tg_span in)
{
    wire_field field;
    wire_field body;
    uint32_t seq = 0;
    uint32_t below = 0;
    int got;
    memset(&body, 0, sizeof body);
    while ((got = wire_next(&in, &field)) > 0) {
        if (field.number == 1) seq = field.value;
        if (field.number == 2) below = field.value;
        if (field.number > 2) body = field;
    }
    if (got < 0) abort(); /* the SDK never writes garbage */
    if (body.number == 3) {
        on_hello(f, body.bytes);
    } else if (body.number == 8) {
        f->byes++;
        f->bye_reason = find(body.bytes, 1, NULL);
        f->session = false;
    } else if (!f->session) {
        const wire_writer none = {NULL, 0, 0};
        fake_say(f, 8, &none);
    } else if (body.number == 4) {
        f->heartbeats++;
        f->heartbeat_next_seq = find(body.bytes, 4, NULL);
        f->heartbeat_oldest = find(body.bytes, 5, NULL);
        if (find(body.bytes, 3, NULL) != 0) {
            f->pong = find(body.bytes, 3, NULL);
            f->pong_uptime = find(body.bytes, 1, NULL);
        }
        if (f->heartbeat_oldest > f->accepted + 1) { /* [P-12] */
            gap(f, f->accepted + 1, f->heartbeat_oldest - 1);
            f->accepted = f->heartbeat_oldest - 1;
        }
        fake_number(f, 4, 1, 0);
    } else {
        on_reliable(f, seq, below, &body);
    }
}

/* WebSocket frames, once the test has let the upgrade pass (masked, final, binary). Returns false when incomplete. */
static bool take_websocket(fake *f)
{
    const size_t n = f->up.tail - f->up.head;
    uint8_t head[8];
    uint8_t message[2048];
    size_t len;
    size_t at;
    size_t i;
    for (i = 0; i < 8 && i < n; i++) head[i] = f->up.bytes[(f->up.head + i) % FAKE_WIRE_BYTES];
    if (n < 6) return false;
    len = head[1] & 0x7Fu;
    at = 2;
    if (len == 126) {
        len = (size_t)head[2] << 8 | head[3];
        at = 4;
    }
    if (n < at + 4 + len || len > sizeof message) return false;
    for (i = 0; i < len; i++) {
        message[i] = f->up.bytes[(f->up.head + at + 4 + i) % FAKE_WIRE_BYTES] ^
                     f->up.bytes[(f->up.head + at + (i & 3u)) % FAKE_WIRE_BYTES];
    }
    f->up.head += at + 4 + len;
    if (head[0] == 0x82) {
        const tg_span in = {message, (uint16_t)len};
        on_message(f, in);
    }
    return true;
}

void fake_step(fake *f)
{
    if (f->websocket) {
        while (take_websocket(f)) {
        }
        return;
    }
    while (f->up.head != f->up.tail) {
        const uint8_t b = f->up.bytes[f->up.head++ % FAKE_WIRE_BYTES];
        uint8_t message[2048];
        tg_span in;
        if (b != 0) {
            if (f->frame_len < sizeof f->frame) f->frame[f->frame_len++] = b;
            continue;
        }
        if (f->frame_len == 0) continue;
        in.ptr = message;
        in.len = (uint16_t)fake_unframe(f->frame, f->frame_len, message);
        f->frame_len = 0;
        if (in.len == 0) f->bad_frames++; else on_message(f, in);
    }
}
