/* test_lifetime.c -- how a session lives and ends: clock, silence, backoff, Bye, stop, and what init refuses. */
#include "bench.h"

static void a_ping_is_answered_at_once_with_the_uptime_p23(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    bench_pass(b, 777, 777);
    fake_number(&b->gateway, 4, 3, 42);
    bench_settle(b);
    CHECK_EQ(b->gateway.pong, 42);
    CHECK_EQ(b->gateway.pong_uptime, b->gateway.now_ms);
}

static void silence_from_the_gateway_ends_the_session_p22(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->gateway.mute = true;
    bench_pass(b, 44000, 100);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
    bench_pass(b, 2000, 100);
    CHECK_EQ(b->offline_reason, TG_REASON_SILENT);
    b->gateway.mute = false;
    bench_online(b);
}

static void heartbeats_keep_an_idle_session_alive_for_a_day_p22(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    bench_pass(b, 86400000, 1000);
    CHECK_EQ(b->online, 1);
    CHECK(b->gateway.heartbeats > 86400 / 15 && b->gateway.heartbeats < 86400 / 10);
}

static void poll_says_how_long_it_may_sleep(void)
{
    bench *b = bench_new();
    uint32_t slept = 0;
    unsigned polls = 0;
    bench_open(b);
    bench_online(b);
    while (slept < 600000) { /* obeying exactly what it returns keeps the session */
        const uint32_t wait = bench_settle(b);
        CHECK(wait >= 1 && wait <= 12000);
        b->gateway.now_ms += wait;
        slept += wait;
        polls++;
    }
    CHECK_EQ(b->online, 1);
    CHECK(polls < 150);
}

static void the_clock_may_wrap_p23(void)
{
    bench *b = bench_new();
    unsigned i;
    b->gateway.now_ms = 0xFFFFFFFFu - 20000u;
    bench_open(b);
    bench_online(b);
    for (i = 0; i < 400; i++) {
        CHECK(bench_put(b) == TG_OK);
        bench_pass(b, 100, 50);
    }
    CHECK_EQ(b->online, 1);
    CHECK_EQ(b->dropped, 0);
    bench_accounts(b, 0x1001, 400);
}

static void the_backoff_is_jittered_doubles_and_is_bounded_p21(void)
{
    bench *b = bench_new();
    uint32_t longest = 0;
    unsigned i;
    bench_open(b);
    for (i = 0; i < 200; i++) {
        uint32_t bound = 1000u << (i < 6 ? i : 6);
        uint32_t wait;
        b->gateway.opens_fail = 1;
        wait = tg_poll(&b->client);
        if (wait == 0) continue;
        CHECK(wait <= bound + bound / 16);
        if (wait > longest) longest = wait;
        b->gateway.now_ms += wait;
    }
    CHECK(longest > 40000);
}

static void the_backoff_resets_only_after_a_session_stayed_up_p21(void)
{
    bench *b = bench_new();
    bench_open(b);
    b->client.spread = 255;
    bench_online(b);
    bench_pass(b, 30000, 1000);
    CHECK_EQ(b->client.spread, 255);
    bench_pass(b, 40000, 1000);
    CHECK_EQ(b->client.spread, TG_SPREAD_FIRST);
}

static void a_bye_is_obeyed_with_its_wait_p21(void)
{
    bench *b = bench_new();
    uint8_t buf[16];
    wire_writer w;
    uint32_t wait;
    bench_open(b);
    bench_online(b);
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, 1, TG_REASON_OVERLOADED);
    wire_u32(&w, 2, 20000);
    fake_say(&b->gateway, 7, &w);
    wait = tg_poll(&b->client);
    CHECK(wait >= 20000 && wait <= 21400);
    CHECK_EQ(b->offline_reason, TG_REASON_OVERLOADED);
    b->gateway.now_ms += wait;
    bench_online(b);
}

