/* test_commands.c -- commands, their deadlines and answers, and the catalog that declares them. */
#include "bench.h"

static void command_updates_are_not_evicted_by_telemetry_p13(void)
{
    bench *b = bench_new();
    unsigned i;
    bench_open(b);
    bench_online(b);
    fake_number(&b->gateway, 6, 1, 0);
    bench_settle(b);
    fake_command(&b->gateway, 1, 4, 0);
    bench_settle(b);
    for (i = 0; i < 300; i++) bench_put(b);
    fake_number(&b->gateway, 6, 1, 16);
    bench_pass(b, 3000, 10);
    CHECK(fake_has_update(&b->gateway, 1, TG_SUCCEEDED));
    CHECK_EQ(tg_held(&b->client), 0);
}

static void a_deadline_beyond_the_wrap_is_in_the_future_p16(void)
{
    bench *b = bench_new();
    b->gateway.now_ms = 0xFFFFFFFFu - 500u;
    bench_open(b);
    bench_online(b);
    CHECK(b->gateway.now_ms > 0xFFFFFF00u - 500u);
    fake_command(&b->gateway, 1, 1, 50);
    bench_settle(b);
    CHECK_EQ(b->runs[1], 1);
    bench_pass(b, 1000, 100);
    fake_command(&b->gateway, 2, 1, 50);
    bench_settle(b);
    CHECK_EQ(b->runs[2], 0);
    CHECK(fake_has_update(&b->gateway, 2, TG_EXPIRED));
}

/* A reader that took a number for a place would look anywhere in memory. */
static void a_number_in_place_of_bytes_is_skipped_p28(void)
{
    static const uint8_t body_then_number[] = {0x2A, 2, 0x08, 1, 0x28, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F};
    static const uint8_t texts[] = {0x2A, 18, 0x08, 2, 0x10, 1, 0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x20, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F,
                                    0x28, 0};
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    fake_say_raw(&b->gateway, body_then_number, sizeof body_then_number);
    bench_settle(b);
    CHECK_EQ(b->runs[1], 1);
    fake_say_raw(&b->gateway, texts, sizeof texts);
    bench_settle(b);
    CHECK_EQ(b->runs[2], 1);
    CHECK_EQ(b->last_args_len, 0);
    CHECK_EQ(b->offline, 0);
}

static void a_command_runs_once_and_is_answered_p17(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->reply_in_callback = true;
    fake_command(&b->gateway, 7, 3, b->gateway.now_ms + 1000);
    fake_command(&b->gateway, 7, 3, b->gateway.now_ms + 1000);
    fake_command(&b->gateway, 6, 3, b->gateway.now_ms + 1000);
    bench_settle(b);
    CHECK_EQ(b->runs[7], 1);
    CHECK_EQ(b->runs[6], 0);
    CHECK_EQ(b->last_code, 3);
    CHECK_EQ(b->gateway.update_count, 1);
    CHECK(fake_has_update(&b->gateway, 7, TG_SUCCEEDED));
    CHECK_EQ(b->gateway.updates[0].result_len, 11);
    CHECK(memcmp(b->gateway.updates[0].result, "{\"on\":true}", 11) == 0);
    fake_restart(&b->gateway);
    bench_put(b);
    bench_pass(b, 5000, 50);
    CHECK_EQ(b->gateway.hello_last_command, 7);
}

static void a_command_may_be_answered_later(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->answer = TG_RECEIVED;
    fake_command(&b->gateway, 9, 3, 0);
    bench_settle(b);
    CHECK(fake_has_update(&b->gateway, 9, TG_RECEIVED));
    CHECK(tg_reply(&b->client, 9, TG_STARTED, span_of("")) == TG_OK);
    CHECK(tg_reply(&b->client, 9, TG_FAILED, span_of("stuck")) == TG_OK);
    CHECK(tg_reply(&b->client, 10, TG_FAILED, span_of("")) == TG_ERR_ARG);
    CHECK(tg_reply(&b->client, 0, TG_FAILED, span_of("")) == TG_ERR_ARG);
    CHECK(tg_reply(&b->client, 9, (tg_state)0, span_of("")) == TG_ERR_ARG);
    CHECK(tg_reply(&b->client, 9, (tg_state)8, span_of("")) == TG_ERR_ARG);
    bench_settle(b);
    CHECK(fake_has_update(&b->gateway, 9, TG_STARTED));
    CHECK(fake_has_update(&b->gateway, 9, TG_FAILED));
    CHECK(memcmp(b->gateway.updates[2].result, "stuck", 5) == 0);
}

