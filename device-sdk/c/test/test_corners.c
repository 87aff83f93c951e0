/* test_corners.c -- what seldom happens: limits that nearly fit, words of a gateway that come at the wrong moment. */
#include "bench.h"

static int16_t refuse(void *ctx)
{
    (void)ctx;
    return TG_PORT_REFUSED;
}

static void a_peer_that_is_not_ours_is_asked_again_in_an_hour(void)
{
    bench *b = bench_new();
    b->port.open = refuse;
    bench_open(b);
    CHECK(tg_poll(&b->client) > 3500000u);
    CHECK_EQ(b->refused, 1);
    CHECK_EQ(b->offline_reason, TG_REASON_BAD_CREDENTIAL);
}

static void a_ring_without_room_for_both_kinds_is_refused(void)
{
    bench *b = bench_new();
    b->config.ring_bytes = 40;
    CHECK(tg_init(&b->client, &b->config) == TG_ERR_NO_SPACE);
    b->config.ring_bytes = 512;
    b->config.update_bytes = 480;
    CHECK(tg_init(&b->client, &b->config) == TG_ERR_NO_SPACE);
}

static void an_older_command_is_answered_after_a_newer_one(void)
{
    bench *b = bench_new();
    tg_span endless = {b->ring, 60000};
    b->answer = TG_RECEIVED;
    bench_open(b);
    bench_online(b);
    fake_command(&b->gateway, 1, 1, 0);
    fake_command(&b->gateway, 2, 1, 0);
    bench_settle(b);
    CHECK(tg_reply(&b->client, 1, TG_SUCCEEDED, endless) == TG_ERR_TOO_BIG);
    CHECK(tg_reply(&b->client, 1, TG_SUCCEEDED, span_of("one")) == TG_OK);
    CHECK(tg_reply(&b->client, 2, TG_SUCCEEDED, span_of("two")) == TG_OK);
    bench_settle(b);
    CHECK(b->gateway.update_count >= 2);
    CHECK_EQ(b->gateway.updates[b->gateway.update_count - 2].id, 1);
    CHECK_EQ(b->gateway.updates[b->gateway.update_count - 1].id, 2);
}

static void a_nack_for_what_was_acked_goes_back_no_further_than_the_ack_p2(void)
{
    bench *b = bench_new();
    unsigned i;
    bench_open(b);
    bench_online(b);
    for (i = 0; i < 3; i++) bench_put(b);
    bench_settle(b);
    b->gateway.hold_acks = true;
    for (i = 0; i < 3; i++) bench_put(b);
    bench_settle(b);
    fake_number(&b->gateway, 3, 1, 1); /* Nack: 1 */
    bench_settle(b);
    CHECK_EQ(b->gateway.duplicates, 3);
    b->gateway.hold_acks = false;
    fake_ack(&b->gateway);
    bench_settle(b);
    bench_accounts(b, 0x1001, 6);
    CHECK_EQ(tg_held(&b->client), 0);
}

static void an_ack_during_the_pause_of_a_nack_does_not_end_it_p2(void)
{
    bench *b = bench_new();
    uint8_t buf[16];
    wire_writer w;
    uint32_t sent;
    bench_open(b);
    bench_online(b);
    b->gateway.hold_acks = true;
    bench_put(b);
    bench_put(b);
    bench_settle(b);
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, 1, 1);
    wire_u32(&w, 3, 20000); /* patience */
    fake_say(&b->gateway, 3, &w);
    bench_settle(b);
    fake_number(&b->gateway, 2, 1, 1); /* Ack: 1 */
    bench_settle(b);
    CHECK_EQ(tg_held(&b->client), 1);
    sent = tg_get_stats(&b->client)->sent;
    bench_pass(b, 19000, 100);
    CHECK_EQ(tg_get_stats(&b->client)->sent, sent);
    bench_pass(b, 3000, 100);
    CHECK(tg_get_stats(&b->client)->sent > sent);
}

static void a_welcome_under_another_epoch_that_claims_a_mark_is_ignored_p7(void)
{
    bench *b = bench_new();
    uint8_t buf[48];
    wire_writer w;
    bench_open(b);
    bench_online(b);
    bench_put(b);
    bench_settle(b);
    b->gateway.mute = true;
    b->gateway.die_after = 0;
    bench_pass(b, 2000, 10);
    b->gateway.die_after = -1;
    while (tg_get_phase(&b->client) != TG_GREETING || b->gateway.hello_nonce == 0) bench_pass(b, 100, 10);
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, 1, b->client.echo.attempt);
    wire_fixed32(&w, 2, b->client.echo.boot_nonce);
    wire_fixed32(&w, 3, 0x2222);
    wire_u32(&w, 4, 1);
    fake_say(&b->gateway, 1, &w);
    bench_settle(b);
    CHECK(tg_get_phase(&b->client) == TG_GREETING);
    b->gateway.mute = false;
    bench_online(b);
    CHECK_EQ(b->renumbered, 0);
}