static void no_wait_is_shorter_than_asked_for_wherever_the_clock_stands_p21(void)
{
    uint32_t phase;
    for (phase = 0; phase < 512; phase += 37) {
        bench *b = bench_new();
        uint8_t buf[16];
        wire_writer w;
        uint32_t begin;
        b->gateway.now_ms = 70000u + phase;
        bench_open(b);
        bench_online(b);
        wire_open(&w, buf, sizeof buf);
        wire_u32(&w, 1, TG_REASON_OVERLOADED);
        wire_u32(&w, 2, 1000);
        fake_say(&b->gateway, 7, &w);
        begin = b->gateway.now_ms;
        while (b->gateway.opens == 1) {
            (void)tg_poll(&b->client);
            b->gateway.now_ms++;
        }
        CHECK(b->gateway.now_ms - begin > 1000);
        CHECK(b->gateway.now_ms - begin < 3000);
    }
}

static void a_refusal_waits_an_hour_unless_started_p30(void)
{
    bench *b = bench_new();
    uint32_t wait;
    bench_open(b);
    bench_online(b);
    fake_number(&b->gateway, 7, 1, TG_REASON_REVOKED);
    wait = tg_poll(&b->client);
    CHECK(wait >= 3599000 && wait <= 3601000);
    CHECK_EQ(b->refused, 1);
    tg_start(&b->client);
    bench_online(b);
}

static void a_stopped_device_says_bye_and_rests_p30(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    tg_stop(&b->client, TG_REASON_SLEEPING);
    bench_settle(b);
    CHECK(tg_get_phase(&b->client) == TG_STOPPED);
    CHECK_EQ(b->gateway.bye_reason, TG_REASON_SLEEPING);
    CHECK(tg_poll(&b->client) == TG_FOREVER);
    tg_stop(&b->client, TG_REASON_SLEEPING);
    CHECK_EQ(b->gateway.closes, 1);
    bench_put(b);
    tg_start(&b->client);
    bench_online(b);
    CHECK_EQ(b->gateway.stored_count, 1);
    CHECK_EQ(b->gateway.epochs, 1); /* it kept its memory, and resumed */
}

static void stopping_without_a_link_is_immediate(void)
{
    bench *b = bench_new();
    bench_open(b);
    tg_stop(&b->client, TG_REASON_SHUTDOWN);
    CHECK(tg_get_phase(&b->client) == TG_STOPPED);
    tg_start(&b->client);
    b->gateway.open_pending = 3;
    CHECK_EQ(tg_poll(&b->client), TG_SOON_MS);
    tg_stop(&b->client, TG_REASON_SHUTDOWN);
    CHECK(tg_get_phase(&b->client) == TG_STOPPED);
    CHECK_EQ(b->gateway.closes, 1);
}

static void an_open_that_never_ends_is_given_up(void)
{
    bench *b = bench_new();
    b->gateway.open_pending = 1000000;
    bench_open(b);
    bench_pass(b, 29000, 100);
    CHECK(tg_get_phase(&b->client) == TG_OPENING);
    bench_pass(b, 1500, 100);
    CHECK_EQ(b->offline_reason, TG_REASON_HELLO_TIMEOUT);
}

static void a_link_that_takes_nothing_is_given_up(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->gateway.send_max = 0;
    bench_put(b);
    bench_pass(b, 9000, 100);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
    bench_pass(b, 3000, 100);
    CHECK(b->offline >= 1);
    b->gateway.send_max = 100;
    bench_online(b);
    CHECK_EQ(b->gateway.stored_count, 1);
}

static void an_unreadable_message_ends_the_session_p29(void)
{
    static const uint8_t broken[][4] = {{0x12, 0x05, 0x08, 0x01}, {0x12, 0x02, 0x08, 0x80}, {0x13, 0x14, 0, 0},
                                        {0x00, 0x01, 0, 0}};
    size_t i;
    for (i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        bench *b = bench_new();
        bench_open(b);
        bench_online(b);
        fake_say_raw(&b->gateway, broken[i], 4);
        bench_settle(b);
        CHECK_EQ(b->offline_reason, TG_REASON_MALFORMED);
        CHECK_EQ(tg_get_stats(&b->client)->rx_bad, 1);
        bench_online(b);
    }
}

