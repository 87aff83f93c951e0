/* test_torture.c -- the device on lines that behave badly: short sends, single bytes, death at every byte, noise. */
#include "bench.h"

/* A conversation of `readings` readings and a command every eighth, on whatever line the test has set up. */
static void converse(bench *b, unsigned readings)
{
    uint32_t id = 0;
    unsigned i;
    b->reply_in_callback = true;
    for (i = 0; i < readings; i++) {
        CHECK(bench_put(b) == TG_OK);
        if (i % 8 == 7 && b->gateway.session) fake_command(&b->gateway, ++id, 1, 0);
        bench_pass(b, 50, 10);
    }
}

static void nothing_is_lost_whatever_the_link_takes_and_gives_per_call(void)
{
    static const size_t sizes[] = {1, 2, 3, 7, 16, 64, 1000};
    size_t s;
    size_t r;
    for (s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (r = 0; r < sizeof sizes / sizeof sizes[0]; r++) {
            bench *b = bench_new();
            b->gateway.send_max = sizes[s];
            b->gateway.recv_max = sizes[r];
            bench_open(b);
            bench_online(b);
            converse(b, 60);
            CHECK_EQ(b->gateway.stored_count, 60);
            CHECK_EQ(b->gateway.bad_frames, 0);
            CHECK_EQ(tg_get_stats(&b->client)->rx_bad, 0);
            CHECK_EQ(b->gateway.update_count, 7);
            CHECK_EQ(tg_held(&b->client), 0);
        }
    }
}

static void the_bytes_on_the_wire_do_not_depend_on_how_they_are_taken(void)
{
    static uint8_t first[4096];
    size_t first_len = 0;
    size_t take;
    unsigned polls;
    for (take = 1; take < 40; take++) {
        bench *b = bench_new();
        b->gateway.send_max = take;
        b->gateway.mute = true;
        bench_open(b);
        b->client.echo.boot_nonce = 7;
        for (polls = 0; polls < 300; polls++) tg_poll(&b->client);
        if (take == 1) {
            first_len = b->gateway.up.tail;
            memcpy(first, b->gateway.up.bytes, first_len);
        }
        CHECK_EQ(b->gateway.up.tail, first_len);
        CHECK(memcmp(first, b->gateway.up.bytes, first_len) == 0);
    }
}

static void a_link_that_dies_at_any_byte_loses_and_doubles_nothing(void)
{
    long at;
    for (at = 0; at < 1500; at++) {
        bench *b = bench_new();
        unsigned i;
        bench_open(b);
        b->gateway.die_after = at;
        b->reply_in_callback = true;
        for (i = 0; i < 12; i++) {
            bench_put(b);
            if (i == 5 && b->gateway.session) fake_command(&b->gateway, 1, 1, 0);
            bench_pass(b, 20, 10);
        }
        b->gateway.die_after = -1;
        bench_online(b);
        bench_pass(b, 3000, 20);
        CHECK_EQ(tg_held(&b->client), 0);
        CHECK_EQ(b->gateway.violations, 0);
        CHECK(b->runs[1] <= 1);
        CHECK_EQ(b->gateway.stored_count, 12);
        CHECK_EQ(b->gateway.gap_count, 0);
    }
}

static void a_link_that_dies_over_and_over_loses_nothing(void)
{
    unsigned period;
    for (period = 170; period < 400; period += 7) {
        bench *b = bench_new();
        unsigned i;
        bench_open(b);
        for (i = 0; i < 60; i++) {
            bench_put(b);
            if (!b->gateway.is_open) b->gateway.die_after = (long)period;
            bench_pass(b, 2000, 100);
        }
        b->gateway.die_after = -1;
        bench_online(b);
        bench_pass(b, 30000, 50);
        CHECK_EQ(tg_held(&b->client), 0);
        bench_accounts(b, 0x1001, 60);
    }
}

