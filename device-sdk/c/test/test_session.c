/* test_session.c -- the session against a fake gateway on a serial line: what the protocol's rules ask of a device. */
#include "bench.h"

static void a_device_says_hello_and_comes_online(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    CHECK_EQ(b->gateway.hellos, 1);
    CHECK_EQ(b->gateway.hello_max_rx, 251);
    CHECK_EQ(b->online, 1);
    CHECK_EQ(b->gateway.epoch, 0x1001);
}

static void the_first_heartbeat_follows_the_welcome_at_once_p12(void)
{
    bench *b = bench_new();
    bench_open(b);
    CHECK(bench_put(b) == TG_OK);
    b->gateway.window = 0; /* so that no reading goes first */
    bench_online(b);
    CHECK_EQ(b->gateway.heartbeats, 1);
    CHECK_EQ(b->gateway.heartbeat_next_seq, 2);
    CHECK_EQ(b->gateway.heartbeat_oldest, 1);
}

static void readings_arrive_once_in_order_and_leave_the_ring_when_acked_p3(void)
{
    bench *b = bench_new();
    unsigned i;
    bench_open(b);
    bench_online(b);
    for (i = 0; i < 100; i++) {
        CHECK(bench_put(b) == TG_OK);
        bench_pass(b, 50, 50);
    }
    CHECK_EQ(b->gateway.stored_count, 100);
    CHECK_EQ(b->gateway.gap_count, 0);
    CHECK_EQ(tg_held(&b->client), 0);
    CHECK_EQ(tg_get_stats(&b->client)->acked, 100);
    bench_accounts(b, 0x1001, 100);
}

static void a_message_stays_in_the_ring_until_it_is_acked_p3(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->gateway.hold_acks = true;
    CHECK(bench_put(b) == TG_OK);
    bench_settle(b);
    CHECK_EQ(b->gateway.accepted, 1);
    CHECK_EQ(tg_held(&b->client), 1);
    fake_number(&b->gateway, 2, 1, 7); /* beyond what was sent: ignored */
    bench_settle(b);
    CHECK_EQ(tg_held(&b->client), 1);
    fake_ack(&b->gateway);
    bench_settle(b);
    CHECK_EQ(tg_held(&b->client), 0);
}

static void a_full_ring_evicts_the_oldest_and_the_next_one_carries_the_gap_p1(void)
{
    bench *b = bench_new();
    unsigned i;
    b->gateway.mute = true;
    bench_open(b);
    for (i = 0; i < 200; i++) CHECK(bench_put(b) == TG_OK);
    CHECK(b->dropped > 100);
    b->gateway.mute = false;
    bench_online(b);
    bench_pass(b, 1000, 10);
    CHECK_EQ(b->gateway.stored_count + b->dropped, 200);
    CHECK_EQ(b->gateway.gap_count, 1);
    CHECK_EQ(b->gateway.gaps[0].from, 1);
    CHECK_EQ(b->gateway.gaps[0].to, b->dropped);
    bench_accounts(b, 0x1001, 200);
}

static void evictions_while_frames_are_in_flight_are_announced_exactly_p1(void)
{
    bench *b = bench_new();
    unsigned i;
    bench_open(b);
    bench_online(b);
    b->gateway.hold_acks = true;
    for (i = 0; i < 10; i++) {
        bench_put(b);
        bench_settle(b);
    }
    b->gateway.accepted = 3; /* the gateway heard three and lost the rest */
    b->gateway.stored_count = 3;
    for (i = 0; i < 30; i++) bench_put(b);
    CHECK(b->dropped > 5);
    b->gateway.hold_acks = false;
    bench_pass(b, 20000, 20);
    CHECK_EQ(tg_held(&b->client), 0);
    bench_accounts(b, 0x1001, 40);
}

static void an_emptied_ring_is_known_by_the_heartbeat_p12(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->gateway.window = 0;
    fake_number(&b->gateway, 6, 1, 0); /* Flow: stop */
    bench_settle(b);
    bench_put(b);
    tg_outbox_drop(&b->client, TG_TELEMETRY);
    CHECK_EQ(tg_held(&b->client), 0);
    bench_pass(b, 15000, 100);
    CHECK_EQ(b->gateway.gap_count, 1);
    CHECK_EQ(b->gateway.gaps[0].to, 1);
}

