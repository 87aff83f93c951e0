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
    b->client.failures = 6;
    bench_online(b);
    bench_pass(b, 30000, 1000);
    CHECK_EQ(b->client.failures, 6);
    bench_pass(b, 40000, 1000);
    CHECK_EQ(b->client.failures, 0);
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
    CHECK(wait >= 19900 && wait <= 21100);
    CHECK_EQ(b->offline_reason, TG_REASON_OVERLOADED);
    b->gateway.now_ms += wait;
    bench_online(b);
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

static void a_catalog_entry_that_fits_no_message_is_refused_at_init(void)
{
    bench *b = bench_new();
    make_catalog(b);
    b->config.token.len = 0;
    b->config.tx_bytes = 110;
    b->config.catalog.len--; /* cut: its last entry is none */
    CHECK(tg_init(&b->client, &b->config) == TG_ERR_TOO_BIG);
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
    RUN(command_updates_are_not_evicted_by_telemetry_p13);
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
    RUN(a_ping_is_answered_at_once_with_the_uptime_p23);
    RUN(silence_from_the_gateway_ends_the_session_p22);
    RUN(heartbeats_keep_an_idle_session_alive_for_a_day_p22);
    RUN(poll_says_how_long_it_may_sleep);
    RUN(the_clock_may_wrap_p23);
    RUN(a_deadline_beyond_the_wrap_is_in_the_future_p16);
    RUN(the_backoff_is_jittered_doubles_and_is_bounded_p21);
    RUN(the_backoff_resets_only_after_a_session_stayed_up_p21);
    RUN(a_bye_is_obeyed_with_its_wait_p21);
    RUN(a_refusal_waits_an_hour_unless_started_p30);
    RUN(a_command_runs_once_and_is_answered_p17);
    RUN(a_command_may_be_answered_later);
    RUN(a_late_command_expires_without_running_p16);
    RUN(a_device_without_a_handler_supports_no_command);
    RUN(a_command_that_cannot_be_answered_is_not_taken_p13);
    RUN(a_wanted_catalog_is_sent_whole_or_in_parts_p27);
    RUN(a_catalog_entry_that_fits_no_message_is_refused_at_init);
    RUN(a_stopped_device_says_bye_and_rests_p30);
    RUN(stopping_without_a_link_is_immediate);
    RUN(an_open_that_never_ends_is_given_up);
    RUN(a_link_that_takes_nothing_is_given_up);
    RUN(a_gateway_with_a_smaller_limit_costs_only_what_exceeds_it);
    RUN(an_unreadable_message_ends_the_session_p29);
    RUN(unknown_fields_and_bodies_are_skipped_p25);
    RUN(init_refuses_what_cannot_work);
    RUN(telemetry_never_truncates);
    return tg_test_done();
}
