/* test_api.c -- what an application writes: readings, series, log lines, catalogs; and its mistakes. */
#include "bench.h"

/* The body an application queued last, as it stands in the ring. */
static tg_span queued(const bench *b)
{
    tg_span body = {NULL, 0};
    uint8_t *at = b->client.ring_head;
    while (at != b->client.ring_end) {
        body.ptr = at + TG_HEADER_BYTES;
        body.len = tg_outbox_head(at) & TG_LENGTH_BITS;
        at = tg_outbox_after(at);
    }
    return body;
}

static void series_carry_their_period_and_values(void)
{
    static const uint8_t ints[] = {0x2A, 20, 0x08, 0xE8, 0x07, 0x1A, 15, 0x08, 2, 0x18, 0xC0, 0x84, 0x3D, 0x2A, 7, 0x02, 0x01,
                                   0xFE, 0xFF, 0xFF, 0xFF, 0x0F};
    static const uint8_t floats[] = {0x2A, 19, 0x08, 0xE8, 0x07, 0x1A, 14, 0x08, 1, 0x32, 8, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0};
    const int32_t whole[] = {1, -1, INT32_MAX};
    const float real[] = {1.0f, -2.0f};
    const tg_series second = {2, 1000000};
    const tg_series sometimes = {1, 0};
    bench *b = bench_new();
    uint8_t scratch[64];
    tg_writer w;
    bench_open(b);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    CHECK(tg_put_i32_series(&w, &second, whole, 3) == TG_OK);
    CHECK(tg_telemetry_end(&b->client, &w) == TG_OK);
    CHECK_EQ(queued(b).len, sizeof ints);
    CHECK(memcmp(queued(b).ptr, ints, 5) == 0 && memcmp(queued(b).ptr + 7, ints + 7, sizeof ints - 7) == 0);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    CHECK(tg_put_f32_series(&w, &sometimes, real, 2) == TG_OK);
    CHECK(tg_telemetry_end(&b->client, &w) == TG_OK);
    CHECK_EQ(queued(b).len, sizeof floats);
    CHECK(memcmp(queued(b).ptr + 7, floats + 7, sizeof floats - 7) == 0);
}

static void whatever_does_not_fit_is_said_at_once_and_at_the_end(void)
{
    const int32_t whole[8] = {0};
    const float real[8] = {0};
    const tg_series second = {2, 1000000};
    bench *b = bench_new();
    uint8_t scratch[24];
    tg_writer w;
    unsigned which;
    bench_open(b);
    for (which = 0; which < 5; which++) {
        CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
        if (which == 0) CHECK(tg_put_i32_series(&w, &second, whole, 8) == TG_ERR_NO_SPACE);
        if (which == 1) CHECK(tg_put_f32_series(&w, &second, real, 8) == TG_ERR_NO_SPACE);
        if (which == 2) CHECK(tg_put_str(&w, 1, span_of("longer than the scratch buffer is")) == TG_ERR_NO_SPACE);
        if (which == 3) CHECK(tg_put_i32(&w, 1, 1) == TG_OK && tg_put_bool(&w, 1, true) == TG_ERR_NO_SPACE);
        if (which == 4) CHECK(tg_put_str(&w, 1, span_of("")) == TG_OK);
        CHECK(tg_telemetry_end(&b->client, &w) == (which == 4 ? TG_OK : TG_ERR_NO_SPACE));
    }
    CHECK_EQ(tg_held(&b->client), 1);
}

static void null_pointers_are_refused(void)
{
    bench *b = bench_new();
    uint8_t scratch[64];
    const tg_log_line line = {6, {(const uint8_t *)"x", 1}};
    tg_writer w;
    bench_open(b);
    CHECK(tg_telemetry_begin(&b->client, NULL, scratch, 64) == TG_ERR_ARG);
    CHECK(tg_telemetry_begin(&b->client, &w, NULL, 64) == TG_ERR_ARG);
    CHECK(tg_telemetry_end(NULL, &w) == TG_ERR_ARG);
    CHECK(tg_log(NULL, &line, scratch, 64) == TG_ERR_ARG);
    CHECK(tg_log(&b->client, NULL, scratch, 64) == TG_ERR_ARG);
    CHECK(tg_log(&b->client, &line, NULL, 64) == TG_ERR_ARG);
    CHECK(tg_log(&b->client, &line, scratch, 16) == TG_ERR_NO_SPACE);
    CHECK(tg_log(&b->client, &line, scratch, 17) == TG_OK);
    CHECK(tg_catalog_begin(NULL, scratch, 64) == TG_ERR_ARG);
    CHECK(tg_catalog_begin(&w, NULL, 64) == TG_ERR_ARG);
}