static void the_window_and_flow_are_obeyed(void)
{
    bench *b = bench_new();
    unsigned i;
    b->gateway.window = 3;
    b->gateway.hold_acks = true;
    bench_open(b);
    for (i = 0; i < 10; i++) bench_put(b);
    bench_online(b);
    CHECK_EQ(b->gateway.accepted, 3);
    fake_number(&b->gateway, 6, 1, 5);
    bench_settle(b);
    CHECK_EQ(b->gateway.accepted, 5);
    fake_number(&b->gateway, 6, 1, 0);
    fake_ack(&b->gateway);
    bench_settle(b);
    CHECK_EQ(b->gateway.accepted, 5);
    CHECK_EQ(tg_held(&b->client), 5);
}

static void a_nack_rewinds_at_once_or_after_its_pause_p2(void)
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
    sent = tg_get_stats(&b->client)->sent;
    fake_number(&b->gateway, 3, 1, 1);
    bench_settle(b);
    CHECK_EQ(tg_get_stats(&b->client)->sent, sent + 2);
    fake_number(&b->gateway, 3, 1, 9); /* beyond what was sent */
    fake_number(&b->gateway, 3, 1, 0);
    bench_settle(b);
    CHECK_EQ(tg_get_stats(&b->client)->sent, sent + 2);
    wire_open(&w, buf, sizeof buf);
    wire_u32(&w, 1, 2);
    wire_u32(&w, 2, 15);
    wire_u32(&w, 3, 5000);
    fake_say(&b->gateway, 3, &w);
    bench_settle(b);
    bench_pass(b, 4800, 100);
    CHECK_EQ(tg_get_stats(&b->client)->sent, sent + 2);
    bench_pass(b, 500, 100);
    CHECK_EQ(tg_get_stats(&b->client)->sent, sent + 3);
}

static void hello_is_repeated_on_a_serial_line_until_welcome_p11(void)
{
    bench *b = bench_new();
    b->gateway.mute = true;
    bench_open(b);
    bench_pass(b, 4200, 10);
    CHECK(b->gateway.hellos >= 4 && b->gateway.hellos <= 5);
    bench_pass(b, 120000, 100);
    CHECK(b->gateway.hellos >= 20);
    CHECK_EQ(b->gateway.opens, 1);
    b->gateway.mute = false;
    bench_online(b);
}

static void only_the_answer_to_the_latest_hello_counts_p5(void)
{
    bench *b = bench_new();
    uint8_t buf[64];
    wire_writer w;
    uint32_t i;
    b->gateway.mute = true;
    bench_open(b);
    bench_pass(b, 1500, 10);
    CHECK_EQ(b->gateway.hello_attempt, 2);
    b->gateway.mute = false;
    for (i = 0; i < 4; i++) { /* old attempt, other boot, no epoch, an ack of what was never sent */
        wire_open(&w, buf, sizeof buf);
        wire_u32(&w, 1, i == 0 ? 1 : 2);
        wire_fixed32(&w, 2, i == 1 ? 5 : b->gateway.hello_nonce);
        wire_fixed32(&w, 3, i == 2 ? 0 : 77);
        wire_u32(&w, 4, i == 3 ? 9 : 0);
        wire_u32(&w, 6, 4);
        fake_say(&b->gateway, 1, &w);
        bench_settle(b);
        CHECK(tg_get_phase(&b->client) == TG_GREETING);
    }
    bench_online(b);
}

static void messages_of_a_dead_session_are_ignored_while_greeting_p5(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_put(b);
    b->gateway.mute = true;
    bench_settle(b);
    b->gateway.mute = false;
    fake_number(&b->gateway, 2, 1, 1);
    fake_command(&b->gateway, 5, 1, 0);
    bench_settle(b);
    CHECK_EQ(tg_held(&b->client), 1);
    CHECK_EQ(b->runs[5], 0);
}