/* 60 s at 20 readings and 4 commands a second over a noisy line, 384 B of ring: the numbers of target S6. */
static void noise(unsigned per_million, bool may_lose)
{
    unsigned seed;
    for (seed = 1; seed <= 5; seed++) {
        bench *b = bench_new();
        uint32_t id = 0;
        uint32_t last = 0;
        unsigned i;
        b->config.ring_bytes = 384;
        b->gateway.random = seed * 7919u;
        b->gateway.noise_per_million = per_million;
        b->reply_in_callback = true;
        bench_open(b);
        bench_online(b);
        for (i = 0; i < 1200; i++) {
            CHECK(bench_put(b) == TG_OK);
            if (i % 5 == 4 && b->gateway.session) {
                if (id == 0 || b->runs[id] > 0) id++; /* one after the other, repeated until known [P-19] */
                fake_command(&b->gateway, id, 1, 0);
            }
            bench_pass(b, 50, 10);
        }
        b->gateway.noise_per_million = 0;
        bench_pass(b, 60000, 50);
        CHECK(tg_get_phase(&b->client) == TG_ONLINE);
        CHECK_EQ(tg_held(&b->client), 0);
        last = b->client.next_seq - 1;
        bench_accounts(b, 0x1001, 0);
        for (i = 1; i <= id; i++) CHECK(b->runs[i] <= 1);
        if (!may_lose) CHECK_EQ(b->gateway.stored_count, 1200);
        {
            uint32_t lost = 0;
            for (i = 0; i < b->gateway.gap_count; i++) lost += b->gateway.gaps[i].to - b->gateway.gaps[i].from + 1;
            CHECK(lost <= b->dropped); /* one evicted before its ack came back is not lost */
            CHECK_EQ(b->gateway.stored_count + b->gateway.update_count + lost, last);
        }
        CHECK(per_million == 0 || b->gateway.bad_frames + tg_get_stats(&b->client)->rx_bad > 0);
    }
}

static void no_noise_no_loss(void)
{
    noise(0, false);
}

static void one_byte_in_a_thousand_wrong_loses_nothing(void)
{
    noise(1000, false);
}

static void one_byte_in_two_hundred_wrong_loses_only_what_it_lists(void)
{
    noise(5000, true);
}

static void one_byte_in_a_hundred_wrong_loses_only_what_it_lists(void)
{
    noise(10000, true);
}

static void boot_chatter_and_rubbish_are_skipped_p38(void)
{
    bench *b = bench_new();
    unsigned i;
    uint8_t rubbish[3000];
    bench_open(b);
    bench_settle(b);
    for (i = 0; i < sizeof rubbish; i++) rubbish[i] = (uint8_t)fake_random(&b->gateway);
    for (i = 0; i < 40; i++) {
        fake_put_raw(&b->gateway, rubbish, sizeof rubbish - i);
        fake_put_raw(&b->gateway, (const uint8_t *)"ets Jul 29 2019 12:21:46\r\nrst:0x1\r\n", 36);
        fake_put_raw(&b->gateway, (const uint8_t *)"", 1);
        bench_pass(b, 200, 100);
    }
    bench_online(b);
    CHECK(tg_get_stats(&b->client)->rx_bad > 100);
    CHECK_EQ(b->online, 1);
}

static void a_frame_longer_than_the_buffer_costs_itself_alone(void)
{
    bench *b = bench_new();
    static uint8_t big[1000];
    unsigned n;
    bench_open(b);
    bench_online(b);
    memset(big, 'x', sizeof big);
    for (n = 200; n < 1000; n++) {
        const uint32_t before = b->runs[n];
        if (n > 252) fake_say_raw(&b->gateway, big, n);
        fake_command(&b->gateway, n, 1, 0);
        bench_settle(b);
        CHECK_EQ(b->runs[n], before + 1);
    }
    CHECK_EQ(tg_get_stats(&b->client)->rx_bad, 1000 - 253);
}

static void the_largest_message_it_announced_is_taken(void)
{
    bench *b = bench_new();
    uint8_t args[256];
    uint8_t buf[300];
    wire_writer w;
    tg_span span;
    bench_open(b);
    bench_online(b);
    memset(args, 'a', sizeof args);
    span.ptr = args;
    for (span.len = 200; span.len < 256; span.len++) {
        wire_open(&w, buf, sizeof buf);
        wire_u32(&w, 1, span.len);
        wire_u32(&w, 2, 1);
        wire_bytes(&w, 4, span.ptr, span.len);
        if (w.len + 3u > b->gateway.hello_max_rx) break;
        fake_say(&b->gateway, 5, &w);
        bench_settle(b);
        CHECK_EQ(b->runs[span.len], 1);
        CHECK_EQ(b->last_args_len, span.len);
    }
    CHECK(span.len > 235);
    CHECK_EQ(tg_get_stats(&b->client)->rx_bad, 0);
}

int main(void)
{
    RUN(nothing_is_lost_whatever_the_link_takes_and_gives_per_call);
    RUN(the_bytes_on_the_wire_do_not_depend_on_how_they_are_taken);
    RUN(a_link_that_dies_at_any_byte_loses_and_doubles_nothing);
    RUN(a_link_that_dies_over_and_over_loses_nothing);
    RUN(no_noise_no_loss);
    RUN(one_byte_in_a_thousand_wrong_loses_nothing);
    RUN(one_byte_in_two_hundred_wrong_loses_only_what_it_lists);
    RUN(one_byte_in_a_hundred_wrong_loses_only_what_it_lists);
    RUN(boot_chatter_and_rubbish_are_skipped_p38);
    RUN(a_frame_longer_than_the_buffer_costs_itself_alone);
    RUN(the_largest_message_it_announced_is_taken);
    return tg_test_done();
}