static void a_catalog_refuses_nameless_entries_and_ends_empty_when_it_overflows(void)
{
    uint8_t buffer[100];
    tg_signal s = {1, "k", "n", TG_INT, "u", "d", TG_MEASUREMENT, -2, 1000};
    tg_command_spec command = {1, "c", true, "h"};
    tg_writer w;
    CHECK(tg_catalog_begin(&w, buffer, sizeof buffer) == TG_OK);
    CHECK(tg_catalog_signal(NULL, &s) == TG_ERR_ARG);
    CHECK(tg_catalog_signal(&w, NULL) == TG_ERR_ARG);
    CHECK(tg_catalog_command(NULL, &command) == TG_ERR_ARG);
    CHECK(tg_catalog_command(&w, NULL) == TG_ERR_ARG);
    s.id = 0;
    CHECK(tg_catalog_signal(&w, &s) == TG_ERR_ARG);
    s.id = 1;
    s.key = NULL;
    CHECK(tg_catalog_signal(&w, &s) == TG_ERR_ARG);
    s.key = "k";
    command.code = 0;
    CHECK(tg_catalog_command(&w, &command) == TG_ERR_ARG);
    command.code = 1;
    command.name = NULL;
    CHECK(tg_catalog_command(&w, &command) == TG_ERR_ARG);
    command.name = "c";
    CHECK_EQ(tg_catalog_end(&w).len, 0);
    s.scale = 3;
    CHECK(tg_catalog_signal(&w, &s) == TG_OK);
    CHECK(tg_catalog_command(&w, &command) == TG_OK);
    CHECK(tg_catalog_end(&w).len > 0);
    CHECK(tg_catalog_signal(&w, &s) == TG_OK);
    CHECK(tg_catalog_signal(&w, &s) == TG_ERR_NO_SPACE);
    CHECK(tg_catalog_command(&w, &command) == TG_ERR_NO_SPACE);
    CHECK_EQ(tg_catalog_end(&w).len, 0);
}

static unsigned copies;

static void *counted_copy(void *to, const void *from, size_t n)
{
    copies++;
    return memcpy(to, from, n);
}

static void a_catalog_in_another_address_space_is_read_through_the_hook(void)
{
    bench *b = bench_new();
    const tg_command_spec fan = {1, "fan", false, NULL};
    tg_writer w;
    CHECK(tg_catalog_begin(&w, b->catalog, sizeof b->catalog) == TG_OK);
    CHECK(tg_catalog_command(&w, &fan) == TG_OK);
    b->config.catalog = tg_catalog_end(&w);
    b->config.send_catalog = tg_send_catalog;
    b->config.catalog_copy = counted_copy;
    b->gateway.want_catalog = true;
    bench_open(b);
    CHECK(copies > 0);
    bench_online(b);
    CHECK_EQ(b->gateway.catalog_len, b->config.catalog.len);
    CHECK(memcmp(b->gateway.catalog, b->config.catalog.ptr, b->config.catalog.len) == 0);
}

static void an_application_may_do_without_events(void)
{
    bench *b = bench_new();
    b->config.on_event = NULL;
    bench_open(b);
    b->gateway.opens_fail = 2;
    bench_online(b);
    CHECK_EQ(b->gateway.epoch, 0x1001);
}