static void a_restarted_gateway_is_greeted_again_and_nothing_acked_is_lost_p11(void)
{
    bench *b = bench_new();
    unsigned i;
    bench_open(b);
    bench_online(b);
    for (i = 0; i < 20; i++) {
        bench_put(b);
        bench_pass(b, 50, 50);
        if (i % 7 == 6) fake_restart(&b->gateway);
    }
    bench_pass(b, 10000, 50);
    CHECK(tg_get_phase(&b->client) == TG_ONLINE);
    CHECK_EQ(b->gateway.opens, 1);
    bench_accounts(b, 0x1001, 20);
}

static void a_foreign_epoch_is_accepted_and_what_is_held_renumbered_p7(void)
{
    bench *b = bench_new();
    unsigned i;
    bench_open(b);
    bench_online(b);
    for (i = 0; i < 5; i++) bench_put(b);
    bench_settle(b);
    CHECK_EQ(b->gateway.durable, 5);
    b->gateway.hold_acks = true;
    fake_command(&b->gateway, 3, 1, 0);
    for (i = 0; i < 3; i++) bench_put(b);
    bench_settle(b);
    b->gateway.hold_acks = false;
    fake_restart(&b->gateway);
    b->gateway.force_epoch = 0x777;
    bench_put(b);
    bench_pass(b, 15000, 50);
    CHECK_EQ(b->renumbered, 1);
    CHECK_EQ(b->gateway.epoch, 0x777);
    CHECK_EQ(b->gateway.durable, 5); /* four readings and the update, from 1 on */
    CHECK_EQ(tg_held(&b->client), 0);
}

static void the_first_epoch_keeps_the_numbers_given_before_it_p6(void)
{
    bench *b = bench_new();
    unsigned i;
    b->gateway.mute = true;
    bench_open(b);
    for (i = 0; i < 100; i++) bench_put(b);
    bench_settle(b);
    b->gateway.mute = false;
    bench_online(b);
    bench_pass(b, 1000, 10);
    CHECK_EQ(b->renumbered, 0);
    CHECK_EQ(b->gateway.gap_count, 1); /* what was evicted before the first session is on the list too */
    bench_accounts(b, 0x1001, 100);
}

static void numbers_near_the_end_are_drained_and_a_new_epoch_asked_for_p10(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->client.next_seq = TG_SEQ_LAST;
    b->client.acked = b->client.cursor = b->client.tx_high = TG_SEQ_LAST - 1;
    b->gateway.accepted = b->gateway.durable = TG_SEQ_LAST - 1;
    b->gateway.hold_acks = true;
    CHECK(bench_put(b) == TG_OK);
    bench_settle(b);
    CHECK(bench_put(b) == TG_ERR_STATE);
    fake_command(&b->gateway, 1, 1, 0);
    bench_settle(b);
    CHECK_EQ(b->runs[1], 0); /* it could not be answered: left to be sent again */
    CHECK_EQ(tg_get_stats(&b->client)->deferred, 1);
    b->gateway.hold_acks = false;
    fake_ack(&b->gateway);
    bench_settle(b);
    bench_online(b);
    CHECK_EQ(b->gateway.epoch, 0x1002);
    CHECK(bench_put(b) == TG_OK);
    bench_settle(b);
    CHECK_EQ(b->gateway.durable, 1);
}

static void the_tail_is_sent_again_when_no_ack_comes_p11(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    bench_put(b);
    tg_poll(&b->client);
    while (tg_poll(&b->client) == 0) {
    }
    b->gateway.up.head = b->gateway.up.tail; /* lost on the line */
    bench_pass(b, 2500, 100);
    CHECK_EQ(b->gateway.stored_count, 1);
    CHECK_EQ(tg_held(&b->client), 0);
}

static void resends_slow_down_without_progress(void)
{
    bench *b = bench_new();
    bench_open(b);
    bench_online(b);
    b->gateway.hold_acks = true;
    bench_put(b);
    bench_pass(b, 120000, 100);
    CHECK(tg_get_stats(&b->client)->sent >= 6);
    CHECK(tg_get_stats(&b->client)->sent <= 12);
}