static void a_welcome_that_holds_what_was_never_sent_is_of_a_copy_p7(void)
{
    bench *b = bench_new();
    uint32_t epoch;
    bench_open(b);
    bench_online(b);
    bench_put(b);
    bench_settle(b);
    epoch = b->client.epoch;
    b->gateway.die_after = 0;
    while (tg_get_phase(&b->client) == TG_ONLINE) bench_pass(b, 1000, 100);
    bench_put(b);
    bench_put(b);
    b->gateway.durable += 2; /* a copy of the device sent these two */
    b->gateway.die_after = -1;
    bench_online(b);
    bench_settle(b);
    CHECK(b->client.epoch != epoch);
    CHECK_EQ(b->gateway.hello_acked, 0);
    CHECK_EQ(b->gateway.hello_oldest, 1);
    CHECK_EQ(tg_held(&b->client), 0);
    bench_accounts(b, b->client.epoch, 2);
}

static tg_err put_text(bench *b, uint16_t n)
{
    static uint8_t scratch[1100];
    static const uint8_t letters[1000] = {0};
    tg_span text = {letters, 0};
    tg_writer w;
    text.len = n;
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    CHECK(tg_put_str(&w, 1, text) == TG_OK);
    return tg_telemetry_end(&b->client, &w);
}

static void a_message_larger_than_its_share_of_the_ring_is_refused_and_evicts_nothing(void)
{
    bench *b = bench_new();
    b->config.tx_bytes = 1024;
    bench_open(b);
    bench_put(b);
    CHECK(put_text(b, 420) == TG_ERR_TOO_BIG);
    CHECK_EQ(b->dropped, 0);
    CHECK_EQ(tg_held(&b->client), 1);
}

static void what_another_gateway_does_not_take_is_withdrawn_in_its_turn_p1(void)
{
    bench *b = bench_new();
    b->config.tx_bytes = 400;
    b->gateway.hold_acks = true;
    bench_open(b);
    bench_online(b);
    bench_put(b);
    CHECK(put_text(b, 200) == TG_OK);
    bench_put(b);
    b->gateway.die_after = 0;
    bench_pass(b, 2000, 10);
    b->gateway.die_after = -1;
    b->gateway.max_uplink_bytes = 128; /* from now on */
    bench_online(b);
    bench_pass(b, 1000, 10);
    CHECK_EQ(b->dropped, 0); /* the one before it is not acked */
    b->gateway.hold_acks = false;
    fake_ack(&b->gateway);
    bench_pass(b, 8000, 10);
    CHECK_EQ(b->dropped, 1);
    CHECK_EQ(tg_held(&b->client), 0);
    bench_accounts(b, 0x1001, 3);
}

static void describe(bench *b, const char *name)
{
    tg_writer w;
    tg_signal s;
    memset(&s, 0, sizeof s);
    s.id = 1;
    s.key = "n";
    s.name = name;
    s.type = TG_INT;
    CHECK(tg_catalog_begin(&w, b->catalog, sizeof b->catalog) == TG_OK);
    CHECK(tg_catalog_signal(&w, &s) == TG_OK);
    b->config.catalog = tg_catalog_end(&w);
    b->config.send_catalog = tg_send_catalog;
    b->gateway.want_catalog = true;
}

static void an_entry_whose_length_takes_two_bytes_is_one_part_p27(void)
{
    static char name[200];
    bench *b = bench_new();
    memset(name, 'x', sizeof name - 1u);
    describe(b, name);
    bench_open(b);
    bench_online(b);
    CHECK(b->gateway.catalog_whole);
    CHECK_EQ(b->gateway.catalog_parts_seen, 1);
    CHECK_EQ(b->gateway.catalog_len, b->config.catalog.len);
}

static void a_catalog_waits_for_room_and_for_numbers_p10(void)
{
    bench *b = bench_new();
    unsigned i;
    describe(b, "n");
    b->config.update_bytes = 48;
    bench_open(b);
    CHECK(tg_reply(&b->client, 1, TG_SUCCEEDED, span_of("")) == TG_ERR_ARG);
    b->client.last_command = 9;
    for (i = 0; i < 3; i++) CHECK(tg_reply(&b->client, 1, TG_SUCCEEDED, span_of("")) == TG_OK);
    bench_online(b);
    bench_pass(b, 2000, 10);
    CHECK(b->gateway.catalog_whole); /* after the answers, which had the room */
    CHECK_EQ(tg_held(&b->client), 0);
}

int main(void)
{
    RUN(a_peer_that_is_not_ours_is_asked_again_in_an_hour);
    RUN(a_ring_without_room_for_both_kinds_is_refused);
    RUN(an_older_command_is_answered_after_a_newer_one);
    RUN(a_nack_for_what_was_acked_goes_back_no_further_than_the_ack_p2);
    RUN(an_ack_during_the_pause_of_a_nack_does_not_end_it_p2);
    RUN(a_welcome_under_another_epoch_that_claims_a_mark_is_ignored_p7);
    RUN(a_welcome_that_holds_what_was_never_sent_is_of_a_copy_p7);
    RUN(a_message_larger_than_its_share_of_the_ring_is_refused_and_evicts_nothing);
    RUN(what_another_gateway_does_not_take_is_withdrawn_in_its_turn_p1);
    RUN(an_entry_whose_length_takes_two_bytes_is_one_part_p27);
    RUN(a_catalog_waits_for_room_and_for_numbers_p10);
    return tg_test_done();
}