static void unknown_fields_and_bodies_are_skipped_p25(void)
{
    static const uint8_t unknown_body[] = {0x62, 0x02, 0x08, 0x01};
    static const uint8_t unknown_fields[] = {0x12, 0x0E, 0xF9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 0x01, 0x9A, 0x06};
    bench *b = bench_new();
    uint8_t message[32];
    bench_open(b);
    bench_online(b);
    b->gateway.hold_acks = true;
    bench_put(b);
    bench_settle(b);
    fake_say_raw(&b->gateway, unknown_body, sizeof unknown_body);
    bench_settle(b);
    CHECK_EQ(tg_held(&b->client), 1);
    memcpy(message, unknown_fields, 14);
    message[1] = 12;
    fake_say_raw(&b->gateway, message, 14); /* an Ack with a fixed64 nobody knows */
    bench_settle(b);
    CHECK_EQ(tg_held(&b->client), 0);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
}

static void init_refuses_what_cannot_work(void)
{
    bench *b = bench_new();
    tg_client *c = &b->client;
    CHECK(tg_init(NULL, &b->config) == TG_ERR_ARG);
    CHECK(tg_init(c, NULL) == TG_ERR_ARG);
#define REFUSED(change, error)                        \
    b = bench_new();                                  \
    change;                                           \
    CHECK(tg_init(&b->client, &b->config) == (error))
    REFUSED(b->config.port = NULL, TG_ERR_ARG);
    REFUSED(b->config.framing = NULL, TG_ERR_ARG);
    REFUSED(b->config.rx = NULL, TG_ERR_ARG);
    REFUSED(b->config.tx = NULL, TG_ERR_ARG);
    REFUSED(b->config.ring = NULL, TG_ERR_ARG);
    REFUSED(b->config.device_id.len = 0, TG_ERR_ARG);
    REFUSED(b->config.device_id.len = 64, TG_ERR_ARG);
    REFUSED(b->config.rx_bytes = 63, TG_ERR_NO_SPACE);
    REFUSED(b->config.tx_bytes = 63, TG_ERR_NO_SPACE);
    REFUSED(b->config.ring_bytes = 95, TG_ERR_NO_SPACE);
    REFUSED(b->config.update_bytes = 480, TG_ERR_NO_SPACE);
    REFUSED(b->config.tx_bytes = 100, TG_ERR_TOO_BIG);
    REFUSED(b->config.token.len = 65535, TG_ERR_TOO_BIG);
    REFUSED(b->config.ring_bytes = 96, TG_OK);
#undef REFUSED
}

int main(void)
{
    RUN(a_ping_is_answered_at_once_with_the_uptime_p23);
    RUN(silence_from_the_gateway_ends_the_session_p22);
    RUN(heartbeats_keep_an_idle_session_alive_for_a_day_p22);
    RUN(poll_says_how_long_it_may_sleep);
    RUN(the_clock_may_wrap_p23);
    RUN(the_backoff_is_jittered_doubles_and_is_bounded_p21);
    RUN(the_backoff_resets_only_after_a_session_stayed_up_p21);
    RUN(a_bye_is_obeyed_with_its_wait_p21);
    RUN(no_wait_is_shorter_than_asked_for_wherever_the_clock_stands_p21);
    RUN(a_refusal_waits_an_hour_unless_started_p30);
    RUN(a_stopped_device_says_bye_and_rests_p30);
    RUN(stopping_without_a_link_is_immediate);
    RUN(an_open_that_never_ends_is_given_up);
    RUN(a_link_that_takes_nothing_is_given_up);
    RUN(an_unreadable_message_ends_the_session_p29);
    RUN(unknown_fields_and_bodies_are_skipped_p25);
    RUN(init_refuses_what_cannot_work);
    return tg_test_done();
}