static void a_gateway_with_a_smaller_limit_costs_only_what_exceeds_it(void)
{
    bench *b = bench_new();
    uint8_t scratch[200];
    tg_writer w;
    bench_open(b);
    tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch);
    tg_put_str(&w, 2, span_of("a text of more than sixty-four bytes, which that gateway would not take from us"));
    CHECK(tg_telemetry_end(&b->client, &w) == TG_OK);
    bench_put(b);
    b->gateway.max_uplink_bytes = 64;
    bench_online(b);
    bench_pass(b, 15000, 10);
    CHECK_EQ(b->dropped, 1);
    CHECK_EQ(b->gateway.stored_count, 1);
    CHECK_EQ(b->gateway.gap_count, 1);
    CHECK_EQ(tg_held(&b->client), 0);
}

static void telemetry_never_truncates(void)
{
    bench *b = bench_new();
    uint8_t scratch[340];
    const float values[60] = {0};
    const tg_series every_ms = {1, 1000};
    tg_writer w;
    const tg_log_line line = {6, {(const uint8_t *)"hello", 5}};
    const tg_log_line bad = {8, {NULL, 0}};
    bench_open(b);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, 15) == TG_ERR_NO_SPACE);
    CHECK(tg_telemetry_begin(NULL, &w, scratch, 64) == TG_ERR_ARG);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, 24) == TG_OK);
    CHECK(tg_put_f32(&w, 1, 1.0f) == TG_OK);
    CHECK(tg_put_f32(&w, 2, 1.0f) == TG_ERR_NO_SPACE);
    CHECK(tg_telemetry_end(&b->client, &w) == TG_ERR_NO_SPACE);
    CHECK(tg_telemetry_end(&b->client, NULL) == TG_ERR_ARG);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    CHECK(tg_put_f32_series(&w, &every_ms, values, 60) == TG_OK);
    CHECK(tg_put_bool(&w, 2, true) == TG_OK);
    CHECK(tg_telemetry_end(&b->client, &w) == TG_OK);
    CHECK(tg_telemetry_begin(&b->client, &w, scratch, sizeof scratch) == TG_OK);
    CHECK(tg_put_f32_series(&w, &every_ms, values, 60) == TG_OK);
    CHECK(tg_put_f32_series(&w, &every_ms, values, 8) == TG_OK);
    CHECK(tg_telemetry_end(&b->client, &w) == TG_ERR_TOO_BIG);
    CHECK(tg_log(&b->client, &line, scratch, 8) == TG_ERR_NO_SPACE);
    CHECK(tg_log(&b->client, &bad, scratch, 64) == TG_ERR_ARG);
    CHECK(tg_log(&b->client, &line, scratch, 64) == TG_OK);
    CHECK_EQ(tg_held(&b->client), 2);
    bench_online(b);
    CHECK_EQ(b->gateway.durable, 2);
}

int main(void)
{
    RUN(a_device_says_hello_and_comes_online);
    RUN(the_first_heartbeat_follows_the_welcome_at_once_p12);
    RUN(readings_arrive_once_in_order_and_leave_the_ring_when_acked_p3);
    RUN(a_message_stays_in_the_ring_until_it_is_acked_p3);
    RUN(a_full_ring_evicts_the_oldest_and_the_next_one_carries_the_gap_p1);
    RUN(evictions_while_frames_are_in_flight_are_announced_exactly_p1);
    RUN(an_emptied_ring_is_known_by_the_heartbeat_p12);
    RUN(the_window_and_flow_are_obeyed);
    RUN(a_nack_rewinds_at_once_or_after_its_pause_p2);
    RUN(hello_is_repeated_on_a_serial_line_until_welcome_p11);
    RUN(only_the_answer_to_the_latest_hello_counts_p5);
    RUN(messages_of_a_dead_session_are_ignored_while_greeting_p5);
    RUN(a_restarted_gateway_is_greeted_again_and_nothing_acked_is_lost_p11);
    RUN(a_foreign_epoch_is_accepted_and_what_is_held_renumbered_p7);
    RUN(the_first_epoch_keeps_the_numbers_given_before_it_p6);
    RUN(numbers_near_the_end_are_drained_and_a_new_epoch_asked_for_p10);
    RUN(the_tail_is_sent_again_when_no_ack_comes_p11);
    RUN(resends_slow_down_without_progress);
    RUN(a_gateway_with_a_smaller_limit_costs_only_what_exceeds_it);
    RUN(telemetry_never_truncates);
    return tg_test_done();
}