static void a_late_command_expires_without_running_p16(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    fake_command(&b->gateway, 1, 3, b->gateway.now_ms);
    bench_settle(b);
    CHECK_EQ(b->runs[1], 0);
    CHECK(fake_has_update(&b->gateway, 1, TG_EXPIRED));
}

static void a_device_without_a_handler_supports_no_command(void)
{
    bench *b = bench_new();
    b->config.on_command = NULL;
    bench_open(b);
    bench_online(b);
    fake_command(&b->gateway, 1, 3, 0);
    bench_settle(b);
    CHECK(fake_has_update(&b->gateway, 1, TG_UNSUPPORTED));
}

static void a_command_that_cannot_be_answered_is_not_taken_p13(void)
{
    bench *b = bench_new();
    uint32_t id;
    bench_open(b);
    bench_online(b);
    fake_number(&b->gateway, 6, 1, 0);
    for (id = 1; id <= 20; id++) fake_command(&b->gateway, id, 1, 0);
    bench_settle(b);
    CHECK(tg_get_stats(&b->client)->deferred > 0);
    CHECK_EQ(tg_get_stats(&b->client)->commands + tg_get_stats(&b->client)->deferred, 20);
    CHECK_EQ(b->runs[tg_get_stats(&b->client)->commands], 1);
    CHECK_EQ(b->runs[tg_get_stats(&b->client)->commands + 1u], 0);
    CHECK(tg_reply(&b->client, 1, TG_SUCCEEDED, span_of("0123456789012345678901234567890123456789")) ==
          TG_ERR_NO_SPACE);
    fake_number(&b->gateway, 6, 1, 8);
    bench_pass(b, 1000, 10);
    for (id = 1; id <= 20; id++) {
        fake_command(&b->gateway, id, 1, 0); /* sent again */
        bench_settle(b);
        CHECK_EQ(b->runs[id], 1);
    }
}

static void make_catalog(bench *b)
{
    static const char *const keys[] = {"temperature", "humidity", "pressure", "battery", "door", "light"};
    tg_writer w;
    uint8_t i;
    CHECK(tg_catalog_begin(&w, b->catalog, sizeof b->catalog) == TG_OK);
    for (i = 0; i < 6; i++) {
        tg_signal s;
        memset(&s, 0, sizeof s);
        s.id = (uint8_t)(i + 1);
        s.key = keys[i];
        s.type = TG_FLOAT;
        s.unit = "%";
        s.scale = -1;
        CHECK(tg_catalog_signal(&w, &s) == TG_OK);
    }
    {
        const tg_command_spec fan = {1, "fan", true, "{\"on\":true}"};
        CHECK(tg_catalog_command(&w, &fan) == TG_OK);
    }
    b->config.catalog = tg_catalog_end(&w);
    b->config.send_catalog = tg_send_catalog;
}

static void a_wanted_catalog_is_sent_whole_or_in_parts_p27(void)
{
    unsigned size;
    for (size = 116; size <= 300; size += 4) {
        bench *b = bench_new();
        make_catalog(b);
        b->config.tx_bytes = (uint16_t)size;
        b->gateway.want_catalog = true;
        bench_open(b);
        bench_put(b);
        bench_online(b);
        bench_pass(b, 5000, 10);
        CHECK(b->gateway.hello_catalog_hash != 0);
        CHECK_EQ(b->gateway.catalog_len, b->config.catalog.len);
        CHECK(memcmp(b->gateway.catalog, b->config.catalog.ptr, b->config.catalog.len) == 0);
        CHECK(size > 160 || b->gateway.catalog_parts_seen > 1);
        CHECK_EQ(b->gateway.stored_count, 1);
        CHECK_EQ(tg_held(&b->client), 0);
    }
}

