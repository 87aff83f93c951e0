/* bench.h -- one device and one fake gateway on the table, and the clock in our hands. */
#ifndef BENCH_H
#define BENCH_H

#include <string.h>

#include "fake_gateway.h"
#include "tg_test.h"

typedef struct bench {
    fake gateway;
    tg_port port;
    tg_config config;
    tg_client client;
    uint8_t rx[1100];
    uint8_t tx[1200];
    uint8_t ring[4096];
    uint8_t catalog[512];
    uint32_t put;          /* readings queued, numbered from 1 */
    uint32_t runs[8192];   /* how often each command id ran */
    uint32_t last_code;
    uint8_t last_args[32];
    size_t last_args_len;
    bool reply_in_callback;
    tg_state answer;
    unsigned online;
    unsigned offline;
    unsigned refused;
    uint32_t offline_reason;
    unsigned dropped;
    unsigned renumbered;
    uint64_t polls;
} bench;

static bench table;

static inline tg_span span_of(const char *s)
{
    tg_span span;
    span.ptr = (const uint8_t *)s;
    span.len = (uint16_t)strlen(s);
    return span;
}

static inline tg_state bench_command(tg_client *c, const tg_command *command)
{
    bench *b = c->config->app;
    if (command->id < 8192) b->runs[command->id]++;
    b->last_code = command->code;
    b->last_args_len = command->args.len;
    if (command->args.len > 0 && command->args.len <= sizeof b->last_args) memcpy(b->last_args, command->args.ptr, command->args.len);
    if (!b->reply_in_callback) return b->answer;
    CHECK(tg_reply(c, command->id, TG_SUCCEEDED, command->args) == TG_OK);
    return TG_RECEIVED;
}

static inline void bench_event(tg_client *c, tg_event event, uint32_t arg)
{
    bench *b = c->config->app;
    if (event == TG_EVENT_ONLINE) b->online++;
    if (event == TG_EVENT_OFFLINE) b->offline++, b->offline_reason = arg;
    if (event == TG_EVENT_REFUSED) b->refused++, b->offline_reason = arg;
    if (event == TG_EVENT_DROPPED) b->dropped++;
    if (event == TG_EVENT_RENUMBERED) b->renumbered++;
}

/* Everything fresh; the test may still change config before bench_open(). */
static inline bench *bench_new(void)
{
    bench *b = &table;
    memset(b, 0, sizeof *b);
    fake_init(&b->gateway);
    fake_port(&b->gateway, &b->port);
    b->config.port = &b->port;
    b->config.framing = tg_serial_framing;
    b->config.rx = b->rx;
    b->config.tx = b->tx;
    b->config.ring = b->ring;
    b->config.rx_bytes = 256;
    b->config.tx_bytes = 300;
    b->config.ring_bytes = 512;
    b->config.device_id = span_of("bench-1");
    b->config.token = span_of("secret-token");
    b->config.on_command = bench_command;
    b->config.on_event = bench_event;
    b->config.app = b;
    b->answer = TG_SUCCEEDED;
    return b;
}

static inline void bench_open(bench *b)
{
    CHECK(tg_init(&b->client, &b->config) == TG_OK);
}

/* Both sides act until nothing more happens at this instant. */
static inline uint32_t bench_settle(bench *b)
{
    uint32_t wait = 0;
    unsigned i;
    for (i = 0; i < 200000u; i++) {
        const size_t down = b->gateway.down.tail;
        const size_t up = b->gateway.up.tail;
        wait = tg_poll(&b->client);
        b->polls++;
        if (up != b->gateway.up.tail) wait = 0; /* the link took something: it may take more */
        fake_step(&b->gateway);
        if (wait != 0 && b->gateway.down.tail == down && b->gateway.down.head == down) return wait;
        if (wait != 0 && wait <= 2 && b->gateway.send_max == 0) return wait;
        if (!b->gateway.is_open && wait != 0) return wait;
    }
    CHECK(!"a poll that always wants to run again");
    return 0;
}

/* `ms` pass in steps of at most `step`. */
static inline void bench_pass(bench *b, uint32_t ms, uint32_t step)
{
    while (ms > 0) {
        const uint32_t n = ms < step ? ms : step;
        b->gateway.now_ms += n;
        ms -= n;
        bench_settle(b);
    }
}

/* Until the session stands, two minutes at most. */
static inline void bench_online(bench *b)
{
    unsigned i;
    for (i = 0; i < 1200u && tg_get_phase(&b->client) != TG_ONLINE; i++) bench_pass(b, 100, 100);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
    bench_settle(b);
}

/* Queues reading number `put`. */
static inline tg_err bench_put(bench *b)
{
    uint8_t scratch[64];
    tg_writer w;
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    CHECK(tg_put_i32(&w, 1, (int32_t)(b->put + 1)) == TG_OK);
    b->put++;
    return tg_telemetry_end(&b->client, &w);
}

/* I1, I3, I5, I9 of the guarantees: every number from 1 on is stored once, in order, or in exactly one gap. */
static inline void bench_accounts(bench *b, uint32_t epoch, uint32_t last)
{
    static uint8_t seen[FAKE_STORED_MAX];
    uint32_t seq;
    size_t i;
    uint32_t before = 0;
    memset(seen, 0, sizeof seen);
    for (i = 0; i < b->gateway.stored_count; i++) {
        if (b->gateway.stored[i].epoch != epoch) continue;
        CHECK(b->gateway.stored[i].seq > before);
        before = b->gateway.stored[i].seq;
        seen[before]++;
    }
    for (i = 0; i < b->gateway.gap_count; i++) {
        if (b->gateway.gaps[i].epoch != epoch) continue;
        for (seq = b->gateway.gaps[i].from; seq <= b->gateway.gaps[i].to; seq++) seen[seq]++;
    }
    for (seq = 1; seq <= last; seq++) CHECK_EQ(seen[seq], 1);
}

#endif