static void a_port_that_is_refused_waits_an_hour(void)
{
    bench *b = bench_new();
    bench_open(b);
    b->port.open = NULL;
    b->gateway.opens_fail = 1;
    fake_port(&b->gateway, &b->port);
    b->client.spread = 31;
    tg_end(&b->client, TG_REASON_BAD_CREDENTIAL);
    CHECK_EQ(b->refused, 1);
    CHECK(tg_poll(&b->client) >= 3599000u);
    b->client.pause = tg_ticks(0xFFFFFFFFu);
    tg_end(&b->client, TG_REASON_OVERLOADED); /* an hour and jitter is the longest anyone may ask for */
    CHECK(tg_poll(&b->client) >= 3599000u && tg_poll(&b->client) < 3700000u);
}

static void absurd_numbers_in_a_welcome_are_bounded(void)
{
    bench *b = bench_new();
    b->gateway.keepalive_ms = 1;
    b->gateway.window = 100000;
    b->gateway.max_uplink_bytes = 1;
    bench_open(b);
    bench_put(b);
    bench_online(b);
    CHECK_EQ(b->client.window, TG_WINDOW_MAX);
    CHECK_EQ(b->client.heartbeat, 44);
    CHECK_EQ(b->gateway.stored_count, 1); /* a limit of one byte is none */
    b = bench_new();
    b->gateway.keepalive_ms = 0xFFFFFFFFu;
    bench_open(b);
    bench_online(b);
    CHECK(b->client.heartbeat < TG_PAUSE_TICKS_MAX); /* 1.5 of a keepalive of an hour fit the clock */
}

static void a_wanted_catalog_that_does_not_exist_is_not_sent(void)
{
    bench *b = bench_new();
    b->gateway.want_catalog = true;
    bench_open(b);
    bench_online(b);
    bench_put(b);
    bench_pass(b, 1000, 100);
    CHECK_EQ(b->gateway.catalog_parts_seen, 0);
    CHECK_EQ(b->gateway.stored_count, 1);
}

static void say_hello_is_not_answered_more_often_than_twice_a_second(void)
{
    bench *b = bench_new();
    const wire_writer none = {NULL, 0, 0};
    unsigned i;
    bench_open(b);
    b->gateway.mute = true;
    bench_settle(b);
    CHECK_EQ(b->gateway.hellos, 1);
    b->gateway.mute = false;
    for (i = 0; i < 10; i++) {
        fake_say(&b->gateway, 8, &none);
        b->gateway.mute = true;
        bench_settle(b);
        b->gateway.mute = false;
    }
    CHECK_EQ(b->gateway.hellos, 1);
    b->gateway.now_ms += 900;
    fake_say(&b->gateway, 8, &none);
    bench_settle(b);
    CHECK_EQ(b->gateway.hellos, 2);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
}

static void starting_a_running_client_changes_nothing(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    tg_start(&b->client);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
    CHECK(tg_reply(&b->client, 1, TG_SUCCEEDED, span_of("")) == TG_ERR_ARG);
}

static void a_command_is_known_by_its_code_or_its_name(void)
{
    tg_command command;
    memset(&command, 0, sizeof command);
    command.code = 3;
    CHECK(tg_command_is(&command, 3, "fan") && !tg_command_is(&command, 4, "fan"));
    command.code = 0;
    CHECK(!tg_command_is(&command, 0, ""));
    command.name = span_of("fan");
    CHECK(tg_command_is(&command, 3, "fan"));
    CHECK(!tg_command_is(&command, 3, "fans") && !tg_command_is(&command, 3, "fax"));
}

int main(void)
{
    RUN(series_carry_their_period_and_values);
    RUN(whatever_does_not_fit_is_said_at_once_and_at_the_end);
    RUN(null_pointers_are_refused);
    RUN(a_catalog_refuses_nameless_entries_and_ends_empty_when_it_overflows);
    RUN(a_catalog_in_another_address_space_is_read_through_the_hook);
    RUN(an_application_may_do_without_events);
    RUN(a_port_that_is_refused_waits_an_hour);
    RUN(absurd_numbers_in_a_welcome_are_bounded);
    RUN(a_wanted_catalog_that_does_not_exist_is_not_sent);
    RUN(say_hello_is_not_answered_more_often_than_twice_a_second);
    RUN(a_command_is_known_by_its_code_or_its_name);
    RUN(starting_a_running_client_changes_nothing);
    return tg_test_done();
}