/* Every room for updates, every window; readings wait in numbers, some of them evicted; commands come in between. */
static void the_catalog_goes_before_the_first_reading_p27(void)
{
    unsigned room;
    unsigned window;
    for (room = 48; room <= 128; room += 8) {
        for (window = 1; window <= 8; window++) {
            bench *b = bench_new();
            unsigned i;
            make_catalog(b);
            b->config.token.len = 0;
            b->config.tx_bytes = 104;
            b->config.update_bytes = (uint16_t)room;
            b->gateway.window = window;
            b->gateway.want_catalog = true;
            bench_open(b);
            for (i = 0; i < 8u * window; i++) CHECK(bench_put(b) == TG_OK);
            bench_online(b);
            fake_command(&b->gateway, 1, 1, 0);
            for (i = 0; i < 5; i++) {
                bench_pass(b, 1000, 10);
                CHECK(bench_put(b) == TG_OK);
            }
            fake_command(&b->gateway, 1, 1, 0); /* again: it may have been left for lack of room */
            bench_pass(b, 5000, 10);
            CHECK(b->gateway.catalog_parts_seen > 2);
            CHECK_EQ(b->gateway.early, 0);
            CHECK_EQ(b->gateway.catalog_len, b->config.catalog.len);
            CHECK(memcmp(b->gateway.catalog, b->config.catalog.ptr, b->config.catalog.len) == 0);
            CHECK_EQ(b->runs[1], 1);
            CHECK_EQ(b->gateway.stored_count + b->client.stats.dropped, b->put);
            CHECK_EQ(tg_held(&b->client), 0);
        }
    }
}

/* A session dies at every byte the device sends while its catalog is under way: no reading comes twice or is missed. */
static void a_catalog_under_way_survives_a_link_that_dies_at_any_byte_p1(void)
{
    size_t n;
    for (n = 1; n < 700; n++) {
        bench *b = bench_new();
        unsigned i;
        make_catalog(b);
        b->config.token.len = 0;
        b->config.tx_bytes = 104;
        b->config.update_bytes = n & 1u ? 48 : 0;
        b->gateway.want_catalog = true;
        bench_open(b);
        for (i = 0; i < 24; i++) CHECK(bench_put(b) == TG_OK);
        b->gateway.die_after = (long)n;
        bench_pass(b, 30000, 50);
        b->gateway.die_after = -1;
        bench_online(b);
        bench_pass(b, 5000, 10);
        CHECK(b->gateway.catalog_whole);
        CHECK_EQ(b->gateway.stored_count + b->client.stats.dropped, b->put);
        for (i = 1; i < b->gateway.stored_count; i++) {
            CHECK(b->gateway.stored[i].seq > b->gateway.stored[i - 1].seq);
            CHECK(b->gateway.stored[i].value > b->gateway.stored[i - 1].value);
        }
        CHECK_EQ(tg_held(&b->client), 0);
    }
}

static void a_catalog_entry_that_fits_no_message_is_refused_at_init(void)
{
    bench *b = bench_new();
    make_catalog(b);
    b->config.token.len = 0;
    b->config.tx_bytes = 110;
    b->config.catalog.len--; /* cut: its last entry is none */
    CHECK(tg_init(&b->client, &b->config) == TG_ERR_TOO_BIG);
}

int main(void)
{
    RUN(command_updates_are_not_evicted_by_telemetry_p13);
    RUN(a_deadline_beyond_the_wrap_is_in_the_future_p16);
    RUN(a_number_in_place_of_bytes_is_skipped_p28);
    RUN(a_command_runs_once_and_is_answered_p17);
    RUN(a_command_may_be_answered_later);
    RUN(a_late_command_expires_without_running_p16);
    RUN(a_device_without_a_handler_supports_no_command);
    RUN(a_command_that_cannot_be_answered_is_not_taken_p13);
    RUN(a_wanted_catalog_is_sent_whole_or_in_parts_p27);
    RUN(the_catalog_goes_before_the_first_reading_p27);
    RUN(a_catalog_under_way_survives_a_link_that_dies_at_any_byte_p1);
    RUN(a_catalog_entry_that_fits_no_message_is_refused_at_init);
    return tg_test_done();
}
